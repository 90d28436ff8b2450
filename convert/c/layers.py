"""The constants of each layer kind as C, and what a model lists for it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnnedge.convert.c.text import array
from rnnedge.spec import DenseLayer, GruLayer

Blocks = list[tuple[str, npt.NDArray[np.integer]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerC:
    """One layer in C.

    Attributes:
        arrays: definitions of its constants.
        struct: definition of its parameter struct.
        step: name of the runtime's step function.
        scratch: int16 values of scratch that a step needs.
    """

    arrays: tuple[str, ...]
    struct: str
    step: str
    scratch: int


def gru(layer: GruLayer, prefix: str) -> LayerC:
    """Return a GRU layer's constants; `prefix` starts every name."""
    H, columns = layer.units, layer.inputs
    gates = ["z", "r", "n"]
    rows = ["z", "r", "n, input", "n, recurrent"] if layer.reset_after else gates

    def parts(values: npt.NDArray[np.integer], labels: list[str]) -> Blocks:
        return [(label, values[i * H : (i + 1) * H]) for i, label in enumerate(labels)]

    w, u, bias, multiplier = (f"{prefix}_{part}" for part in ("w", "u", "bias", "multiplier"))
    arrays = (
        array(
            f"static const int8_t {w}[3 * {H} * {columns}]",
            f"Input weights (3*{H}, {columns}), gate order z r n, one scale per row",
            parts(layer.W, gates),
        ),
        array(
            f"static const int8_t {u}[3 * {H} * {H}]",
            f"Recurrent weights (3*{H}, {H}), gate order z r n, one scale per row",
            parts(layer.U, gates),
        ),
        array(
            f"static const int32_t {bias}[{layer.rows}]",
            f"Bias ({layer.rows}), accumulator format, rounding half included",
            parts(layer.bias, rows),
        ),
        array(
            f"static const int16_t {multiplier}[{layer.rows}]",
            f"Row scales ({layer.rows}), times 2^-{5 + layer.shift}",
            parts(layer.multiplier, rows),
        ),
    )
    struct = "\n".join(
        [
            f"static const rnnedge_gru {prefix} = {{",
            f"    .units = {H},",
            f"    .inputs = {columns},",
            f"    .reset_after = {int(layer.reset_after)},",
            f"    .input_bits = {layer.input_bits},",
            f"    .input_shift = {layer.input_shift},",
            f"    .shift = {layer.shift},",
            f"    .w = {w},",
            f"    .u = {u},",
            f"    .bias = {bias},",
            f"    .multiplier = {multiplier},",
            "};",
        ]
    )
    # bytes: x8 if the input is narrowed, h8, g8 without reset_after (firmware/src/gru.c)
    narrowed = (columns if layer.input_bits == 8 else 0) + (1 if layer.reset_after else 2) * H
    step = "rnnedge_gru_step_after" if layer.reset_after else "rnnedge_gru_step_before"
    return LayerC(arrays=arrays, struct=struct, step=step, scratch=(narrowed + 1) // 2)


def dense(layer: DenseLayer, prefix: str) -> LayerC:
    """Return the head's constants; `prefix` starts every name."""
    w, bias, multiplier = (f"{prefix}_{part}" for part in ("w", "bias", "multiplier"))
    units, columns = layer.units, layer.inputs
    arrays = (
        array(
            f"static const int8_t {w}[{units} * {columns}]",
            f"Weights ({units}, {columns}), one scale per row",
            [("", layer.W)],
        ),
        array(
            f"static const int32_t {bias}[{units}]",
            f"Bias ({units}), accumulator format, rounding half included",
            [("", layer.bias)],
        ),
        array(
            f"static const int16_t {multiplier}[{units}]",
            f"Row scales ({units}), times 2^-{layer.fraction_bits + 1}",
            [("", layer.multiplier)],
        ),
    )
    struct = "\n".join(
        [
            f"static const rnnedge_dense {prefix} = {{",
            f"    .units = {units},",
            f"    .inputs = {columns},",
            f"    .w = {w},",
            f"    .bias = {bias},",
            f"    .multiplier = {multiplier},",
            "};",
        ]
    )
    return LayerC(arrays=arrays, struct=struct, step="", scratch=0)


RECURRENT: dict[str, Callable[[GruLayer, str], LayerC]] = {"gru": gru}
