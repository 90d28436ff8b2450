"""The row-gain product: per-row weight scales from kernels that know one scale per tensor.

A FULLY_CONNECTED of int16 activations and the layer's int8 rows gives row-normalised sums: all
rows in one unit, as if every row's scale were 1. A MUL by a constant int16 vector then gives each
row its own scale. That vector is the layer's ``multiplier``, which *is* the row's scale (times a
power of two), so the gain adds no error.

With int8 activations every row has its scale in the FULLY_CONNECTED itself. Its int8 result is
rounded coarsely; from there on all is int16 again.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F64, I8
from rnnedge.convert.tflite import operators as op
from rnnedge.convert.tflite.writer import Graph, Tensor
from rnnedge.errors import RangeError

_FULL = 32767.0
_MANTISSA_BITS = 15  # that the int16 kernels keep of a multiplier
_LARGEST_SHIFT = 6  # of a product's multiplier to the left; the kernels end at 7
_END = 8.0  # where gates and tanh stand still
_FULL8 = 127.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """One product of a sum: a tensor and the int8 rows that it meets.

    Attributes:
        name: prefix of the names of the product's tensors.
        x: int16 or int8 tensor.
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
        full = 2.0**7 if self.x.dtype == "int8" else 2.0**15
        sums: F64 = np.abs(self.weights.astype(np.float64)).sum(axis=1) * (self.unit * full)
        return sums if self.bias is None else sums + np.abs(self.bias)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Each row's scale.

    Attributes:
        rows: int16 (rows,): the real value of a row is ``sum * rows * unit``; may be negative.
        unit: real value of one unit of `rows`.
    """

    rows: npt.NDArray[np.int16]
    unit: float


def seen(graph: Graph, name: str, x: Tensor, precision: str) -> Tensor:
    """Return an int16 activation as products of this precision see it: the top byte, rounded."""
    if precision == "16x8" or x.dtype == "int8":
        return x
    return op.quantize(graph, f"{name}8", x, "int8", x.label * 2.0**8)


def unit_of(x: Tensor, unit: float) -> float:
    """Return the unit of what `seen` made of an int16 tensor whose own unit is `unit`."""
    return unit * 2.0**8 if x.dtype == "int8" else unit


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


def exact_scale(smallest: float) -> float:
    """Return the next scale from `smallest` on that the kernels' multipliers hold exactly."""
    mantissa, exponent = math.frexp(smallest)
    whole = math.ceil(mantissa * 2**_MANTISSA_BITS)
    if whole >= 2**_MANTISSA_BITS - 1:
        whole, exponent = 2 ** (_MANTISSA_BITS - 1), exponent + 1
    whole = max(whole, 2 ** (_MANTISSA_BITS - 1) + 1)  # float32 labels could tip a power of two
    return math.ldexp(float(whole), exponent - _MANTISSA_BITS)


def apply_gain(
    graph: Graph,
    name: str,
    operands: list[Operand],
    gain: Gain,
    out_unit: float,
    *,
    relu: bool = False,
) -> Tensor:
    """Add the sum of `operands` with each row multiplied by its gain.

    Args:
        graph: where to add it.
        name: of the output tensor.
        operands: products with equal numbers of rows, all of int16 or all of int8.
        gain: of each row.
        out_unit: real value of one unit of the output.
        relu: the output is never negative.

    Returns:
        int16 (1, rows) tensor, saturated.

    Raises:
        RangeError: an accumulator of the kernels would overflow.
    """
    if operands[0].x.dtype == "int8":
        return _sum8(graph, name, operands, gain, out_unit, relu)
    unit = row_unit(operands)
    parts = [product(graph, operand, unit) for operand in operands]
    total = parts[0]
    for part in parts[1:]:
        total = op.add(graph, f"{name}_sum", total, part, unit)
    _check_shift(name, operands, unit, gain.rows, unit * gain.unit / out_unit)
    factor = graph.constant(f"{name}_gain", gain.rows[None, :].astype(np.int16), gain.unit)
    return op.mul(graph, name, total, factor, out_unit, relu=relu)


def product(graph: Graph, operand: Operand, unit: float) -> Tensor:
    """Add one int16 product, row-normalised, in a unit that keeps the multiplier exact."""
    name, label = operand.name, operand.x.label
    # The label of the activation may differ from its real unit; the weights' label makes up.
    weight_scale = float(np.float32(operand.unit / label))
    w = graph.constant(f"{name}_w", operand.weights, weight_scale)
    bias = None
    if operand.bias is not None and np.any(operand.bias):
        steps = np.rint(operand.bias / operand.unit).astype(np.int64)
        bias = graph.constant(f"{name}_b", steps, float(np.float32(label)) * weight_scale)
    return op.fully_connected(graph, name, operand.x, w, bias, unit)


def _sum8(
    graph: Graph, name: str, operands: list[Operand], gain: Gain, out_unit: float, relu: bool
) -> Tensor:
    parts = []
    for operand in operands:
        narrow = _product8(graph, name, operand, gain)
        parts.append(op.quantize(graph, f"{operand.name}16", narrow, "int16", out_unit))
    total = parts[0]
    if len(parts) == 1:
        raise ValueError("a sum of int8 products has two of them")
    for part in parts[1:]:
        total = op.add(graph, name, total, part, out_unit, relu=relu)
    return total


def _product8(graph: Graph, name: str, operand: Operand, gain: Gain) -> Tensor:
    """Add one int8 product in real units, limited to what gates and tanh tell apart."""
    label = operand.x.label
    row_scale = np.abs(gain.rows.astype(np.float64)) * gain.unit
    sign = np.where(gain.rows < 0, -1, 1).astype(np.int8)
    weight_scale = np.float32(row_scale * (operand.unit / label)).astype(np.float64)
    w = graph.constant(f"{operand.name}_w", operand.weights * sign[:, None], weight_scale)
    bias = None
    if operand.bias is not None and np.any(operand.bias):
        steps = np.rint(operand.bias / operand.unit) * sign
        if np.abs(steps).max() >= 2.0**30:
            over = math.log2(np.abs(steps).max()) - 30
            raise RangeError(f"{name}: a bias exceeds 30 bits by {over:.1f} bits")
        scale = float(np.float32(label)) * weight_scale
        bias = graph.constant(f"{operand.name}_b", steps.astype(np.int32), scale)
    reach = float(np.max(operand.bound() * row_scale))
    return op.fully_connected(graph, operand.name, operand.x, w, bias, min(reach, _END) / _FULL8)


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
