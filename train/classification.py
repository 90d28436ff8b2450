"""The problem of classifying windows."""

from collections.abc import Iterator, Sequence

import numpy as np

from rnnedge.arrays import F64
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

    def batches(epoch: int) -> Iterator[Batch]:
        rng = epoch_rng(options.seed, epoch)
        for chosen in orders(len(X), size, updates, rng):
            yield *augment.apply(X[chosen], eye[y[chosen]], mean, std, rng, groups), None

    return Problem(
        batches=batches,
        updates=updates,
        validation=(parts.validation.X, eye[parts.validation.y], None),
        loss="categorical_crossentropy",
        metrics=("accuracy",),
    )
