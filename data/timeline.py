"""Time stamps of recordings: the step, gaps, jumps of the clock, changes of the step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnnedge.arrays import F64
from rnnedge.data.readers import Recordings
from rnnedge.data.readers.cache import forget

GAP = 1.5
"""A step longer than this many usual ones is a gap."""

_CHUNK = 1 << 18
_BLOCK = 16
_CHANGED = 1.2
_NEAR = 0.001
_SAME = 5e-8  # a row of twenty million
_USUAL_STEPS = (10800.0, 14400.0, 21600.0, 28800.0, 43200.0, 86400.0, 604800.0)  # 3 h to a week
_SAMPLED = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What the time stamps of a data set say.

    Attributes:
        recordings: recordings with time stamps and more than one row.
        step: median of the steps that go forward, seconds; 0 if there is none.
        jitter: median distance of a step from `step`, as a share of it, gaps left out.
        gaps: steps longer than GAP usual ones.
        longest_gap: seconds, 0 without a gap.
        duplicates: rows whose time stamp is that of the row before.
        backwards: rows whose time stamp is before that of the row before (a changed clock).
        changes: places where the usual step becomes another one, by more than a fifth.
        first: recording and row of the first gap or step backwards, for people; "" without one.
    """

    recordings: int
    step: float
    jitter: float
    gaps: int
    longest_gap: float
    duplicates: int
    backwards: int
    changes: int
    first: str = ""

    @property
    def rate(self) -> float | None:
        """Samples per second, or None; nine significant digits."""
        return None if self.step <= 0 else float(f"{1 / self.step:.9g}")

    @property
    def even(self) -> bool:
        """Whether every step is the usual one."""
        return not (self.gaps or self.duplicates or self.backwards or self.changes)


def timeline(data: Recordings) -> Timeline | None:
    """Look at the time stamps of all recordings, in chunks; None where there are none."""
    times = [
        (item.time, f"{item.source} row {{}}")
        for item in data.items
        if item.time is not None and len(item.time) > 1
    ]
    if not times:
        return None
    step = usual_step([time for time, _ in times])
    gaps = duplicates = backwards = changes = 0
    longest, first = 0.0, ""
    distances: list[F64] = []
    for time, place in times:
        previous = 0.0
        for row, steps in _steps(time):
            gap, back = steps > GAP * step, steps < 0
            gaps, backwards = gaps + int(gap.sum()), backwards + int(back.sum())
            duplicates += int((steps == 0).sum())
            longest = max(longest, float(steps[gap].max(initial=0.0)))
            if not first and (gap | back).any():
                first = place.format(row + int(np.argmax(gap | back)) + 2)
            usual = steps[(steps > 0) & ~gap]
            distances.append(np.abs(usual - step)[:: max(1, len(usual) >> 12)])
            usual_blocks, previous = _block_changes(steps, previous)
            changes += usual_blocks
    away = np.concatenate(distances) if distances else np.zeros(0)
    return Timeline(
        recordings=len(times),
        step=step,
        jitter=float(np.median(away) / step) if len(away) and step else 0.0,
        gaps=gaps if step else 0,
        longest_gap=longest,
        duplicates=duplicates,
        backwards=backwards,
        changes=changes,
        first=first,
    )


def usual_step(times: Sequence[F64]) -> float:
    """Return the median of the steps that go forward, seconds; 0 if there is none.

    >>> usual_step([np.array([0.0, 1.0, 2.0, 9.0])])
    1.0
    """
    share = max(_BLOCK, _SAMPLED // max(1, len(times)))
    found = [np.diff(part) for time in times for part in _sampled(time, share)]
    steps = np.concatenate(found) if found else np.zeros(0)
    forward = steps[steps > 0]
    return float(np.median(forward)) if len(forward) else 0.0


def round_rate(rate: float) -> str:
    """Return samples per second as they are typed: a usual number that is near, else all digits.

    >>> [round_rate(rate) for rate in (49.97, 102.4, 44.1, 0.01666, 1 / 3725, 1.15740741e-05)]
    ['50', '102.4', '44.1', '1/60', '1/3725', '1/86400']
    """
    whole = rate if rate >= 1 else 1 / rate
    usual = (float(f"{whole:.2g}"), *_USUAL_STEPS)
    near = min(usual, key=lambda one: abs(one / whole - 1))
    if abs(near / whole - 1) > _NEAR:
        return exact_rate(rate)
    return exact_rate(near if rate >= 1 else 1 / near)


def exact_rate(rate: float) -> str:
    """Return samples per second as they are typed, with as many digits as a long recording needs.

    >>> [exact_rate(rate) for rate in (49.97, 1 / 3600, 0.3)]
    ['49.97', '1/3600', '1/3.3333333']
    """
    whole = rate if rate >= 1 else 1 / rate
    near = next(
        near
        for digits in range(1, 18)
        if abs((near := float(f"{whole:.{digits}g}")) / whole - 1) <= _SAME
    )
    return f"{near:.9g}" if rate >= 1 else f"1/{near:.9g}"


def rate_of(typed: str) -> float:
    """Return the samples per second that are typed as a number, or as one divided by another.

    Raises:
        ValueError: they are not.
        ZeroDivisionError: they are divided by 0.

    >>> rate_of("1/60") * 60
    1.0
    """
    count, _, seconds = typed.partition("/")
    return float(count) / float(seconds or 1)


def _sampled(time: F64, share: int) -> Iterator[F64]:
    """Yield up to eight stretches of the stamps, together about `share` of them."""
    if len(time) <= share:
        yield np.asarray(time)
        return
    for start in np.linspace(0, len(time) - share // 8, 8).astype(int):
        yield np.asarray(time[start : start + share // 8])


def _steps(time: F64) -> Iterator[tuple[int, F64]]:
    """Yield the first row and the steps of each chunk."""
    for row in range(0, len(time) - 1, _CHUNK):
        yield row, np.diff(np.asarray(time[row : row + _CHUNK + 1]))
        forget(time)


def _block_changes(steps: F64, previous: float) -> tuple[int, float]:
    """Count the changes between the medians of blocks of steps, the last one of before included."""
    whole = len(steps) // _BLOCK * _BLOCK
    if not whole:
        return 0, previous
    medians = np.median(steps[:whole].reshape(-1, _BLOCK), axis=1)
    medians = np.concatenate([[previous] if previous > 0 else [], medians[medians > 0]])
    if not len(medians):
        return 0, previous
    ratio = medians[1:] / medians[:-1]
    return int(((ratio > _CHANGED) | (ratio < 1 / _CHANGED)).sum()), float(medians[-1])
