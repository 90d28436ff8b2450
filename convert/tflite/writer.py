"""A small builder of TensorFlow Lite graphs: int16 activations, constants, one method per operator.

Scales are labels that the kernels turn into multipliers; the builder writes them as float32 and
every zero point as 0. All operators here are accepted by both the reference kernels of TFLite
Micro and those of CMSIS-NN in the types that the methods take.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnedge.convert.tflite.schema import BufferTable, Shape, Shared, TensorTable, schema

# The operators of the graphs, with the version that introduced the types used here
# (TensorFlow's op_version.cc).
VERSIONS = {
    "ADD": 3,  # int16 with general scales
    "FULLY_CONNECTED": 7,  # int16 activations; without bias from 6
    "LESS": 1,
    "LOGISTIC": 3,
    "MUL": 4,
    "RESHAPE": 1,
    "SLICE": 4,
    "SPLIT": 4,
    "SUB": 5,
    "TANH": 3,
    "WHILE": 1,
}
OPERATORS = tuple(VERSIONS)
"""What an interpreter must provide; every window model uses all of them."""
_FILE_IDENTIFIER = b"TFL3"
_SCHEMA_VERSION = 3
_TYPES = {"int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64", "bool": "BOOL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A tensor of one graph.

    Attributes:
        index: position in the graph's list of tensors.
        shape: its dimensions.
        dtype: int8, int16, int32, int64 or bool.
        scale: real value of one unit; None for counters and truth values.
    """

    index: int
    shape: tuple[int, ...]
    dtype: str
    scale: float | None


class Model:
    """A model under construction: buffers, operator codes and graphs.

    Equal constants, scales and shapes are stored once. The order of all calls decides the bytes.
    """

    def __init__(self) -> None:
        self._graphs: list[Graph] = []
        self._codes: dict[str, int] = {}
        self._buffers: dict[bytes, int] = {b"": 0}
        self._shared: dict[object, Shared] = {}
        self._shapes: dict[tuple[int, ...], Shape] = {}
        self._metadata: list[Any] = []

    def graph(self, name: str) -> "Graph":
        """Add an empty subgraph; the first one is the main graph."""
        self._graphs.append(Graph(self, len(self._graphs), name))
        return self._graphs[-1]

    def metadata(self, name: str, content: bytes) -> None:
        """Attach `content` under `name`; interpreters ignore it."""
        self._metadata.append(schema().MetadataT(name=name, buffer=self.buffer(content)))

    def pack(self, description: str) -> bytes:
        """Return the finished file; call it once."""
        import flatbuffers

        s = schema()
        codes = [
            s.OperatorCodeT(
                deprecatedBuiltinCode=min(code, 127), builtinCode=code, version=VERSIONS[name]
            )
            for name in self._codes
            for code in [getattr(s.BuiltinOperator, name)]
        ]
        model = s.ModelT(
            version=_SCHEMA_VERSION,
            operatorCodes=codes,
            subgraphs=[graph.table() for graph in self._graphs],
            description=description,
            buffers=[BufferTable(data=data) for data in self._buffers],
            metadata=self._metadata or None,
        )
        builder = flatbuffers.Builder(1 << 14)
        builder.Finish(model.Pack(builder), file_identifier=_FILE_IDENTIFIER)
        return bytes(builder.Output())

    def opcode(self, name: str) -> int:
        """Return the index of operator `name`."""
        return self._codes.setdefault(name, len(self._codes))

    def buffer(self, data: bytes) -> int:
        """Return the index of a buffer that holds `data`."""
        return self._buffers.setdefault(data, len(self._buffers))

    def shape(self, dims: tuple[int, ...]) -> Shape:
        """Return the shape table of `dims`."""
        return self._shapes.setdefault(dims, Shape(dims=dims))

    def shared(self, key: object, table: Any) -> Shared:
        """Return the one table stored under `key`, `table` if it is new."""
        return self._shared.setdefault(key, Shared(table=table))

    def quantization(self, scale: float) -> Shared:
        """Return the table of a per-tensor scale with zero point 0."""
        label = float(np.float32(scale))
        table = schema().QuantizationParametersT(scale=[label], zeroPoint=[0])
        return self.shared(("scale", label), table)


class Graph:
    """One subgraph under construction."""

    def __init__(self, model: Model, index: int, name: str) -> None:
        self.index = index
        self._model = model
        self._name = name
        self._tensors: list[TensorTable] = []
        self._operators: list[Any] = []
        self._inputs: list[int] = []
        self._outputs: list[int] = []

    def input(self, name: str, shape: Sequence[int], dtype: str, scale: float | None) -> Tensor:
        """Add an input; the order of calls is the order of the graph's inputs."""
        tensor = self._tensor(name, tuple(shape), dtype, scale, 0)
        self._inputs.append(tensor.index)
        return tensor

    def outputs(self, tensors: Sequence[Tensor]) -> None:
        """Declare the graph's outputs."""
        self._outputs = [tensor.index for tensor in tensors]

    def constant(self, name: str, values: npt.NDArray[Any], scale: float | None = None) -> Tensor:
        """Add a constant int8, int16, int32 or int64 tensor."""
        little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        buffer = self._model.buffer(little.tobytes())
        return self._tensor(name, values.shape, values.dtype.name, scale, buffer)

    def fully_connected(
        self, name: str, x: Tensor, w: Tensor, bias: Tensor | None, scale: float
    ) -> Tensor:
        """Add ``w x + bias``: int16 x, int8 (rows, columns) w, int64 bias; int16 (1, rows)."""
        inputs = [x.index, w.index, -1 if bias is None else bias.index]
        out = self._tensor(name, (1, w.shape[0]), "int16", scale, 0)
        self._operator("FULLY_CONNECTED", inputs, [out], "FullyConnected")
        return out

    def add(self, name: str, a: Tensor, b: Tensor, scale: float | None) -> Tensor:
        """Add ``a + b``: int16 with any scales, or int32 with none."""
        return self._binary("ADD", name, a, b, scale, potScaleInt16=False)

    def sub(self, name: str, a: Tensor, b: Tensor, scale: float) -> Tensor:
        """Add ``a - b``, int16."""
        return self._binary("SUB", name, a, b, scale, potScaleInt16=False)

    def mul(self, name: str, a: Tensor, b: Tensor, scale: float) -> Tensor:
        """Add the product element by element, int16."""
        return self._binary("MUL", name, a, b, scale)

    def logistic(self, name: str, x: Tensor) -> Tensor:
        """Add the sigmoid: int16 Q3.12 in, Q0.15 out."""
        return self._unary("LOGISTIC", name, x, 2.0**-15)

    def tanh(self, name: str, x: Tensor) -> Tensor:
        """Add the hyperbolic tangent: int16 Q3.12 in, Q0.15 out."""
        return self._unary("TANH", name, x, 2.0**-15)

    def less(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        """Add ``a < b``, int32 in, bool out."""
        out = self._tensor(name, a.shape, "bool", None, 0)
        self._operator("LESS", [a.index, b.index], [out], "Less")
        return out

    def split(self, names: Sequence[str], axis: Tensor, x: Tensor) -> list[Tensor]:
        """Cut int16 (1, n) `x` into equal parts."""
        shape = (1, x.shape[1] // len(names))
        parts = [self._tensor(name, shape, x.dtype, x.scale, 0) for name in names]
        self._operator("SPLIT", [axis.index, x.index], parts, "Split", numSplits=len(parts))
        return parts

    def slice(self, name: str, x: Tensor, begin: Tensor, size: Tensor, length: int) -> Tensor:
        """Take `length` values of the vector `x` from `begin` on; int32 (1,) `begin`, `size`."""
        out = self._tensor(name, (length,), x.dtype, x.scale, 0)
        self._operator("SLICE", [x.index, begin.index, size.index], [out], "Slice")
        return out

    def flatten(self, name: str, x: Tensor) -> Tensor:
        """Reshape `x` to a vector."""
        length = int(np.prod(x.shape))
        out = self._tensor(name, (length,), x.dtype, x.scale, 0)
        self._operator("RESHAPE", [x.index], [out], "Reshape", newShape=[length])
        return out

    def while_loop(
        self, names: Sequence[str], state: Sequence[Tensor], cond: "Graph", body: "Graph"
    ) -> list[Tensor]:
        """Repeat `body` on `state` while `cond` holds."""
        outs = [
            self._tensor(name, tensor.shape, tensor.dtype, tensor.scale, 0)
            for name, tensor in zip(names, state, strict=True)
        ]
        options = {"condSubgraphIndex": cond.index, "bodySubgraphIndex": body.index}
        self._operator("WHILE", [tensor.index for tensor in state], outs, "While", **options)
        return outs

    def table(self) -> Any:
        """Return the subgraph for packing."""
        return schema().SubGraphT(
            tensors=self._tensors,
            inputs=self._inputs,
            outputs=self._outputs,
            operators=self._operators,
            name=self._name,
        )

    def _tensor(
        self, name: str, shape: tuple[int, ...], dtype: str, scale: float | None, buffer: int
    ) -> Tensor:
        table = TensorTable(
            name=name,
            shape=self._model.shape(shape),
            type=getattr(schema().TensorType, _TYPES[dtype]),
            buffer=buffer,
            quantization=None if scale is None else self._model.quantization(scale),
        )
        self._tensors.append(table)
        return Tensor(index=len(self._tensors) - 1, shape=shape, dtype=dtype, scale=scale)

    def _unary(self, op: str, name: str, x: Tensor, scale: float) -> Tensor:
        out = self._tensor(name, x.shape, "int16", scale, 0)
        self._operator(op, [x.index], [out], None)
        return out

    def _binary(
        self, op: str, name: str, a: Tensor, b: Tensor, scale: float | None, **options: Any
    ) -> Tensor:
        out = self._tensor(name, a.shape, a.dtype, scale, 0)
        self._operator(op, [a.index, b.index], [out], op.title(), **options)
        return out

    def _operator(
        self, op: str, inputs: list[int], outs: list[Tensor], options: str | None, **values: Any
    ) -> None:
        s = schema()
        operator = s.OperatorT(
            opcodeIndex=self._model.opcode(op),
            inputs=inputs,
            outputs=[tensor.index for tensor in outs],
        )
        if options is not None:
            table = getattr(s, f"{options}OptionsT")(**values)
            operator.builtinOptionsType = getattr(s.BuiltinOptions, f"{options}Options")
            operator.builtinOptions = self._model.shared((options, str(values)), table)
        self._operators.append(operator)
