"""What a run keeps of the series of a task: windows, and whole recordings of the test part."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnnedge.arrays import F32, I64
from rnnedge.run import Windows
from rnnedge.train.tasks.outline import Outline
from rnnedge.train.tasks.series import Series, stacked, stacked_answers

_MOST_WINDOWS = 256
_MOST_VALUES = 1 << 24
_LONGEST = 200_000


def kept_windows(
    shape: Outline, parts: Mapping[str, Sequence[Series]], window: int, seed: int
) -> Windows:
    """Choose the windows of a run.

    Calibration is a random choice of training windows, at most 256. Windows of the test part follow
    each other, at most 256 evenly spaced ones. Its recordings are kept, of each up to 200,000 rows,
    until there are 16 million values; so are windows of what has a first state of its own.

    Args:
        shape: of the task.
        parts: the series "train", "validation" and "test".
        window: steps of a window.
        seed: decides the choice.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    train, test = _pieces(shape, parts["train"], window), _pieces(shape, parts["test"], window)
    chosen = rng.permutation(len(train))[:_MOST_WINDOWS]
    most = _MOST_WINDOWS
    if shape.lasting:
        most = max(most, _MOST_VALUES // max(1, max(_values(item) for item in test)))
    spread = np.unique(np.linspace(0, len(test) - 1, min(len(test), most)).astype(int))
    calibration = [train[index] for index in np.sort(chosen)]
    tested = [test[index] for index in spread]
    found: dict[str, Any] = {}
    for name, pieces in (("calibration", calibration), ("test", tested)):
        x, lengths = stacked([item.x for item in pieces], window)
        found["calibration" if name == "calibration" else "X_test"] = x
        found[f"y_{name}"] = stacked_answers([item.y for item in pieces], window)
        if (lengths < window).any():
            found[f"lengths_{name}"] = lengths
        if pieces[0].start is not None:
            found[f"start_{name}"] = np.stack([i.start for i in pieces if i.start is not None])
        if pieces[0].encoder is not None:
            encoder, steps = stacked([i.encoder for i in pieces if i.encoder is not None])
            found[f"encoder_{name}"] = encoder
            found[f"encoder_lengths_{name}"] = steps
    if not shape.lasting:
        kept = _bounded(parts["test"])
        found["stream"], found["stream_ptr"] = joined([item.x for item in kept])
        found["stream_y"] = np.concatenate([item.y for item in kept])
        flags = [item.normal for item in kept if item.normal is not None]
        if flags:
            found["stream_normal"] = np.concatenate(flags)[: len(found["stream"])]
    if shape.task == "anomaly":
        normal = [_normal_rows(item) for item in parts["validation"]]
        normal = [x for x in normal if len(x) > 1] or [item.x for item in parts["validation"]]
        found["normal"], found["normal_ptr"] = joined(normal)
    return Windows(**found)


def joined(parts: Sequence[F32]) -> tuple[F32, I64]:
    """Return arrays one behind the other, and their ends, from 0 on."""
    ends = np.cumsum([0, *(len(part) for part in parts)]).astype(np.int64)
    return np.concatenate(parts), ends


def _pieces(shape: Outline, parts: Sequence[Series], window: int) -> list[Series]:
    """Cut series into windows; what is shorter than one counts where most are so: names, words."""
    if shape.lasting:
        return list(parts)
    found = [
        replace(item, x=item.x[first : first + window], y=item.y[first : first + window])
        for item in parts
        for first in range(0, len(item.x) - window + 1, window)
    ]
    short = [item for item in parts if len(item.x) < window]
    return found + short if len(short) > len(found) else found


def _values(item: Series) -> int:
    """Count the numbers of a series."""
    return item.x.size + item.y.size + (0 if item.encoder is None else item.encoder.size)


def _bounded(parts: Sequence[Series]) -> list[Series]:
    """Return the first rows of recordings, as long as there is room for more of them."""
    kept: list[Series] = []
    values = 0
    for item in parts:
        rows = slice(0, _LONGEST)
        first = replace(
            item,
            x=item.x[rows],
            y=item.y[rows],
            normal=None if item.normal is None else item.normal[rows],
        )
        values += _values(first)
        if kept and values > _MOST_VALUES:
            break
        kept.append(first)
    return kept


def kept_share(windows: Windows, test: Sequence[Series]) -> str:
    """Say for people which part of the test part a run keeps; "" if all of it.

    >>> one = Series(x=np.zeros((5, 1), np.float32), y=np.zeros(5, np.int64))
    >>> held = Windows(calibration=one.x[None], X_test=one.x[None], y_test=one.y[None],
    ...                stream=one.x[:3])
    >>> kept_share(held, [one])
    '3 of 5 steps'
    """
    if windows.stream is None:
        counts, what = (len(windows.X_test), len(test)), "sequences"
    else:
        counts, what = (len(windows.stream), sum(len(item.x) for item in test)), "steps"
    return f"{counts[0]:,} of {counts[1]:,} {what}" if counts[0] < counts[1] else ""


def _normal_rows(item: Series) -> F32:
    """Return the longest stretch of a recording without a labelled anomaly."""
    if item.normal is None:
        return item.x
    edges = np.flatnonzero(np.diff(np.r_[False, item.normal[: len(item.x)], False].astype(int)))
    runs = edges.reshape(-1, 2)
    if not len(runs):
        return item.x[:0]
    start, stop = max(runs.tolist(), key=lambda run: run[1] - run[0])
    return item.x[start:stop]
