"""Stretches of recordings."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rnnedge.data.readers import Recording


def sliced(item: Recording, start: int, stop: int) -> Recording:
    """Return rows start..stop-1 of a recording as one of its own, as views.

    A recording that is divided keeps a group, so that its pieces stay together where recordings
    are divided.
    """
    if (start, stop) == (0, len(item.values)):
        return item
    rows = slice(start, stop)
    return replace(
        item,
        values=item.values[rows],
        time=None if item.time is None else item.time[rows],
        row_labels=None if item.row_labels is None else item.row_labels[rows],
        targets=None if item.targets is None else item.targets[rows],
        group=item.source if item.group is None else item.group,
        source=f"{item.source} rows {start + 1}-{stop}",
        start_row=item.start_row + start,
    )


def runs(kept: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return start and stop of every run of True.

    >>> runs(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
