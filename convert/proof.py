"""Proof that no accumulator of a model can overflow (docs/arithmetic.md, section 9)."""

import math

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I64
from rnnedge.errors import RangeError
from rnnedge.spec import MOST_UNITS, DenseLayer, GruLayer, QuantizedModel, RecurrentLayer

LIMIT = 1 << 31
RESULT_LIMIT = 1 << 30
NARROW_LIMIT = 1 << 23
_MARGIN = 1 << 16  # for what rounding adds
_ROOM = 1 << 23  # of a pre-activation: kernels add 128 to its upper half before they limit it
UINT16_MAX, UINT8_MAX = 65535, 255


def prove(model: QuantizedModel) -> None:
    """Check the bound of every row of every layer, for all inputs and states.

    Raises:
        RangeError: names layer, row and by how many bits the row is too large, or what does not
            fit the 16-bit counts of rnnedge.h.
    """
    widest = max([cell.units for cell in model.cells] + [dense.units for dense in model.dense])
    for what, count, most in (
        ("time steps of a window", model.window, UINT16_MAX),
        ("input channels", model.input.channels, UINT16_MAX),
        ("outputs", model.outputs, UINT16_MAX),
        ("state values", sum(layer.state_size for layer in model.cells), UINT16_MAX),
        ("units of a layer", widest, MOST_UNITS),
        ("recurrent layers", len(model.recurrent), UINT8_MAX),
        ("dense layers", len(model.dense), UINT8_MAX),
    ):
        if count > most:
            raise RangeError(f"{count} {what}, the firmware counts to {most}; use fewer")
    for index, cell in enumerate(model.cells):
        _prove_cell(cell, f"recurrent layer {index} ({cell.kind})")
    for index, dense in enumerate(model.dense):
        _prove_dense(dense, f"dense layer {index}")


def bounds(layer: RecurrentLayer) -> dict[str, I64]:
    """Return the bound of every row's accumulator, by gate: int64 (H,) each.

    A GRU with reset_after has "n (input)" and "n (recurrent)" beside their sum, "n".
    """
    H = layer.units
    x_limit = 128 << layer.x_shift if layer.input_bits == 8 else 1 << 15
    x_part = _row_sums(layer.W) * x_limit
    h_part = _row_sums(layer.U) * (128 << layer.h_shift)
    bias = np.abs(layer.bias.astype(np.int64))
    total = x_part + h_part + bias[: x_part.size]
    found = {gate: total[i * H : (i + 1) * H] for i, gate in enumerate(layer.GATES)}
    if isinstance(layer, GruLayer) and layer.reset_after:
        found["n (input)"] = x_part[2 * H :] + bias[2 * H : 3 * H]
        found["n (recurrent)"] = h_part[2 * H :] + bias[3 * H :]
        found["n"] = found["n (input)"] + found["n (recurrent)"]
    return found


def is_narrow(layer: RecurrentLayer) -> bool:
    """Tell whether all accumulators of a layer fit 24 bits and its inputs 8."""
    return layer.input_bits == 8 and all(
        int(bound.max()) < NARROW_LIMIT for bound in bounds(layer).values()
    )


def _prove_cell(layer: RecurrentLayer, where: str) -> None:
    H = layer.units
    multiplier = layer.multiplier.astype(np.int64)
    for gate, bound in bounds(layer).items():
        rows = [f"{where}, gate {gate}, unit {unit}" for unit in range(H)]
        _require(bound + _MARGIN, LIMIT, rows, "accumulator")
        if gate in layer.GATES:
            i = layer.GATES.index(gate)
            scaled = ((bound >> layer.acc_shift) + 1) * multiplier[i * H : (i + 1) * H]
            _require(scaled + _MARGIN + _ROOM, LIMIT, rows, "pre-activation")


def _prove_dense(layer: DenseLayer, where: str) -> None:
    bound = _row_sums(layer.W) * (1 << 15) + np.abs(layer.bias.astype(np.int64))
    rows = [f"{where}, output {row}" for row in range(layer.units)]
    _require(bound, LIMIT, rows, "accumulator")
    _require((bound * layer.multiplier.astype(np.int64)) >> 16, RESULT_LIMIT, rows, "score")


def _row_sums(W: npt.NDArray[np.int8]) -> I64:
    return np.asarray(np.abs(W.astype(np.int64)).sum(axis=1), dtype=np.int64)


def _require(bound: I64, limit: int, rows: list[str], what: str) -> None:
    worst = int(np.argmax(bound))
    if bound[worst] >= limit:
        excess = math.log2(int(bound[worst]) / limit)
        raise RangeError(
            f"{rows[worst]}: the {what} can overflow by {max(excess, 0.1):.1f} bits; "
            "train with fewer units or inputs, or with weight decay"
        )
