"""Free steps: a model that takes what it has answered; twins: firmware/src/feed.c and start.c."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F32, I16, I32, I64
from rnnedge.errors import ModelError
from rnnedge.fixedpoint import sat16
from rnnedge.simulator.dense import dense
from rnnedge.simulator.input import embed, quantize
from rnnedge.simulator.model import dense_scores, simulate, step_of
from rnnedge.spec import BidirectionalLayer, EmbeddingLayer, QuantizedModel, RecurrentLayer

Pick = Callable[[I32], I64]
"""From scores int32 (windows, outputs) to ids int64 (windows,)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FreeTrace:
    """Every number that the device also makes, and what each free step took.

    Attributes:
        states: int16 (windows, encoder steps + fed steps + free steps, state_size).
        scores: int32 (windows, answers, outputs), after the last fed step, if there is one, and
            after each free step.
        x: int16 (windows, free steps, channels), the inputs of the free steps.
    """

    states: I16
    scores: I32
    x: I16


class Machine:
    """A streaming model, step by step, for many windows at once."""

    def __init__(self, model: QuantizedModel) -> None:
        """Prepare the layers.

        Raises:
            ModelError: the model is bidirectional.
        """
        self.model = model
        self._layers = tuple(map(_streaming, model.recurrent))
        self._steps = [step_of(layer) for layer in self._layers]

    def step(self, state: I16, x: I16) -> I16:
        """Return the states (windows, state_size) after a step with x (windows, channels)."""
        v, at, after = x.astype(np.int64), 0, []
        for layer, step in zip(self._layers, self._steps, strict=True):
            own, _ = step(state[:, at : at + layer.state_size].astype(np.int64), v)
            after.append(own)
            v, at = own[:, : layer.units], at + layer.state_size
        return np.concatenate(after, axis=1).astype(np.int16)

    def scores(self, state: I16) -> I32:
        """Return the scores int32 (windows, outputs) of states (windows, state_size)."""
        last = self._layers[-1]
        at = state.shape[1] - last.state_size
        return dense_scores(self.model, state[:, at : at + last.units].astype(np.int64))


def _streaming(layer: RecurrentLayer | BidirectionalLayer) -> RecurrentLayer:
    if isinstance(layer, BidirectionalLayer):
        raise ModelError("a bidirectional model sees whole windows; it has no single steps")
    return layer


def largest(scores: I32) -> I64:
    """Return the first largest score's place (windows,) of scores (windows, outputs)."""
    return np.asarray(scores.argmax(axis=-1), np.int64)


def feedback(model: QuantizedModel, scores: I32, pick: Pick = largest) -> I16:
    """Return the input of a free step, of the scores of the step before.

    Args:
        model: one that generates.
        scores: int32 (..., outputs).
        pick: chooses the id of a model of classes; the device takes the largest score.

    Returns:
        int16 (..., channels).

    Raises:
        ModelError: the model does not generate.
    """
    check_generates(model)
    back = model.feedback
    if back is not None:
        wide = scores.astype(np.int64)[..., back.source]
        return sat16((wide * back.multiplier + back.offset) >> back.shift).astype(np.int16)
    if not isinstance(model.input, EmbeddingLayer):
        raise ModelError(f"model {model.name}: its scores do not say what its next input is")
    return embed(model.input, pick(scores))


def check_generates(model: QuantizedModel) -> None:
    """Refuse a model without free steps.

    Raises:
        ModelError: names the model and its task.
    """
    if not model.generates:
        raise ModelError(
            f"model {model.name} (task {model.task}): its outputs are not its next input, so it "
            "cannot run freely; train with --task generate, next or translate"
        )


def first_state(
    model: QuantizedModel,
    features: npt.ArrayLike | None = None,
    encoder_raw: npt.ArrayLike | None = None,
    *,
    windows: int = 1,
) -> I16:
    """Return the states that sequences start from, int16 (windows, state_size).

    Args:
        model: the quantised model.
        features: (windows, features), raw units, of a model with a start; None: from zero.
        encoder_raw: (windows, encoder steps, raw values), of a model with an encoder; it goes on
            from the state that the features made, if there are any.
        windows: number of zero states, where neither is given.

    Raises:
        ModelError: the model has no start or encoder, or not of this shape.
        DataError: a value is NaN, or no id.
    """
    return _first(model, features, encoder_raw, windows)[0]


def _first(
    model: QuantizedModel,
    features: npt.ArrayLike | None,
    encoder_raw: npt.ArrayLike | None,
    windows: int,
) -> tuple[I16, I16]:
    """Return the first states, and those of each encoder step (windows, steps, state_size)."""
    state = np.zeros((windows, model.state_size), np.int16)
    if features is not None:
        state = _started(model, np.asarray(features, np.float32))
    if encoder_raw is None:
        return state, np.empty((len(state), 0, model.state_size), np.int16)
    raw: F32 = np.asarray(encoder_raw, np.float32)
    if model.encoder is None:
        raise ModelError(f"model {model.name}: has no encoder")
    if raw.ndim != 3 or not raw.shape[1]:
        raise ModelError(f"an encoder reads (windows, steps, values), not {raw.shape}")
    first = state if features is not None else None
    states = simulate(model.encoder, quantize(model.encoder.input, raw), first).states
    return states[:, -1], states


def _started(model: QuantizedModel, features: F32) -> I16:
    start = model.start
    if start is None:
        raise ModelError(f"model {model.name}: starts from no features")
    if features.ndim != 2 or features.shape[1] != len(start.names):
        raise ModelError(
            f"features of shape {features.shape}; model {model.name} starts from "
            f"{len(start.names)}: {', '.join(start.names)}"
        )
    x = quantize(start.input, features).astype(np.int64)
    return dense(start.dense, x, last=False).astype(np.int16)


def run_free(
    model: QuantizedModel,
    free: int,
    *,
    x: I16 | None = None,
    features: npt.ArrayLike | None = None,
    encoder_raw: npt.ArrayLike | None = None,
    windows: int = 1,
    pick: Pick = largest,
) -> FreeTrace:
    """Start, encode, feed, then run freely; what is None is left out.

    Args:
        model: the quantised model.
        free: number of free steps.
        x: int16 (windows, fed steps, channels), the inputs of the fed steps.
        features: as of `first_state`.
        encoder_raw: as of `first_state`.
        windows: how many, where none of these says so.
        pick: as of `feedback`.

    Raises:
        ModelError: the model does not generate and `free` is not 0; or a shape does not fit.
        DataError: a value is NaN, or no id.
    """
    if free:
        check_generates(model)
    windows = windows if x is None else len(x)
    state, encoded = _first(model, features, encoder_raw, windows)
    states, scores = [encoded], []
    machine = Machine(model)
    last: I32 | None = None
    if x is not None and x.shape[1]:
        fed = simulate(model, x, state)
        states.append(fed.states)
        state, last = fed.states[:, -1], fed.scores
        scores.append(last)
    inputs = []
    for _ in range(free):
        behind = np.zeros((len(state), model.input.channels), np.int16)
        inputs.append(behind if last is None else feedback(model, last, pick))
        state = machine.step(state, inputs[-1])
        last = machine.scores(state)
        states.append(state[:, None])
        scores.append(last)
    return FreeTrace(
        states=np.concatenate(states, axis=1),
        scores=_stacked(scores, (len(state), 0, model.outputs), np.int32),
        x=_stacked(inputs, (len(state), 0, model.input.channels), np.int16),
    )


def _stacked(
    parts: Sequence[npt.NDArray[Any]], empty: tuple[int, ...], kind: type[np.generic]
) -> npt.NDArray[Any]:
    return np.stack(parts, axis=1) if parts else np.empty(empty, kind)
