"""The constants of each layer kind as C, and what a model lists for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnnedge.convert.c.text import array
from rnnedge.spec import DenseLayer, GruLayer, Layer

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
    gates = ("z", "r", "n")
    rows = ("z", "r", "n, input", "n, recurrent") if layer.reset_after else gates
    arrays = (
        array(
            f"static const int8_t {prefix}_w[3 * {H} * {columns}]",
            f"Input weights (3*{H}, {columns}), gate order z r n, one scale per row",
            _blocks(layer.W, gates),
        ),
        array(
            f"static const int8_t {prefix}_u[3 * {H} * {H}]",
            f"Recurrent weights (3*{H}, {H}), gate order z r n, one scale per row",
            _blocks(layer.U, gates),
        ),
        *_per_row(layer, prefix, rows, 5 + layer.shift),
    )
    struct = _struct(
        "rnnedge_gru",
        prefix,
        units=H,
        inputs=columns,
        reset_after=int(layer.reset_after),
        input_bits=layer.input_bits,
        input_shift=layer.input_shift,
        shift=layer.shift,
        w=f"{prefix}_w",
        u=f"{prefix}_u",
    )
    # bytes: x8 if the input is narrowed, h8, g8 without reset_after (firmware/src/gru.c)
    narrowed = (columns if layer.input_bits == 8 else 0) + (1 if layer.reset_after else 2) * H
    step = "rnnedge_gru_step_after" if layer.reset_after else "rnnedge_gru_step_before"
    return LayerC(arrays=arrays, struct=struct, step=step, scratch=(narrowed + 1) // 2)


def dense(layer: DenseLayer, prefix: str) -> LayerC:
    """Return the head's constants; `prefix` starts every name."""
    units, columns = layer.units, layer.inputs
    arrays = (
        array(
            f"static const int8_t {prefix}_w[{units} * {columns}]",
            f"Weights ({units}, {columns}), one scale per row",
            _blocks(layer.W, ("",)),
        ),
        *_per_row(layer, prefix, ("",), layer.fraction_bits + 1),
    )
    struct = _struct("rnnedge_dense", prefix, units=units, inputs=columns, w=f"{prefix}_w")
    return LayerC(arrays=arrays, struct=struct, step="", scratch=0)


def _blocks(values: npt.NDArray[np.integer], labels: Sequence[str]) -> Blocks:
    """Divide the rows of `values` evenly among `labels`."""
    return list(zip(labels, np.split(values, len(labels)), strict=True))


def _per_row(layer: Layer, prefix: str, labels: Sequence[str], exponent: int) -> tuple[str, str]:
    """Return the arrays that have one value a row: biases, and scales times 2**-exponent."""
    rows = layer.bias.size
    return (
        array(
            f"static const int32_t {prefix}_bias[{rows}]",
            f"Bias ({rows}), accumulator format, rounding half included",
            _blocks(layer.bias, labels),
        ),
        array(
            f"static const int16_t {prefix}_multiplier[{rows}]",
            f"Row scales ({rows}), times 2^-{exponent}",
            _blocks(layer.multiplier, labels),
        ),
    )


def _struct(kind: str, prefix: str, **fields: object) -> str:
    """Return the definition of a layer's parameters; all have bias and multiplier."""
    fields |= {"bias": f"{prefix}_bias", "multiplier": f"{prefix}_multiplier"}
    lines = [f"    .{name} = {value}," for name, value in fields.items()]
    return "\n".join([f"static const {kind} {prefix} = {{", *lines, "};"])


RECURRENT: dict[str, Callable[[GruLayer, str], LayerC]] = {"gru": gru}
