"""What is to be optimised: the batches of each epoch, and what their answers cost."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnedge.arrays import F32, I64

Batch = tuple[Any, Any, F32 | None]
"""Inputs, targets and weights (None: all weigh the same), as Keras takes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A training, without its model.

    Attributes:
        batches: from an epoch, counted from 0, to its batches. The same epoch gives the same
            batches, whatever went before: a training that goes on repeats itself.
        updates: batches of an epoch, >= 1; `batches` yields at least as many.
        validation: what decides the epoch whose weights are kept; None: one of `callbacks` puts
            `monitor` into the logs of an epoch.
        loss: of Keras, a name or an object.
        metrics: of Keras, names or objects; weights do not count in them.
        weighted_metrics: the same, where weights count.
        monitor: name in Keras's logs of what is to be least.
        callbacks: of Keras; called before what `optimise` does itself.
    """

    batches: Callable[[int], Iterator[Batch]]
    updates: int
    validation: Batch | None
    loss: Any
    metrics: tuple[Any, ...] = ()
    weighted_metrics: tuple[Any, ...] = ()
    monitor: str = "val_loss"
    callbacks: tuple[Any, ...] = ()


def known_squares(y_true: Any, y_pred: Any) -> Any:
    """Return the mean squared error of each step over the outputs that are known, not NaN."""
    from rnnedge.kerasbackend import keras

    ops = keras().ops
    known = ops.logical_not(ops.isnan(y_true))
    error = ops.where(known, y_true, y_pred) - y_pred
    return ops.mean(ops.square(error), axis=-1)


def epoch_rng(seed: int, epoch: int) -> np.random.Generator:
    """Return the source of everything random in the batches of an epoch."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, epoch))))


def orders(count: int, size: int, updates: int, rng: np.random.Generator) -> Iterator[I64]:
    """Yield int64 (size,) indices of each batch of an epoch; all pass before one comes again.

    Args:
        count: how many there are, >= size.
        size: of a batch.
        updates: how many batches.
        rng: decides the order.

    >>> rng = epoch_rng(0, 0)
    >>> sorted(int(i) for batch in orders(6, 2, 3, rng) for i in batch)
    [0, 1, 2, 3, 4, 5]
    """
    given = 0
    while True:
        order = rng.permutation(count)
        for start in range(0, count - size + 1, size):
            if given == updates:
                return
            given += 1
            yield order[start : start + size]
