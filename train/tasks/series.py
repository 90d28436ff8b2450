"""What a streaming task learns: a series of samples and answers for every recording."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F32, F64, I64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """One recording as a task sees it.

    Attributes:
        x: float32 (rows, channels), raw units; ids are whole numbers.
        y: int64 (rows,), class after each row, -1 where it is not known; or float32 (rows,
            outputs), raw units, NaN where not known.
        start: float32 (features,), what it starts from, or None.
        encoder: float32 (rows, encoder channels), the sequence before it, or None.
        normal: bool (rows,), False where an anomaly is labelled; None: nothing is.
    """

    x: F32
    y: I64 | F32
    start: F32 | None = None
    encoder: F32 | None = None
    normal: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scale:
    """Mean and deviation of the outputs of a regression; of classes: nothing, and their weights.

    Attributes:
        mean: float64 (outputs,), raw units.
        std: float64 (outputs,), raw units.
        weights: float64 (classes,), what a step of each class counts.
    """

    mean: F64 = field(default_factory=lambda: np.zeros(1))
    std: F64 = field(default_factory=lambda: np.ones(1))
    weights: F64 | None = None


def targets_and_weights(y: I64 | F32, scale: Scale) -> tuple[I64 | F32, F32]:
    """Return what Keras is to learn, and what each step counts.

    Args:
        y: answers (..., steps) or (..., steps, outputs).
        scale: of the outputs, or of the classes.

    Returns:
        int32 classes, or float32 normalised values with NaN where not known; float32 weights (...,
        steps), 0 where nothing is known.
    """
    if y.dtype.kind == "i":
        known = y >= 0
        held = np.maximum(y, 0)
        weights = known.astype(np.float32)
        if scale.weights is not None:
            weights = weights * scale.weights[held].astype(np.float32)
        return held, weights.astype(np.float32)
    normalised: F32 = ((y - scale.mean) / scale.std).astype(np.float32)
    return normalised, np.asarray(np.isfinite(normalised).any(axis=-1), np.float32)


def stacked(parts: Sequence[F32 | I64], steps: int | None = None) -> tuple[F32 | I64, I64]:
    """Return sequences of different lengths in one array, padded behind their ends.

    Args:
        parts: (rows, ...) each.
        steps: rows of the array; None: those of the longest.

    Returns:
        The array (sequences, steps, ...), whose last row is held behind the end, and int64
        (sequences,), the rows that count.
    """
    lengths = np.array([len(part) for part in parts], np.int64)
    most = int(lengths.max()) if steps is None else steps
    first = parts[0]
    array = np.zeros((len(parts), most, *first.shape[1:]), first.dtype)
    for index, part in enumerate(parts):
        array[index, : len(part)] = part[:most]
        if 0 < len(part) < most:
            array[index, len(part) :] = part[-1]
    return array, np.minimum(lengths, most)


def stacked_answers(parts: Sequence[I64 | F32], steps: int | None = None) -> I64 | F32:
    """Return answers in one array; those behind the end are not known."""
    array, lengths = stacked(parts, steps)
    for index, length in enumerate(lengths):
        array[index, length:] = -1 if array.dtype.kind == "i" else np.nan
    return array


def balanced(classes: I64, count: int) -> F64:
    """Return weights that let every class count the same: their mean over `classes` is 1.

    >>> balanced(np.array([0, 0, 0, 1, -1]), 2)
    array([0.66666667, 2.        ])
    """
    known = np.bincount(classes[classes >= 0], minlength=count)
    occurring = int((known > 0).sum())
    return np.asarray(known.sum() / (occurring * np.maximum(known, 1)), np.float64)
