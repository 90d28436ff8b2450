"""Recordings divided into training, validation and test: by recording, by group, by time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnedge.arrays import F64
from rnnedge.data.readers import TEST, TRAIN, Recording, Recordings
from rnnedge.data.slices import sliced
from rnnedge.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """The parts as recordings; no row is in two of them.

    Attributes:
        train: decides the weights.
        validation: decides when to stop.
        test: nothing is decided on it.
        method: how they were divided, for people.
    """

    train: Recordings
    validation: Recordings
    test: Recordings
    method: str


def parted(
    data: Recordings,
    test: Recordings | None,
    *,
    by: str,
    gap: int,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
) -> Parts:
    """Divide recordings whose classes, if any, need not be balanced.

    Args:
        data: the recordings; those that their file calls a test part are the test part.
        test: recordings of the test part, or None.
        by: "recording", "group", "time", or "auto": by group or recording where there are enough
            of them for every part, else by time.
        gap: rows between two parts that follow each other in time: those of a window.
        validation_fraction: share of the rows outside the test part.
        test_fraction: share of all rows, where no test part is given.
        seed: decides which recordings or groups go together.

    Raises:
        DataError: there are too few recordings, groups or rows.
    """
    rest, test, method = given(data, test)
    shares = (validation_fraction,) if test else (validation_fraction, test_fraction)
    needed = len(shares) + 1
    how = by_time(rest) if by == "auto" and test is None else by == "time"
    units = [unit(item, by) for item in rest.items]
    names = sorted(set(units), key=units.index)
    how = how or (by == "auto" and len(names) < needed)
    if how:
        first = shares[0] if test else (1 - test_fraction) * validation_fraction
        cuts = (first,) if test else (first, test_fraction)
        pieces = in_time(rest, cuts, gap)
        words = f"by time, {gap} rows between the parts"
    else:
        if len(names) < needed:
            raise DataError(
                f"{rest.items[0].file}: {len(names)} recordings or groups, expected at least "
                f"{needed}, one for each part; give more, or --split time"
            )
        pieces = _shuffled(rest, units, names, shares, seed)
        words = "by group" if any(item.group for item in rest.items) else "by recording"
        words = "by recording" if by == "recording" else words
    if test is not None:
        return Parts(
            train=pieces[0], validation=pieces[1], test=test,
            method=f"{method}; validation {words}",
        )  # fmt: skip
    return Parts(
        train=pieces[0], validation=pieces[1], test=pieces[2],
        method=f"test and validation {words}",
    )  # fmt: skip


def given(data: Recordings, test: Recordings | None) -> tuple[Recordings, Recordings | None, str]:
    """Return the data to divide, the test part if there is one already, and where it is from.

    Raises:
        DataError: there are two test parts.
    """
    if test is not None:
        if data.parts:
            raise DataError(
                f"{data.items[0].file}: the file has a test part of its own; leave --test out"
            )
        return data, test.part(TEST), "test files given"
    if data.parts:
        return data.part(TRAIN), data.part(TEST), "test part of the file"
    return data, None, ""


def whole(item: Recording) -> str:
    """Name the recording that this one was cut from at a gap, or itself."""
    if item.group is not None and item.source.startswith(f"{item.group} rows "):
        return item.group
    return item.source


def by_time(data: Recordings) -> bool:
    """Tell whether the data is one recording, perhaps with gaps: time alone divides it."""
    grouped = {item.group for item in data.items} - {None, *map(whole, data.items)}
    return not grouped and len({whole(item) for item in data.items}) == 1


def unit(item: Recording, by: str) -> str:
    """Name what must stay in one part.

    Raises:
        DataError: it is to be the group, and the recording has none.
    """
    if by == "recording":
        return whole(item)
    if by == "group" and (item.group is None or item.group == whole(item)):
        raise DataError(
            f"{item.source}: no group to divide by; name its column with --group, or choose "
            "--split recording"
        )
    return whole(item) if item.group is None else item.group


def in_time(data: Recordings, shares: Sequence[float], gap: int) -> list[Recordings]:
    """Divide recordings in the order of their time stamps, or else of the file.

    Args:
        data: the recordings.
        shares: of the rows, of every part but the first; the last part comes last.
        gap: rows left out before each part, in a recording that is divided.

    Raises:
        DataError: a part would have no row.
    """
    rows = sum(len(item.values) for item in data.items)
    ends = [round(rows * (1 - sum(shares[index:]))) for index in range(len(shares))]
    cuts = [_cut_at(data, end) for end in ends]
    parts: list[list[Recording]] = [[] for _ in range(len(shares) + 1)]
    for number, item in enumerate(data.items):
        edges = [0, *(cut[number] for cut in cuts), len(item.values)]
        for part, start, stop in zip(parts, edges[:-1], edges[1:], strict=True):
            stop = stop if stop == len(item.values) else stop - gap
            if stop > start:
                part.append(sliced(item, start, stop))
    if not all(parts):
        raise DataError(
            f"{data.items[0].file}: {rows} rows are too few for {len(parts)} parts with {gap} rows "
            "between them; give more data or a shorter --window"
        )
    return [replace(data, items=tuple(part)) for part in parts]


def _cut_at(data: Recordings, end: int) -> list[int]:
    """Return for every recording its first row beyond the first `end` rows of the data."""
    times = [item.time for item in data.items if item.time is not None and _rises(item.time)]
    if len(times) < len(data.items):
        lengths = [len(item.values) for item in data.items]
        before = np.cumsum([0, *lengths[:-1]])
        return [int(np.clip(end - at, 0, n)) for at, n in zip(before, lengths, strict=True)]
    low, high = min(float(time[0]) for time in times), max(float(time[-1]) for time in times)
    high = np.nextafter(high, np.inf)
    for _ in range(64):
        middle = (low + high) / 2
        if sum(int(np.searchsorted(time, middle)) for time in times) < end:
            low = middle
        else:
            high = middle
    return [int(np.searchsorted(time, high)) for time in times]


def _rises(time: F64) -> bool:
    """Tell whether time stamps never fall, in chunks."""
    return all(
        bool((np.diff(time[row : row + (1 << 18) + 1]) >= 0).all())
        for row in range(0, len(time), 1 << 18)
    )


def _shuffled(
    data: Recordings,
    units: Sequence[str],
    names: Sequence[str],
    shares: Sequence[float],
    seed: int,
) -> list[Recordings]:
    """Give whole units to the parts, as near to their shares as a random order comes."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(names))
    sizes = dict.fromkeys(names, 0)
    for name, item in zip(units, data.items, strict=True):
        sizes[name] += len(item.values)
    left = [names[index] for index in order]
    chosen: dict[str, int] = {}
    for part in reversed(range(len(shares))):  # the test part first: its share is of everything
        wanted = shares[part] * sum(sizes[name] for name in left)
        taken = 0
        while len(left) > part + 1:
            name = min(left[:8], key=lambda name: abs(taken + sizes[name] - wanted))
            if taken and abs(taken + sizes[name] - wanted) >= abs(taken - wanted):
                break
            taken += sizes[name]
            chosen[name] = part + 1
            left.remove(name)
    return [
        replace(
            data,
            items=tuple(
                item
                for name, item in zip(units, data.items, strict=True)
                if chosen.get(name, 0) == part
            ),
        )
        for part in range(len(shares) + 1)
    ]
