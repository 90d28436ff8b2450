"""Missing values: counted, and filled or cut out as asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F32, F64
from rnnedge.data.readers import Recording, Recordings
from rnnedge.data.readers.cache import forget
from rnnedge.data.slices import runs, sliced
from rnnedge.errors import DataError

_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The missing values of a data set.

    Attributes:
        counts: by channel.
        first: recording, row and channel of the first, for people; "" if there is none.
    """

    counts: tuple[int, ...]
    first: str = ""

    @property
    def total(self) -> int:
        """Number of missing values."""
        return sum(self.counts)


def missing(data: Recordings) -> Missing:
    """Count the missing values of every channel, in chunks."""
    counts, first = np.zeros(len(data.channels), dtype=np.int64), ""
    for item in data.items:
        for row, values in _chunks(item.values):
            absent = np.isnan(values)
            counts += absent.sum(axis=0)
            if not first and absent.any():
                place = np.argwhere(absent)[0]
                first = f"{item.source} row {row + place[0] + 1} {data.channels[place[1]]!r}"
    return Missing(counts=tuple(counts.tolist()), first=first)


def fill(data: Recordings, how: str, found: Missing) -> Recordings:
    """Return recordings without missing values.

    Args:
        data: the recordings.
        how: "refuse", "interpolate" (linear in time, held at either end), "hold" (the last value;
            rows before the first one go) or "drop" (the recording ends there and another begins).
        found: `missing(data)`.

    Raises:
        DataError: values are missing and are to be refused, or a channel has none at all in a
            recording, or no row is left.
    """
    if not found.total:
        return data
    if how == "refuse":
        raise DataError(
            f"{found.first}: missing, the first of {found.total} missing values; "
            "--missing interpolate, hold or drop says what becomes of them"
        )
    items: list[Recording] = []
    for item in data.items:
        absent = np.isnan(item.values)
        if not absent.any():
            items.append(item)
        elif how == "drop":
            items += [sliced(item, *run) for run in runs(np.logical_not(absent.any(axis=1)))]
        else:
            items += _filled(item, absent, how, data.channels)
    if not items:
        raise DataError(f"{found.first}: no row is left without a missing value; fill them instead")
    return replace(data, items=tuple(items))


def _filled(
    item: Recording, absent: npt.NDArray[np.bool_], how: str, channels: Sequence[str]
) -> Iterator[Recording]:
    """Yield the recording with values in the place of the missing ones."""
    if absent.all(axis=0).any():
        name = channels[int(np.argmax(absent.all(axis=0)))]
        raise DataError(
            f"{item.source}: channel {name!r} has no value in the whole recording; --ignore it, "
            "or --missing drop"
        )
    values: F32 = np.array(item.values)
    place: F64 = np.arange(len(values), dtype=np.float64) if item.time is None else item.time
    for channel in np.flatnonzero(absent.any(axis=0)).tolist():
        gone, column = absent[:, channel], values[:, channel]
        if how == "hold":
            last = np.maximum.accumulate(np.where(gone, -1, np.arange(len(column))))
            values[:, channel] = np.where(last >= 0, column[np.maximum(last, 0)], np.nan)
        else:
            column[gone] = np.interp(place[gone], place[~gone], column[~gone])
    first = int(np.argmax(~np.isnan(values).any(axis=1)))  # hold: where every channel has a value
    yield sliced(replace(item, values=values), first, len(values))


def _chunks(values: F32) -> Iterator[tuple[int, F32]]:
    for row in range(0, len(values), _CHUNK):
        yield row, np.asarray(values[row : row + _CHUNK])
        forget(values)
