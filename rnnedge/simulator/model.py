"""A whole model over whole windows, layer by layer; twins: firmware/src/model.c and window.c."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from rnnedge.arrays import I16, I32, I64
from rnnedge.errors import ModelError
from rnnedge.simulator.cells import Gates
from rnnedge.simulator.dense import dense
from rnnedge.simulator.gru import GruStep
from rnnedge.simulator.lstm import LstmStep
from rnnedge.simulator.rnn import RnnStep
from rnnedge.spec import (
    BidirectionalLayer,
    GruLayer,
    LstmLayer,
    QuantizedModel,
    RecurrentLayer,
    RnnLayer,
)

Step = Callable[[I64, I64], tuple[I64, Gates]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """Every number that the device also makes.

    Attributes:
        states: int16 (windows, steps, state_size), after each step, layer after layer. A
            bidirectional model has no state to show: (windows, 1, values), the outputs of each
            layer as in the buffer of rnnedge_model_window.
        scores: int32 (windows, outputs), after the last step.
    """

    states: I16
    scores: I32


def step_of(layer: RecurrentLayer) -> Step:
    """Return the function that advances a cell by one step."""
    if isinstance(layer, GruLayer):
        return GruStep(layer)
    if isinstance(layer, LstmLayer):
        return LstmStep(layer)
    if isinstance(layer, RnnLayer):
        return RnnStep(layer)
    raise ModelError(f"no step for a layer of kind {layer.kind!r}")


def run_cell(
    layer: RecurrentLayer, x: I64, *, reverse: bool = False, first: I64 | None = None
) -> I64:
    """Return the states (windows, steps, state_size) of inputs x (windows, steps, I).

    They start from `first` (windows, state_size), or zero.
    """
    step = step_of(layer)
    state = np.zeros((x.shape[0], layer.state_size), np.int64) if first is None else first
    states = np.empty((*x.shape[:2], layer.state_size), np.int64)
    for t in reversed(range(x.shape[1])) if reverse else range(x.shape[1]):
        state, _ = step(state, x[:, t])
        states[:, t] = state
    return states


def simulate(model: QuantizedModel, x: I16, first: I16 | None = None) -> Trace:
    """Run windows from a zero state, or from `first`.

    Args:
        model: the quantised model; one without dense layers, an encoder, has no scores.
        x: int16 (windows, steps, channels), as `rnnedge.simulator.quantize` makes them.
        first: int16 (windows, state_size), as `rnnedge.simulator.first_state` makes them.

    Returns:
        All states, and the scores after the last step.

    Raises:
        ModelError: x or first has another shape than the model's.
    """
    states, outputs = _run(model, x, first)
    if model.encodes:
        return Trace(states=states.astype(np.int16), scores=np.empty((len(x), 0), np.int32))
    last = model.recurrent[-1]
    v = outputs[-1][:, -1] if last.return_sequences else _last(last, outputs[-1])
    return Trace(states=states.astype(np.int16), scores=dense_scores(model, v))


def step_scores(model: QuantizedModel, x: I16, first: I16 | None = None) -> I32:
    """Return the scores int32 (windows, steps, outputs) after every step of x.

    The windows start from a zero state, or from `first`, int16 (windows, state_size).

    Raises:
        ModelError: x or first has another shape than the model's, or the model's last layer is
            bidirectional and has no output per step.
    """
    last = model.recurrent[-1]
    if isinstance(last, BidirectionalLayer) and not last.return_sequences:
        raise ModelError(f"model {model.name}: its last layer has one output a window, not a step")
    return dense_scores(model, _run(model, x, first)[1][-1])


def window_scores(model: QuantizedModel, x: I16, lengths: I64 | None = None) -> I32:
    """Return the scores int32 (windows, outputs) at the end of each window.

    That is its last step, or of padded windows the last of `lengths`, int64 (windows,).

    Raises:
        ModelError: x has another shape than the model's, or the model is bidirectional and windows
            are padded.
    """
    if lengths is None:
        return simulate(model, x).scores
    every: I32 = step_scores(model, x)
    return every[np.arange(len(x)), lengths - 1]


def _run(model: QuantizedModel, x: I16, first: I16 | None) -> tuple[I64, list[I64]]:
    """Return the trace's states, and each layer's outputs (windows, steps, width)."""
    if x.ndim != 3 or x.shape[2] != model.input.channels:
        raise ModelError(
            f"x has shape {x.shape}, expected (windows, steps, {model.input.channels})"
        )
    if first is not None and (model.bidirectional or first.shape != (len(x), model.state_size)):
        raise ModelError(f"first states of shape {first.shape} for {len(x)} windows")
    v, at = x.astype(np.int64), 0
    states, outputs, buffer = [], [], []
    for layer in model.recurrent:
        if isinstance(layer, BidirectionalLayer):
            both = [run_cell(layer.forward, v), run_cell(layer.backward, v, reverse=True)]
            v = np.concatenate([part[..., : layer.units] for part in both], axis=2)
        else:
            begin = None if first is None else first[:, at : at + layer.state_size].astype(np.int64)
            states.append(run_cell(layer, v, first=begin))
            at += layer.state_size
            v = states[-1][..., : layer.units]
        outputs.append(v)
        buffer.append(v if layer.return_sequences else _last(layer, v))
    if model.bidirectional:
        return np.concatenate([part.reshape(len(x), 1, -1) for part in buffer], axis=2), outputs
    return np.concatenate(states, axis=2), outputs


def _last(layer: RecurrentLayer | BidirectionalLayer, v: I64) -> I64:
    """Return what a layer without sequences leaves, (windows, width)."""
    if isinstance(layer, BidirectionalLayer):
        return np.concatenate([v[:, -1, : layer.units], v[:, 0, layer.units :]], axis=1)
    return v[:, -1]


def dense_scores(model: QuantizedModel, v: I64) -> I32:
    """Return the scores int32 (..., outputs) of the last recurrent layer's outputs (..., width)."""
    flat = v.reshape(-1, v.shape[-1])
    for index, layer in enumerate(model.dense):
        flat = dense(layer, flat, last=index == len(model.dense) - 1)
    return flat.reshape(*v.shape[:-1], -1).astype(np.int32)


def gates(model: QuantizedModel, x: I16) -> Iterator[tuple[int, int, str, Gates]]:
    """Yield every number of one window, step by step: layer, step, direction, gates.

    Args:
        model: the quantised model.
        x: int16 (steps, channels), one window.
    """
    v = x.astype(np.int64)[None]
    for index, layer in enumerate(model.recurrent):
        parts = [("", layer)] if not isinstance(layer, BidirectionalLayer) else [
            ("forward", layer.forward), ("backward", layer.backward)
        ]  # fmt: skip
        outputs = []
        for direction, cell in parts:
            step, state = step_of(cell), np.zeros((1, cell.state_size), np.int64)
            found = np.empty((1, v.shape[1], cell.units), np.int64)
            order = range(v.shape[1])
            for t in reversed(order) if direction == "backward" else order:
                state, named = step(state, v[:, t])
                found[:, t] = state[:, : cell.units]
                yield index, t, direction, named
            outputs.append(found)
        v = np.concatenate(outputs, axis=2)
