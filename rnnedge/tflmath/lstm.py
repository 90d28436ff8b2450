"""UNIDIRECTIONAL_SEQUENCE_LSTM with int8 or int16 activations, int8 weights and an int16 cell."""

from dataclasses import dataclass

import numpy as np

from rnnedge.arrays import I64
from rnnedge.errors import ModelError
from rnnedge.tflmath.file import Tensor
from rnnedge.tflmath.fixedpoint import LIMITS, is_power_of_two, multiply, quantize_multiplier
from rnnedge.tflmath.kernels import Node, Values, affine
from rnnedge.tflmath.nonlinear import sigmoid16, tanh16

HIDDEN, CELL = 18, 19
"""Inputs that are the state."""
_GATES = {"i": 0, "f": 1, "g": 2, "o": 3}  # input, forget, candidate ("cell"), output
_LEFT_OUT = (*range(9, 12), *range(16, 18), *range(20, 24))  # peepholes, projection, norms
_PREACTIVATION, _GATE = 2.0**-12, 2.0**-15
_LOW, _HIGH = LIMITS["INT16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gate:
    """One gate's constants."""

    W: I64
    U: I64
    bias: I64
    input_factor: tuple[int, int]
    state_factor: tuple[int, int]


def sequence_lstm(node: Node, values: list[Values | None]) -> tuple[Values, Values, Values]:
    """Run a sequence.

    Args:
        node: the operator.
        values: of its 24 inputs; the state is the one before the sequence.

    Returns:
        Output, and hidden and cell state after the last step.

    Raises:
        ModelError: a variant that TFLM does not run, or types that have no reference here.
    """
    _check(node)
    x, h, c = (np.asarray(values[i], np.int64) for i in (0, HIDDEN, CELL))
    time_major = bool(node.operator.options.get("timeMajor"))
    steps = x if time_major else x.swapaxes(0, 1)  # (T, B, inputs)
    h, c = (state.reshape(steps.shape[1], -1) for state in (h, c))
    cell = _Cell(node, values)
    out = []
    for step in steps:
        h, c = cell.step(step, h, c)
        out.append(h)
    y = np.stack(out) if time_major else np.stack(out, axis=1)
    hidden = node.input(HIDDEN)
    kind = np.int8 if hidden.type == "INT8" else np.int16
    return (
        y.astype(kind).reshape(node.outputs[0].shape),
        h.astype(kind).reshape(hidden.shape),
        c.astype(np.int16).reshape(node.input(CELL).shape),
    )


class _Cell:
    """The step, with every multiplier as the kernel prepares it."""

    def __init__(self, node: Node, values: list[Values | None]) -> None:
        x, hidden, cell = node.input(0), node.input(HIDDEN), node.input(CELL)
        self._narrow = x.type == "INT8"
        self._x_zero, self._h_zero = x.zero_point, hidden.zero_point
        self._h_limits = LIMITS[hidden.type]
        self._gates = {
            name: _Gate(
                W=np.asarray(values[1 + index], np.int64),
                U=np.asarray(values[5 + index], np.int64),
                bias=np.asarray(values[12 + index], np.int64),
                input_factor=_factor(x, node.input(1 + index)),
                state_factor=_factor(hidden, node.input(5 + index)),
            )
            for name, index in _GATES.items()
        }
        self._forget = quantize_multiplier(_GATE * cell.scale / cell.scale)
        self._update = quantize_multiplier(_GATE * _GATE / cell.scale)
        self._hide = quantize_multiplier(_GATE * _GATE / hidden.scale)
        _, power = is_power_of_two(cell.scale)
        shift = 15 + power - 3
        self._tanh = (0, shift) if shift >= 0 else (3, -shift)
        clip = float(np.float32(node.operator.options.get("cellClip", 0.0)))
        self._clip = int(min(max(clip / cell.scale, _LOW), _HIGH)) if clip > 0 else None

    def step(self, x: I64, h: I64, c: I64) -> tuple[I64, I64]:
        """Return hidden and cell state after one step of (B, inputs)."""
        f = sigmoid16(self._preactivation("f", x, h), 0, 0)
        i = sigmoid16(self._preactivation("i", x, h), 0, 0)
        g = tanh16(self._preactivation("g", x, h), 0, 0)
        kept = _saturated(multiply(f * c, *self._forget))
        c = _saturated(kept + _saturated(multiply(i * g, *self._update)))
        if self._clip is not None:
            c = np.clip(c, -self._clip, self._clip)
        o = sigmoid16(self._preactivation("o", x, h), 0, 0)
        hidden = multiply(tanh16(c, *self._tanh) * o, *self._hide) + self._h_zero
        return np.clip(hidden, *self._h_limits), c

    def _preactivation(self, name: str, x: I64, h: I64) -> I64:
        gate = self._gates[name]
        from_x = affine(x - self._x_zero, gate.W, gate.bias, gate.input_factor, narrow=self._narrow)
        from_h = affine(h - self._h_zero, gate.U, None, gate.state_factor, narrow=self._narrow)
        return _saturated(_saturated(from_x) + _saturated(from_h))


def _saturated(x: I64) -> I64:
    return np.clip(x, _LOW, _HIGH)


def _factor(x: Tensor, weights: Tensor) -> tuple[int, int]:
    product = x.scale * weights.scale
    return quantize_multiplier(product / _PREACTIVATION)


def _check(node: Node) -> None:
    if len(node.inputs) != 24 or len(node.outputs) != 1:
        raise ModelError("UNIDIRECTIONAL_SEQUENCE_LSTM has not 24 inputs and one output")
    for index in _LEFT_OUT:
        if node.inputs[index] is not None:
            raise ModelError(
                "UNIDIRECTIONAL_SEQUENCE_LSTM with peepholes, projection or layer norm"
            )
    x = node.input(0)
    weights = [node.input(index) for index in range(1, 9)]
    biases = [node.input(index) for index in range(12, 16)]
    wide = {"INT8": "INT32", "INT16": "INT64"}.get(x.type)
    kinds = {x.type, node.input(HIDDEN).type, node.outputs[0].type}
    if (
        kinds != {x.type}
        or {w.type for w in weights} != {"INT8"}
        or {b.type for b in biases} != {wide}
        or node.input(CELL).type != "INT16"
        or node.activation() != "TANH"
    ):
        raise node.unsupported()
    for w in weights:
        if w.quantization is None or len(w.quantization.scale) != 1 or w.zero_point:
            raise ModelError(f"UNIDIRECTIONAL_SEQUENCE_LSTM: weights {w.name!r} have no one scale")
    for name, index in (("hidden", HIDDEN), ("cell", CELL)):
        if not node.input(index).variable:
            raise ModelError(f"UNIDIRECTIONAL_SEQUENCE_LSTM: its {name} state is no variable")
