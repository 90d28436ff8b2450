"""Recordings end where their time stamps have a gap or go backwards: no window crosses it."""

from dataclasses import dataclass, replace

import numpy as np

from rnnedge.arrays import F64
from rnnedge.data.readers import Recording, Recordings
from rnnedge.data.readers.cache import forget
from rnnedge.data.slices import sliced
from rnnedge.data.timeline import usual_step

LONGEST_GAP = 5.0
"""Steps of a recording that are no gap yet: as if the samples between had been lost."""

_CHUNK = 1 << 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """Where recordings were cut.

    Attributes:
        count: gaps and steps backwards.
        backwards: those that are steps backwards.
        recordings: that had one.
        first: recording and row behind the first one, for people; "" without one.
    """

    count: int = 0
    backwards: int = 0
    recordings: int = 0
    first: str = ""


def cut_at_gaps(data: Recordings) -> tuple[Recordings, Cuts]:
    """End a recording, and begin another one, at each gap and where the clock goes backwards.

    What is one whole from a first state of its own (a start, a reply) stays as it is.
    """
    items: list[Recording] = []
    count = backwards = recordings = 0
    first = ""
    for item in data.items:
        ends = [] if item.time is None or item.start is not None or item.reply is not None else (
            breaks(item.time, LONGEST_GAP * usual_step([item.time]))
        )  # fmt: skip
        items += [
            sliced(item, start, stop)
            for start, stop in zip([0, *ends], [*ends, len(item.values)], strict=True)
        ]
        if ends and item.time is not None:
            count, recordings = count + len(ends), recordings + 1
            backwards += sum(bool(item.time[row] < item.time[row - 1]) for row in ends)
            first = first or f"{item.source} row {ends[0] + 1}"
    if not count:
        return data, Cuts()
    return replace(data, items=tuple(items)), Cuts(
        count=count, backwards=backwards, recordings=recordings, first=first
    )


def breaks(time: F64, limit: float) -> list[int]:
    """Return the rows behind a step that is longer than `limit` seconds or goes backwards.

    >>> breaks(np.array([0.0, 1.0, 9.0, 10.0, 4.0]), 5.0)
    [2, 4]
    """
    found: list[int] = []
    for row in range(0, len(time) - 1, _CHUNK):
        steps = np.diff(np.asarray(time[row : row + _CHUNK + 1]))
        found += (row + 1 + np.flatnonzero((steps > limit) | (steps < 0))).tolist()
        forget(time)
    return found
