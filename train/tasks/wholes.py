"""Series that are learnt as one whole each, from a first state of their own; and validation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnedge.train.problem import Batch, epoch_rng, orders
from rnnedge.train.tasks.lanes import scaled
from rnnedge.train.tasks.series import (
    Scale,
    Series,
    stacked,
    stacked_answers,
    targets_and_weights,
)

_FEWEST_UPDATES = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wholes:
    """How whole series are drawn into batches.

    Attributes:
        series: the training part.
        scale: of the answers.
        lanes: series of a batch.
        seed: decides the order.
    """

    series: Sequence[Series]
    scale: Scale
    lanes: int
    seed: int

    @property
    def updates(self) -> int:
        """Batches of an epoch."""
        return max(_FEWEST_UPDATES, len(self.series) // self.lanes)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch."""
        inputs, y, weights = whole_batch(self.series, self.scale)
        rng = epoch_rng(self.seed, epoch)
        for chosen in orders(len(self.series), self.lanes, self.updates, rng):
            picked = {name: array[chosen] for name, array in inputs.items()}
            yield picked, y[chosen], scaled(weights[chosen])


def whole_batch(parts: Sequence[Series], scale: Scale) -> tuple[dict[str, Any], Any, Any]:
    """Return all series in one padded batch: inputs, answers, weights."""
    x, _ = stacked([item.x for item in parts])
    inputs: dict[str, Any] = {"x": x}
    if parts[0].start is not None:
        inputs["start"] = np.stack([item.start for item in parts if item.start is not None])
    if parts[0].encoder is not None:
        encoder, lengths = stacked([item.encoder for item in parts if item.encoder is not None])
        inputs |= {"encoder": encoder, "steps": lengths.astype(np.float32)[:, None]}
    y, weights = targets_and_weights(stacked_answers([item.y for item in parts]), scale)
    return inputs, y, weights


def validation_batch(parts: Sequence[Series], scale: Scale, burn_in: int) -> Batch:
    """Return whole recordings from a zero state, as they stream on the device."""
    inputs, y, weights = whole_batch(parts, scale)
    weights[:, :burn_in] = 0
    return inputs, y, scaled(weights)
