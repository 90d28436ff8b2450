"""Proof that no accumulator of a model can overflow (docs/arithmetic.md, section 6)."""

import math

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I64
from rnnedge.errors import RangeError
from rnnedge.spec import DenseLayer, GruLayer, QuantizedModel

ACC_LIMIT = 1 << 31
RESULT_LIMIT = 1 << 30
UINT16_MAX = 65535


def prove(model: QuantizedModel) -> None:
    """Check the bound of every row of every layer, for all inputs and states.

    Raises:
        RangeError: names layer, row and by how many bits the row is too large, or what does not
            fit the 16-bit counts of rnnedge.h.
    """
    for what, count in (
        ("time steps of a window", model.window),
        ("input channels", model.input.channels),
        ("outputs", model.outputs),
        ("state values", model.state_size),
        ("rows of a layer", max(layer.bias.size for layer in model.layers)),
    ):
        if count > UINT16_MAX:
            raise RangeError(f"{count} {what}, the firmware counts to {UINT16_MAX}; use fewer")
    for index, layer in enumerate(model.layers):
        where = f"layer {index} ({layer.kind})"
        if isinstance(layer, GruLayer):
            _prove_gru(layer, where)
        else:
            _prove_dense(layer, where)


def _prove_gru(layer: GruLayer, where: str) -> None:
    H = layer.units
    x_limit = 128 if layer.input_bits == 8 else 1 << 15
    product = _row_sums(layer.W) * x_limit
    x_part = product << max(layer.input_shift, 0)
    h_part = _row_sums(layer.U) * 128
    if layer.reset_after:
        names = ["z", "r", "n (input)", "n (recurrent)"]
        bounds = [x_part[: 2 * H] + h_part[: 2 * H], x_part[2 * H :], h_part[2 * H :]]
    else:
        names = ["z", "r", "n"]
        bounds = [x_part + h_part]
    bound = np.concatenate(bounds) + np.abs(layer.bias.astype(np.int64))
    rows = [f"{where}, gate {name}, unit {unit}" for name in names for unit in range(H)]
    _require(bound, ACC_LIMIT, rows, "accumulator")
    _require(_scaled(bound, layer.multiplier, layer.shift), RESULT_LIMIT, rows, "pre-activation")


def _prove_dense(layer: DenseLayer, where: str) -> None:
    bound = _row_sums(layer.W) * (1 << 15) + np.abs(layer.bias.astype(np.int64))
    rows = [f"{where}, output {row}" for row in range(layer.units)]
    _require(bound, ACC_LIMIT, rows, "accumulator")
    _require(_scaled(bound, layer.multiplier, 16), RESULT_LIMIT, rows, "score")


def _row_sums(W: npt.NDArray[np.int8]) -> I64:
    return np.asarray(np.abs(W.astype(np.int64)).sum(axis=1), dtype=np.int64)


def _scaled(bound: I64, multiplier: npt.NDArray[np.int16], shift: int) -> I64:
    return np.asarray((bound * multiplier.astype(np.int64)) >> shift, dtype=np.int64)


def _require(bound: I64, limit: int, rows: list[str], what: str) -> None:
    worst = int(np.argmax(bound))
    if bound[worst] >= limit:
        excess = math.log2(int(bound[worst]) / limit)
        raise RangeError(
            f"{rows[worst]}: the {what} can overflow by {max(excess, 0.1):.1f} bits; "
            "train with fewer units or inputs, or with weight decay"
        )
