"""The problem of classifying windows."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rnnedge.arrays import F32, F64, I64
from rnnedge.data.split import Split
from rnnedge.train.options import TrainOptions
from rnnedge.train.problem import Batch, Problem, epoch_rng, orders
from rnnedge.train.rotation import axis_groups


def classification(
    parts: Split, options: TrainOptions, mean: F64, std: F64, channels: Sequence[str] = ()
) -> Problem:
    """Return the problem of a model that takes raw windows and gives class probabilities.

    Where windows are padded, the model is one of rnnedge.train.models.masked.

    Args:
        parts: training decides the weights, validation the epoch.
        options: how to train.
        mean: float64 (channels,), raw units.
        std: float64 (channels,), raw units.
        channels: their names; without them nothing is turned.
    """
    X, y, lengths = parts.train.X, parts.train.y, parts.train.lengths
    size, updates = min(options.batch(parts.apart), len(X)), options.updates(parts.apart)
    augment, groups = options.changes(parts.apart), axis_groups(channels, options.rotate_groups)
    eye = np.eye(len(parts.classes), dtype=np.float32)

    balanced = options.class_weights == "balanced"
    weight = balanced_weights(y, len(parts.classes))

    def weigh(shares: F32) -> F32 | None:
        return shares @ weight if balanced else None

    def batches(epoch: int) -> Iterator[Batch]:
        rng = epoch_rng(options.seed, epoch)
        for chosen in orders(len(X), size, updates, rng):
            steps = None if lengths is None else lengths[chosen]
            x, shares = augment.apply(X[chosen], eye[y[chosen]], mean, std, rng, groups, steps)
            yield _given(x, steps), shares, weigh(shares)

    known, held = eye[parts.validation.y], parts.validation
    steps = held.lengths
    if steps is None and lengths is not None:
        steps = np.full(len(held), held.X.shape[1], np.int64)
    return Problem(
        batches=batches,
        updates=updates,
        validation=(_given(held.X[:], steps), known, weigh(known)),
        loss="categorical_crossentropy",
        metrics=("accuracy",),
    )


def _given(x: F32, steps: I64 | None) -> Any:
    """Return the inputs of the model, those of padded windows with the steps that count."""
    return x if steps is None else {"x": x, "steps": steps.astype(np.float32)[:, None]}


def balanced_weights(y: I64, classes: int) -> F32:
    """Return float32 (classes,), weights with which every class counts the same.

    Their mean over `y` is 1.

    >>> balanced_weights(np.array([0, 0, 1]), 2).tolist()
    [0.75, 1.5]
    """
    counts = np.bincount(y, minlength=classes)
    present = np.count_nonzero(counts)
    weights: F32 = (len(y) / (present * np.maximum(counts, 1))).astype(np.float32)
    return weights
