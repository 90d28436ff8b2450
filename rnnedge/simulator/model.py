"""A whole model over whole windows; firmware/src/model.c is its twin."""

from dataclasses import dataclass

import numpy as np

from rnnedge.arrays import I16, I32, I64
from rnnedge.errors import ModelError
from rnnedge.simulator.dense import dense
from rnnedge.simulator.gru import GruStep
from rnnedge.spec import QuantizedModel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """Every number that the device also makes.

    Attributes:
        states: int16 (windows, steps, state_size), Q0.15, layer after layer, after each step.
        scores: int32 (windows, outputs), after the last step.
    """

    states: I16
    scores: I32


def simulate(model: QuantizedModel, x: I16) -> Trace:
    """Run windows from a zero state.

    Args:
        model: the quantised model.
        x: int16 (windows, steps, channels), as `rnnedge.simulator.quantize` makes them.

    Returns:
        All states and scores.

    Raises:
        ModelError: x has another number of channels than the model.
    """
    if x.ndim != 3 or x.shape[2] != model.input.channels:
        raise ModelError(
            f"x has shape {x.shape}, expected (windows, steps, {model.input.channels})"
        )
    windows, steps, _ = x.shape
    layers = [GruStep(layer) for layer in model.recurrent]
    h: list[I64] = [np.zeros((windows, layer.units), np.int64) for layer in model.recurrent]
    states = np.empty((windows, steps, model.state_size), np.int16)
    for t in range(steps):
        v = x[:, t].astype(np.int64)
        for index, step in enumerate(layers):
            v = h[index] = step(h[index], v)
        states[:, t] = np.concatenate(h, axis=1)
    v = h[-1]
    for layer in model.head:
        v = dense(layer, v)
    return Trace(states=states, scores=v.astype(np.int32))
