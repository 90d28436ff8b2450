"""Figures of each channel, in one pass over recordings of any size."""

from dataclasses import dataclass

import numpy as np

from rnnedge.arrays import F32, F64, I64
from rnnedge.data.readers import Recordings
from rnnedge.data.readers.cache import forget

_CHUNK = 1 << 17
_SAMPLE = 100_000
_BARS = 24
_FAR = 8.0
_HELD, _FEWEST_HELD, _FEWEST_VALUES = 0.005, 10, 20
_MOST_LABELS = 12
_SELDOM = 20  # rows between two changes of a label, at least
_SHORTEST = 4  # rows of a recording that a channel numbers, at least
_AT_REST = 0.4  # a larger share at a limit is where the channel rests, as light is at 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStats:
    """One channel; None where it has no value at all.

    Attributes:
        name: of the channel.
        unit: of measure, "" if unknown.
        count: values.
        missing: rows without one.
        min: least value, raw units.
        mean: of all values, raw units.
        std: standard deviation, raw units.
        max: largest value, raw units.
        constant: whether all values are the same.
        growing: whether it never falls within a recording, and mostly rises.
        numbering: whether whole numbers stand still in stretches, never fall, and rise now and
            then, as the number of a recording does.
        naming: whether a few whole numbers change seldom, as a class does.
        at_min: share of the values that are the least one.
        at_max: share of the values that are the largest one.
        saturated: whether so many of many different values are at a limit that it cuts them off.
        outliers: share of a sample that is more than 8 robust standard deviations (from the
            quartiles) away from the median.
        histogram: share of a sample in each of 24 bars from `min` to `max`.
    """

    name: str
    unit: str
    count: int
    missing: int
    min: float | None
    mean: float | None
    std: float | None
    max: float | None
    constant: bool
    growing: bool
    numbering: bool
    naming: bool
    at_min: float
    at_max: float
    saturated: bool
    outliers: float
    histogram: tuple[float, ...]


class _Sums:
    """What is added up, all channels at once."""

    def __init__(self, channels: int) -> None:
        self.rows, self.steps = 0, 0
        self.count: I64 = np.zeros(channels, dtype=np.int64)
        self.mean, self.squares = np.zeros(channels), np.zeros(channels)
        self.low, self.high = np.full(channels, np.inf), np.full(channels, -np.inf)
        self.at_low, self.at_high = np.zeros(channels, np.int64), np.zeros(channels, np.int64)
        self.whole = np.ones(channels, bool)
        self.falls, self.rises = np.zeros(channels, np.int64), np.zeros(channels, np.int64)

    def add(self, values: F32) -> None:
        """Add rows; means and squares are merged as in rnnedge.data.stored.moments."""
        self.rows += len(values)
        columns = np.ascontiguousarray(values.T)
        there = ~np.isnan(columns)
        count = there.sum(axis=1)
        self.whole &= ((columns == np.trunc(columns)) | ~there).all(axis=1)
        filled = np.where(there, columns, 0).astype(np.float64)
        part = filled.sum(axis=1) / np.maximum(count, 1)
        away, total = part - self.mean, np.maximum(self.count + count, 1)
        filled -= part[:, np.newaxis]
        filled *= there
        self.squares += np.einsum("ij,ij->i", filled, filled)
        self.squares += away**2 * self.count * count / total
        self.mean += away * count / total
        self.count += count
        low = np.fmin.reduce(columns, axis=1, initial=np.inf)
        high = np.fmax.reduce(columns, axis=1, initial=-np.inf)
        at_low = (columns == low[:, np.newaxis]).sum(axis=1)
        at_high = (columns == high[:, np.newaxis]).sum(axis=1)
        self.at_low = at_low * (low <= self.low) + self.at_low * (self.low <= low)
        self.at_high = at_high * (high >= self.high) + self.at_high * (self.high >= high)
        self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)

    def compare(self, values: F32) -> None:
        """Count steps up and down."""
        step = np.diff(np.ascontiguousarray(values.T), axis=1)
        self.steps += step.shape[1]
        self.falls += (step < 0).sum(axis=1)
        self.rises += (step > 0).sum(axis=1)


def channel_stats(data: Recordings) -> tuple[ChannelStats, ...]:
    """Return the figures of every channel."""
    sums = _Sums(len(data.channels))
    for item in data.items:
        for row in range(0, len(item.values), _CHUNK):
            sums.add(np.asarray(item.values[row : row + _CHUNK]))
            sums.compare(np.asarray(item.values[row : row + _CHUNK + 1]))
            forget(item.values)
    sample = rows_sample(data, _SAMPLE)
    return tuple(
        _stats(name, unit, index, sums, sample[:, index])
        for index, (name, unit) in enumerate(zip(data.channels, data.units, strict=True))
    )


def rows_sample(data: Recordings, most: int) -> F32:
    """Return up to about `most` rows, evenly from all recordings, float32 (rows, channels)."""
    total = sum(len(item.values) for item in data.items)
    stride = max(1, -(-total // most))
    picked, offset = [], 0
    rows = -(-_CHUNK // stride) * stride
    for item in data.items:
        for row in range(offset % stride, len(item.values), rows):
            picked.append(np.array(item.values[row : row + rows : stride]))
            forget(item.values)
        offset += stride - len(item.values) % stride
    return np.concatenate(picked)


def _stats(name: str, unit: str, index: int, sums: _Sums, sample: F32) -> ChannelStats:
    count = int(sums.count[index])
    if not count:
        return ChannelStats(
            name=name, unit=unit, count=0, missing=sums.rows, min=None, mean=None, std=None,
            max=None, constant=False, growing=False, numbering=False, naming=False, at_min=0.0,
            at_max=0.0, saturated=False, outliers=0.0, histogram=(),
        )  # fmt: skip
    low, high = float(sums.low[index]), float(sums.high[index])
    values = sample[~np.isnan(sample)].astype(np.float64)
    at_min, at_max = int(sums.at_low[index]), int(sums.at_high[index])
    constant = low == high
    different = len(np.unique(values))
    many = different >= _FEWEST_VALUES
    falls, rises = int(sums.falls[index]), int(sums.rises[index])
    whole = bool(sums.whole[index]) and not constant
    held = max(at_min, at_max)
    return ChannelStats(
        name=name,
        unit=unit,
        count=count,
        missing=sums.rows - count,
        min=low,
        mean=float(np.clip(sums.mean[index], low, high)),
        std=0.0 if constant else float(np.sqrt(sums.squares[index] / count)),
        max=high,
        constant=constant,
        growing=not falls and 2 * rises > sums.steps > 0,
        numbering=whole and not falls and different > 2 and 2 <= rises <= sums.steps / _SHORTEST,
        naming=whole
        and 1 < different <= _MOST_LABELS
        and 0 < _SELDOM * (falls + rises) <= sums.steps,
        at_min=at_min / count,
        at_max=at_max / count,
        saturated=many
        and not constant
        and max(_FEWEST_HELD, _HELD * count) <= held <= _AT_REST * count,
        outliers=_outliers(values),
        histogram=_histogram(values, low, high),
    )


def _outliers(values: F64) -> float:
    if len(values) < _FEWEST_VALUES:
        return 0.0
    first, median, third = np.percentile(values, (25, 50, 75))
    spread = (third - first) / 1.349  # of a normal distribution, its standard deviation
    return float((np.abs(values - median) > _FAR * spread).mean()) if spread > 0 else 0.0


def _histogram(values: F64, low: float, high: float) -> tuple[float, ...]:
    if not len(values) or low == high:
        return ()
    place = np.minimum((values - low) / (high - low) * _BARS, _BARS - 1).astype(np.int64)
    bars = np.bincount(place, minlength=_BARS) / len(values)
    return tuple(round(float(share), 6) for share in bars)
