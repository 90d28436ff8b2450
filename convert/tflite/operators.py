"""One function per operator of the graphs: it adds the operator and returns its output.

All of them are accepted by the reference kernels of TFLite Micro and by those of CMSIS-NN, in the
types that the functions take.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnedge.convert.tflite.writer import Graph, Tensor

_RELU, _TANH = 1, 4  # schema.ActivationFunctionType


def fully_connected(
    graph: Graph, name: str, x: Tensor, w: Tensor, bias: Tensor | None, scale: float
) -> Tensor:
    """Add ``w x + bias``, int8 (rows, columns) w; (1, rows) of the type of x.

    An int16 x takes an int64 bias and one scale for all rows, an int8 x an int32 bias.
    """
    out = graph.tensor(name, (1, w.shape[0]), x.dtype, scale)
    graph.operator("FULLY_CONNECTED", [x, w, bias], [out], "FullyConnected")
    return out


def add(
    graph: Graph, name: str, a: Tensor, b: Tensor, scale: float | None, *, relu: bool = False
) -> Tensor:
    """Add ``a + b``: int16 with any scales, or int32 with none."""
    return _binary(graph, "ADD", name, a, b, scale, relu, potScaleInt16=False)


def sub(graph: Graph, name: str, a: Tensor, b: Tensor, scale: float | None) -> Tensor:
    """Add ``a - b``, int16 or int32."""
    return _binary(graph, "SUB", name, a, b, scale, relu=False, potScaleInt16=False)


def mul(
    graph: Graph, name: str, a: Tensor, b: Tensor, scale: float, *, relu: bool = False
) -> Tensor:
    """Add the product element by element, int16."""
    return _binary(graph, "MUL", name, a, b, scale, relu)


def logistic(graph: Graph, name: str, x: Tensor) -> Tensor:
    """Add the sigmoid: int16 Q3.12 in, Q0.15 out."""
    return _unary(graph, "LOGISTIC", name, x, "int16", 2.0**-15, None)


def tanh(graph: Graph, name: str, x: Tensor) -> Tensor:
    """Add the hyperbolic tangent: int16 of a power of two in, Q0.15 out."""
    return _unary(graph, "TANH", name, x, "int16", 2.0**-15, None)


def quantize(graph: Graph, name: str, x: Tensor, dtype: str, scale: float) -> Tensor:
    """Round int8 or int16 `x` to another type and scale, saturated."""
    return _unary(graph, "QUANTIZE", name, x, dtype, scale, "Quantize")


def less(graph: Graph, name: str, a: Tensor, b: Tensor) -> Tensor:
    """Add ``a < b``, int32 in, bool out."""
    out = graph.tensor(name, a.shape, "bool", None)
    graph.operator("LESS", [a, b], [out], "Less")
    return out


def split(graph: Graph, names: Sequence[str], x: Tensor) -> list[Tensor]:
    """Cut (1, n) `x` into equal parts."""
    shape = (1, x.shape[1] // len(names))
    axis = graph.constant("axis", np.array([1], np.int32))
    parts = [graph.tensor(name, shape, x.dtype, x.scale) for name in names]
    graph.operator("SPLIT", [axis, x], parts, "Split", numSplits=len(parts))
    return parts


def slice_at(
    graph: Graph, name: str, x: Tensor, begin: Tensor, size: Tensor, shape: Sequence[int]
) -> Tensor:
    """Take a part of `x` of the given shape; int32 `begin` and `size`, one value a dimension."""
    out = graph.tensor(name, shape, x.dtype, x.scale)
    graph.operator("SLICE", [x, begin, size], [out], "Slice")
    return out


def part(graph: Graph, name: str, x: Tensor, begin: Sequence[int], shape: Sequence[int]) -> Tensor:
    """Take the part of `x` that begins at a constant place."""
    start = graph.constant(f"{name}_begin", np.array(begin, np.int32))
    size = graph.constant(f"{name}_size", np.array(shape, np.int32))
    return slice_at(graph, name, x, start, size, shape)


def concatenation(graph: Graph, name: str, parts: Sequence[Tensor], axis: int) -> Tensor:
    """Put tensors of one type and scale side by side."""
    first = parts[0]
    shape = list(first.shape)
    shape[axis] = sum(tensor.shape[axis] for tensor in parts)
    out = graph.tensor(name, shape, first.dtype, first.scale)
    graph.operator("CONCATENATION", parts, [out], "Concatenation", axis=axis)
    return out


def reshape(graph: Graph, name: str, x: Tensor, shape: Sequence[int]) -> Tensor:
    """Give `x` another shape."""
    out = graph.tensor(name, shape, x.dtype, x.scale)
    graph.operator("RESHAPE", [x], [out], "Reshape", newShape=list(shape))
    return out


def while_loop(
    graph: Graph, names: Sequence[str], state: Sequence[Tensor], cond: Graph, body: Graph
) -> list[Tensor]:
    """Repeat `body` on `state` while `cond` holds."""
    outs = [
        graph.tensor(name, tensor.shape, tensor.dtype, tensor.scale)
        for name, tensor in zip(names, state, strict=True)
    ]
    options = {"condSubgraphIndex": cond.index, "bodySubgraphIndex": body.index}
    graph.operator("WHILE", state, outs, "While", **options)
    return outs


def sequence_lstm(
    graph: Graph, name: str, inputs: Sequence[Tensor | None], units: int, scale: float, clip: float
) -> Tensor:
    """Add the fused LSTM over a window (1, steps, inputs); (1, steps, units), every h.

    Args:
        graph: main graph.
        name: of the output.
        inputs: the operator's 24 inputs, the first of them the window.
        units: H.
        scale: of the output.
        clip: limit of the cell state. 0 means "none" to the reference kernel and "always zero" to
            CMSIS-NN, so it is a positive one that never acts.
    """
    x = inputs[0]
    if x is None:
        raise ValueError("a fused LSTM reads a window")
    out = graph.tensor(name, (*x.shape[:2], units), x.dtype, scale)
    options = {"fusedActivationFunction": _TANH, "cellClip": clip, "projClip": 0.0}
    graph.operator(
        "UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [out], "UnidirectionalSequenceLSTM", **options
    )
    return out


def call_once(graph: Graph, init: Graph) -> None:
    """Run `init` before the first invocation."""
    graph.operator("CALL_ONCE", [], [], "CallOnce", initSubgraphIndex=init.index)


def variable_handle(graph: Graph, name: str) -> Tensor:
    """Return the handle of the resource variable called `name`."""
    out = graph.tensor(f"{name}_handle", (1,), "resource", None)
    graph.operator("VAR_HANDLE", [], [out], "VarHandle", container="", sharedName=name)
    return out


def read_variable(
    graph: Graph, name: str, handle: Tensor, shape: Sequence[int], scale: float
) -> Tensor:
    """Return the int16 content of a resource variable."""
    out = graph.tensor(name, shape, "int16", scale)
    graph.operator("READ_VARIABLE", [handle], [out], "ReadVariable")
    return out


def assign_variable(graph: Graph, handle: Tensor, value: Tensor) -> None:
    """Write a resource variable."""
    graph.operator("ASSIGN_VARIABLE", [handle, value], [], "AssignVariable")


def _unary(
    graph: Graph, op: str, name: str, x: Tensor, dtype: str, scale: float, options: str | None
) -> Tensor:
    out = graph.tensor(name, x.shape, dtype, scale)
    graph.operator(op, [x], [out], options)
    return out


def _binary(
    graph: Graph,
    op: str,
    name: str,
    a: Tensor,
    b: Tensor,
    scale: float | None,
    relu: bool,
    **options: Any,
) -> Tensor:
    if relu:
        options["fusedActivationFunction"] = _RELU
    out = graph.tensor(name, a.shape, a.dtype, scale)
    graph.operator(op, [a, b], [out], op.title(), **options)
    return out
