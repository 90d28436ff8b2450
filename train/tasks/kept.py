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
_MOST_ROWS = 200_000


def kept_windows(
    shape: Outline, parts: Mapping[str, Sequence[Series]], window: int, seed: int
) -> Windows:
    """Choose the windows of a run.

    Calibration is a random choice of training windows, at most 256. Windows of the test part follow
    each other, at most 256 evenly spaced ones; its recordings are kept whole, up to 200,000 rows.

    Args:
        shape: of the task.
        parts: the series "train", "validation" and "test".
        window: steps of a window.
        seed: decides the choice.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    train, test = _pieces(shape, parts["train"], window), _pieces(shape, parts["test"], window)
    chosen = rng.permutation(len(train))[:_MOST_WINDOWS]
    spread = np.unique(np.linspace(0, len(test) - 1, min(len(test), _MOST_WINDOWS)).astype(int))
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
    """Cut series into windows; what is shorter than one counts only where nothing else is there."""
    if shape.lasting:
        return list(parts)
    found = [
        replace(item, x=item.x[first : first + window], y=item.y[first : first + window])
        for item in parts
        for first in range(0, len(item.x) - window + 1, window)
    ]
    return found or list(parts)


def _bounded(parts: Sequence[Series]) -> list[Series]:
    """Return whole recordings as long as there is room; of the first one as much as there is."""
    kept: list[Series] = []
    rows = 0
    for item in parts:
        room = _MOST_ROWS - rows
        if len(item.x) > room and kept:
            break
        kept.append(
            replace(
                item,
                x=item.x[:room],
                y=item.y[:room],
                normal=None if item.normal is None else item.normal[:room],
            )
        )
        rows += len(kept[-1].x)
    return kept


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
