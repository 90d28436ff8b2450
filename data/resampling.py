"""Recordings brought to one rate by their time stamps."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnnedge.arrays import F32, F64
from rnnedge.data.gaps import LONGEST_GAP, breaks
from rnnedge.data.readers import Recording, Recordings
from rnnedge.data.readers.cache import scratch_file
from rnnedge.data.slices import sliced
from rnnedge.data.timeline import usual_step
from rnnedge.errors import DataError
from rnnedge.spec import rate_error

_CHUNK = 1 << 17
_IN_MEMORY = 1 << 26


def resample(data: Recordings, rate: float, *, longest_gap: float = LONGEST_GAP) -> Recordings:
    """Bring every recording to `rate`, values on straight lines between samples, labels held.

    Rows with the time stamp of the row before are left out. A recording ends, and another one
    begins, where the clock goes backwards and at a gap.

    Args:
        data: recordings with time stamps, no value missing.
        rate: samples per second, > 0.
        longest_gap: steps of the recording, or of the new rate if that is slower, that are bridged
            by a line, >= 1.

    Raises:
        DataError: no time stamps, a rate that cannot be one, or no recording of two rows.
    """
    if wrong := rate_error(rate):
        raise DataError(f"--resample: {wrong}")
    without = next((item for item in data.items if item.time is None), None)
    if without is not None:
        raise DataError(
            f"{without.source}: no time stamps to resample by; name their column with --time"
        )
    items = tuple(
        new
        for item in data.items
        for piece in _pieces(item, rate, longest_gap)
        if (new := _resampled(piece, rate)) is not None
    )
    if not items:
        raise DataError(
            f"{data.items[0].file}: no stretch between two gaps holds two samples at {rate:g} per "
            "second; choose a higher rate with --resample"
        )
    return replace(data, items=items)


def _pieces(item: Recording, rate: float, longest_gap: float) -> Iterator[Recording]:
    """Yield the stretches without gaps, time rising strictly."""
    time = _times(item)
    limit = longest_gap * max(usual_step([time]), 1 / rate)
    ends = breaks(time, limit)
    for start, stop in zip([0, *ends], [*ends, len(time)], strict=True):
        piece = sliced(item, start, stop)
        stamps = _times(piece)
        repeated = np.flatnonzero(np.diff(stamps) == 0) + 1
        if len(repeated):
            kept = np.delete(np.arange(len(stamps)), repeated)
            piece = replace(
                piece,
                values=piece.values[kept],
                time=stamps[kept],
                row_labels=None if piece.row_labels is None else piece.row_labels[kept],
                targets=None if piece.targets is None else piece.targets[kept],
            )
        yield piece


def _resampled(item: Recording, rate: float) -> Recording | None:
    """Return a recording at `rate`, or None if it has not two samples."""
    time = _times(item)
    if len(time) < 2:
        return None
    rows = int(np.floor((time[-1] - time[0]) * rate * (1 + 1e-9) + 1e-6)) + 1
    if rows < 2:
        return None
    values = _room((rows, item.values.shape[1]))
    targets = None if item.targets is None else _room((rows, item.targets.shape[1]))
    labels = None if item.row_labels is None else np.empty(rows, dtype=np.int64)
    for start in range(0, rows, _CHUNK):
        chunk = slice(start, min(rows, start + _CHUNK))
        grid = np.minimum(time[0] + np.arange(chunk.start, chunk.stop) / rate, time[-1])
        first = max(0, int(np.searchsorted(time, grid[0], side="right")) - 1)
        last = int(np.searchsorted(time, grid[-1], side="left")) + 1
        near = time[first:last]
        _lines(values[chunk], grid, near, item.values[first:last])
        if targets is not None and item.targets is not None:
            _lines(targets[chunk], grid, near, item.targets[first:last])
        if labels is not None and item.row_labels is not None:
            held = np.searchsorted(near, grid + 1e-9, side="right") - 1
            labels[chunk] = item.row_labels[first:last][np.maximum(held, 0)]
    return replace(
        item,
        values=values,
        targets=targets,
        row_labels=labels,
        time=time[0] + np.arange(rows) / rate,
    )


def _times(item: Recording) -> F64:
    """Return the time stamps of a recording that has them."""
    return np.zeros(0) if item.time is None else item.time


def _lines(out: F32, grid: F64, time: F64, values: F32) -> None:
    for column in range(values.shape[1]):
        out[:, column] = np.interp(grid, time, values[:, column])


def _room(shape: tuple[int, int]) -> F32:
    """Return an array to fill, in a scratch file if it is large."""
    if shape[0] * shape[1] * 4 <= _IN_MEMORY:
        return np.empty(shape, dtype=np.float32)
    return np.lib.format.open_memmap(
        scratch_file("resampled.npy"), mode="w+", dtype=np.float32, shape=shape
    )
