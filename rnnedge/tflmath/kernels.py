"""TensorFlow Lite Micro's reference kernels in NumPy, bit for bit, one function an operator.

Each takes what an operator has (`Node`) and the values of its inputs, and returns the values of its
outputs. Sources: the equations of the kernels that the pinned interpreter is built from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I64
from rnnedge.errors import ModelError
from rnnedge.tflmath.file import Operator, Tensor
from rnnedge.tflmath.fixedpoint import (
    LIMITS,
    activation_range,
    multiply,
    multiply_wide,
    quantize_multiplier,
    smaller_than_one,
    wrap32,
)
from rnnedge.tflmath.nonlinear import argument16, check_gate, sigmoid8, sigmoid16, tanh8, tanh16

Values = npt.NDArray[Any]
_DTYPES = {"INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "BOOL": np.bool_}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An operator with its tensors.

    Attributes:
        operator: name and options.
        inputs: None for one that is left out.
        outputs: as many as the operator has.
    """

    operator: Operator
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]

    def input(self, index: int) -> Tensor:
        """Return an input that must be there.

        Raises:
            ModelError: it is not.
        """
        tensor = self.inputs[index] if index < len(self.inputs) else None
        if tensor is None:
            raise ModelError(f"{self.operator.name} has no input {index}")
        return tensor

    def activation(self) -> str:
        """Return the fused activation."""
        return str(self.operator.options.get("fusedActivationFunction", "NONE"))

    def unsupported(self) -> ModelError:
        """Return the error of types that have no reference here."""
        kinds = ", ".join(t.type if t else "none" for t in self.inputs)
        return ModelError(f"{self.operator.name} of {kinds} has no reference in rnnedge.tflmath")


def fully_connected(node: Node, values: Sequence[Values | None]) -> list[Values]:
    """int8 x int8 with int32 bias, or int16 x int8 with int64 (or int32) bias."""
    x, w, out = node.input(0), node.input(1), node.outputs[0]
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    if (x.type, w.type, out.type) not in (("INT8",) * 3, ("INT16", "INT8", "INT16")):
        raise node.unsupported()
    narrow = x.type == "INT8" or (bias is not None and bias.type == "INT32")
    if w.quantization is None or w.zero_point:
        raise ModelError(f"FULLY_CONNECTED: weights {w.name!r} are not symmetric")
    if len(w.quantization.scale) > 1:
        pairs = [quantize_multiplier(x.scale * scale / out.scale) for scale in w.quantization.scale]
    else:
        product = x.scale * w.scale
        pairs = [quantize_multiplier(product / out.scale)]
    weights = _integers(values[1])
    sums = affine(
        _integers(values[0]).reshape(-1, weights.shape[-1]) - x.zero_point,
        weights.reshape(-1, weights.shape[-1]),
        None if bias is None else _integers(values[2]),
        tuple(np.array(pairs, np.int64).T),
        narrow=narrow,
    )
    low, high = activation_range(node.activation(), out.scale, out.zero_point, out.type)
    return [_shaped(np.clip(sums + out.zero_point, low, high), out)]


def affine(
    x: I64, weights: I64, bias: I64 | None, multiplier: tuple[Any, Any], *, narrow: bool
) -> I64:
    """Return the scaled sums of a product: int32 (n, rows).

    Args:
        x: (n, columns), zero point subtracted.
        weights: (rows, columns).
        bias: (rows,), or None.
        multiplier: mantissa and shift, each one or one a row.
        narrow: whether the accumulator has 32 bits, not 64.
    """
    sums = x @ weights.T
    if bias is not None:
        sums = sums + bias
    return multiply(wrap32(sums), *multiplier) if narrow else multiply_wide(sums, *multiplier)


def add(node: Node, values: Sequence[Values | None]) -> list[Values]:
    """int8 and int16 with any scales, int32 without; broadcasts."""
    return _sum(node, values, 1)


def sub(node: Node, values: Sequence[Values | None]) -> list[Values]:
    """int8 and int16 with any scales, int32 without; broadcasts."""
    return _sum(node, values, -1)


def _sum(node: Node, values: Sequence[Values | None], sign: int) -> list[Values]:
    a, b, out = node.input(0), node.input(1), node.outputs[0]
    if not a.type == b.type == out.type:
        raise node.unsupported()
    x, y = _integers(values[0]), _integers(values[1])
    if out.type == "INT32":
        return [_shaped(wrap32(x + sign * y), out)]
    if out.type not in ("INT8", "INT16"):
        raise node.unsupported()
    shift = 15 if out.type == "INT16" else 20
    factors = _sum_factors(a.scale, b.scale, out.scale, shift)
    scaled_x = multiply((x - a.zero_point) << shift, *factors[0])
    scaled_y = multiply((y - b.zero_point) << shift, *factors[1])
    raw = multiply(wrap32(scaled_x + sign * scaled_y), *factors[2]) + out.zero_point
    low, high = activation_range(node.activation(), out.scale, out.zero_point, out.type)
    return [_shaped(np.clip(raw, low, high), out)]


def _sum_factors(a: float, b: float, out: float, shift: int) -> list[tuple[int, int]]:
    """Return the multipliers of both inputs and of the sum."""
    twice = 2 * max(a, b)
    return [smaller_than_one(real) for real in (a / twice, b / twice, twice / (2.0**shift * out))]


def mul(node: Node, values: Sequence[Values | None]) -> list[Values]:
    """int8 and int16 with any scales, int32 without; broadcasts."""
    a, b, out = node.input(0), node.input(1), node.outputs[0]
    if not a.type == b.type == out.type:
        raise node.unsupported()
    x, y = _integers(values[0]), _integers(values[1])
    if out.type == "INT32" and node.activation() == "NONE":
        return [_shaped(wrap32(x * y), out)]
    if out.type not in ("INT8", "INT16"):
        raise node.unsupported()
    factor = quantize_multiplier(a.scale * b.scale / out.scale)
    raw = multiply((x - a.zero_point) * (y - b.zero_point), *factor) + out.zero_point
    low, high = activation_range(node.activation(), out.scale, out.zero_point, out.type)
    return [_shaped(np.clip(raw, low, high), out)]


def logistic(node: Node, values: Sequence[Values | None]) -> list[Values]:
    """int8 to scale 2**-8 and zero point -128; int16 to scale 2**-15."""
    x, out = node.input(0), node.outputs[0]
    if x.type == out.type == "INT16":
        check_gate(out.scale)
        y = sigmoid16(_integers(values[0]), *argument16(x.scale, (0,)))
    elif x.type == out.type == "INT8" and out.zero_point == -128:
        y = sigmoid8(_integers(values[0]), x.scale, x.zero_point)
    else:
        raise node.unsupported()
    return [_shaped(y, out)]


def tanh(node: Node, values: Sequence[Values | None]) -> list[Values]:
    """int8 to scale 2**-7, int16 to scale 2**-15."""
    x, out = node.input(0), node.outputs[0]
    if x.type == out.type == "INT16":
        check_gate(out.scale)
        y = tanh16(_integers(values[0]), *argument16(x.scale, (0, 1)))
    elif x.type == out.type == "INT8":
        y = tanh8(_integers(values[0]), x.scale, x.zero_point)
    else:
        raise node.unsupported()
    return [_shaped(y, out)]


def relu(node: Node, values: Sequence[Values | None]) -> list[Values]:
    """int8 and int16, rescaled to the output's scale."""
    x, out = node.input(0), node.outputs[0]
    if x.type != out.type or out.type not in ("INT8", "INT16"):
        raise node.unsupported()
    factor = quantize_multiplier(x.scale / out.scale)
    raw = multiply(_integers(values[0]) - x.zero_point, *factor) + out.zero_point
    low, high = LIMITS[out.type]
    return [_shaped(np.clip(raw, max(low, out.zero_point), high), out)]


def quantize(node: Node, values: Sequence[Values | None]) -> list[Values]:
    """int8, int16 or int32 to another scale or width."""
    x, out = node.input(0), node.outputs[0]
    if x.type not in LIMITS or out.type not in LIMITS:
        raise node.unsupported()
    factor = quantize_multiplier(x.scale / out.scale)
    raw = multiply(_integers(values[0]) - x.zero_point, *factor) + out.zero_point
    return [_shaped(np.clip(raw, *LIMITS[out.type]), out)]


def less(node: Node, values: Sequence[Values | None]) -> list[Values]:
    """int32."""
    if node.input(0).type != "INT32" or node.input(1).type != "INT32":
        raise node.unsupported()
    return [_shaped(np.less(_integers(values[0]), _integers(values[1])), node.outputs[0])]


def split(node: Node, values: Sequence[Values | None]) -> list[Values]:
    """Equal parts along a constant axis."""
    axis, x = int(_integers(values[0]).reshape(-1)[0]), _array(values[1])
    parts = np.split(x, len(node.outputs), axis)
    return [part.reshape(out.shape) for part, out in zip(parts, node.outputs, strict=True)]


def slice_(node: Node, values: Sequence[Values | None]) -> list[Values]:
    """A box; a size of -1 reaches to the end."""
    x = _array(values[0])
    begins, sizes = (_integers(v).reshape(-1).tolist() for v in values[1:3])
    box = tuple(
        slice(begin, whole if size == -1 else begin + size)
        for begin, size, whole in zip(begins, sizes, x.shape, strict=True)
    )
    return [x[box].reshape(node.outputs[0].shape)]


def reshape(node: Node, values: Sequence[Values | None]) -> list[Values]:
    """The shape is the output tensor's."""
    return [_array(values[0]).reshape(node.outputs[0].shape)]


def concatenation(node: Node, values: Sequence[Values | None]) -> list[Values]:
    """Along an axis, without rescaling."""
    if node.activation() != "NONE":
        raise node.unsupported()
    joined = np.concatenate([_array(v) for v in values], int(node.operator.options["axis"]))
    return [joined.reshape(node.outputs[0].shape)]


def _array(values: Values | None) -> Values:
    if values is None:
        raise ModelError("an operator reads a tensor that nothing has written")
    return values


def _integers(values: Values | None) -> I64:
    return np.asarray(_array(values), np.int64)


def _shaped(values: Any, out: Tensor) -> Values:
    return np.asarray(values).astype(_DTYPES[out.type]).reshape(out.shape)


Kernel = Callable[[Node, Sequence[Values | None]], list[Values]]
KERNELS: dict[str, Kernel] = {
    "ADD": add,
    "CONCATENATION": concatenation,
    "FULLY_CONNECTED": fully_connected,
    "LESS": less,
    "LOGISTIC": logistic,
    "MUL": mul,
    "QUANTIZE": quantize,
    "RELU": relu,
    "RESHAPE": reshape,
    "SLICE": slice_,
    "SPLIT": split,
    "SUB": sub,
    "TANH": tanh,
}
"""The operators without state, by name."""
