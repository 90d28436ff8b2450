"""The row-gain product: per-row weight scales from kernels that know one scale per tensor.

A FULLY_CONNECTED of int16 activations and the layer's int8 rows gives row-normalised sums: all
rows in one unit, as if every row's scale were 1. A MUL by a constant int16 vector then gives each
row its own scale. That vector is the layer's ``multiplier``, which *is* the row's scale (times a
power of two), so the gain adds no error.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F64, I8
from rnnedge.convert.tflite.writer import Graph, Tensor
from rnnedge.errors import RangeError

_FULL = 32767.0
_MANTISSA_BITS = 15  # that the int16 kernels keep of a multiplier
_LARGEST_SHIFT = 6  # of a product's multiplier to the left; the kernels end at 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """One product of a sum: an int16 tensor and the int8 rows that it meets.

    Attributes:
        name: prefix of the names of the product's tensors.
        x: int16 tensor.
        unit: real value of one unit of `x`, as the weights see it; a power of two.
        weights: int8 (rows, columns).
        bias: float64 (rows,) in row-normalised units (real value over row scale), or None.
    """

    name: str
    x: Tensor
    unit: float
    weights: I8
    bias: F64 | None

    def bound(self) -> F64:
        """Return the largest magnitude of each row: float64 (rows,), row-normalised."""
        sums: F64 = np.abs(self.weights.astype(np.float64)).sum(axis=1) * (self.unit * 2.0**15)
        return sums if self.bias is None else sums + np.abs(self.bias)


def row_unit(operands: list[Operand]) -> float:
    """Return the unit of the row-normalised sum: the largest sum just fits int16.

    The kernels round multipliers to 15 bits. The unit is therefore chosen such that they are
    exact: 1 / unit is a 15-bit integer times a power of two, and all operand units are powers of
    two. The integers next to a power of two are left out, where float32 labels could tip over.

    A bound, not a calibrated range: no input can saturate a sum, and ranges half as wide would
    lower the state's RMS error (1.1e-4 for a GRU-32) by less than a factor of two.
    """
    largest = max(float(np.max(sum(o.bound() for o in operands))), 2.0**-40)
    mantissa, exponent = math.frexp(_FULL / largest)
    whole = min(math.floor(mantissa * 2**_MANTISSA_BITS), 2**_MANTISSA_BITS - 2)
    if whole <= 2 ** (_MANTISSA_BITS - 1):
        whole, exponent = 2**_MANTISSA_BITS - 2, exponent - 1
    unit = math.ldexp(1.0 / whole, _MANTISSA_BITS - exponent)
    coarsest = max(o.unit for o in operands)
    while unit < math.ldexp(coarsest, -_LARGEST_SHIFT):
        unit *= 2.0
    return unit


def normalised_sum(graph: Graph, operands: list[Operand]) -> tuple[Tensor, float]:
    """Add the products of `operands` and their sum.

    Returns:
        int16 (1, rows) tensor, row-normalised, and its unit.
    """
    unit = row_unit(operands)
    parts = [_product(graph, operand, unit) for operand in operands]
    total = parts[0]
    for operand, part in zip(operands[1:], parts[1:], strict=True):
        total = graph.add(f"{operand.name}_sum", total, part, unit)
    return total, unit


def apply_gain(
    graph: Graph,
    name: str,
    operands: list[Operand],
    gain: npt.NDArray[np.int16],
    gain_unit: float,
    out_unit: float,
) -> Tensor:
    """Add the sum of `operands` with each row multiplied by its gain.

    Args:
        graph: where to add it.
        name: of the output tensor.
        operands: products with equal numbers of rows.
        gain: int16 (rows,): the real value of a row is ``sum * gain * gain_unit``.
        gain_unit: real value of one unit of `gain`.
        out_unit: real value of one unit of the output.

    Returns:
        int16 (1, rows) tensor, saturated.

    Raises:
        RangeError: the kernels' 32-bit product of sum and gain would overflow.
    """
    total, unit = normalised_sum(graph, operands)
    _check_shift(name, operands, unit, gain, unit * gain_unit / out_unit)
    factor = graph.constant(f"{name}_gain", gain[None, :].astype(np.int16), gain_unit)
    return graph.mul(name, total, factor, out_unit)


def _product(graph: Graph, operand: Operand, unit: float) -> Tensor:
    name, label = operand.name, _label(operand.x)
    # The label of the activation may differ from its real unit; the weights' label makes up.
    weight_scale = float(np.float32(operand.unit / label))
    w = graph.constant(f"{name}_w", operand.weights, weight_scale)
    bias = None
    if operand.bias is not None and np.any(operand.bias):
        steps = np.rint(operand.bias / operand.unit).astype(np.int64)
        bias = graph.constant(f"{name}_b", steps, float(np.float32(label)) * weight_scale)
    return graph.fully_connected(name, operand.x, w, bias, unit)


def _label(tensor: Tensor) -> float:
    if tensor.scale is None:
        raise ValueError(f"tensor {tensor.index} has no scale")
    return tensor.scale


def _check_shift(
    name: str,
    operands: list[Operand],
    unit: float,
    gain: npt.NDArray[np.int16],
    multiplier: float,
) -> None:
    left = max(math.frexp(multiplier)[1], 0)
    sums = np.minimum(sum(o.bound() for o in operands) / unit, 2.0**15)
    bits = float(np.max(sums * np.abs(gain.astype(np.float64)))) * 2.0**left
    if bits >= 2.0**31:
        over = math.log2(bits) - 31
        raise RangeError(f"{name}: row sums times gain exceed 31 bits by {over:.1f} bits")
