"""The problem of classifying windows."""

from collections.abc import Iterator, Sequence

import numpy as np

from rnnedge.arrays import F32, F64, I64
from rnnedge.train.options import TrainOptions
from rnnedge.train.problem import Batch, Problem, epoch_rng, orders
from rnnedge.train.rotation import axis_groups
from rnnedge.train.split import Split


def classification(
    parts: Split, options: TrainOptions, mean: F64, std: F64, channels: Sequence[str] = ()
) -> Problem:
    """Return the problem of a model that takes raw windows and gives class probabilities.

    Args:
        parts: training decides the weights, validation the epoch.
        options: how to train.
        mean: float64 (channels,), raw units.
        std: float64 (channels,), raw units.
        channels: their names; without them nothing is turned.
    """
    X, y = parts.train.X, parts.train.y
    size, updates = options.batch(len(X)), options.updates(len(X))
    augment, groups = options.changes(len(X)), axis_groups(channels, options.rotate_groups)
    eye = np.eye(len(parts.classes), dtype=np.float32)

    balanced = options.class_weights == "balanced"
    weight = balanced_weights(y, len(parts.classes))

    def weigh(shares: F32) -> F32 | None:
        return shares @ weight if balanced else None

    def batches(epoch: int) -> Iterator[Batch]:
        rng = epoch_rng(options.seed, epoch)
        for chosen in orders(len(X), size, updates, rng):
            x, shares = augment.apply(X[chosen], eye[y[chosen]], mean, std, rng, groups)
            yield x, shares, weigh(shares)

    known = eye[parts.validation.y]
    return Problem(
        batches=batches,
        updates=updates,
        validation=(parts.validation.X, known, weigh(known)),
        loss="categorical_crossentropy",
        metrics=("accuracy",),
    )


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
