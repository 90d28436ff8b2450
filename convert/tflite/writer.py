"""A small builder of TensorFlow Lite graphs: buffers, tensors, operator codes, subgraphs.

Scales are labels that the kernels turn into multipliers; the builder writes them as float32 and
every zero point as 0. `rnnedge.convert.tflite.operators` adds the operators.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F64
from rnnedge.convert.tflite.schema import BufferTable, Shape, Shared, TensorTable, schema

# Every operator that a graph may hold, with the version that introduced the types used here
# (TensorFlow's op_version.cc).
VERSIONS = {
    "ADD": 3,  # int16 with general scales
    "ASSIGN_VARIABLE": 1,
    "CALL_ONCE": 1,
    "CONCATENATION": 3,
    "FULLY_CONNECTED": 7,  # int16 activations; without bias from 6
    "LESS": 1,
    "LOGISTIC": 3,
    "MUL": 4,
    "QUANTIZE": 3,
    "READ_VARIABLE": 1,
    "RESHAPE": 1,
    "SLICE": 4,
    "SPLIT": 4,
    "SUB": 5,
    "TANH": 3,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 1,
    "VAR_HANDLE": 1,
    "WHILE": 1,
}
_FILE_IDENTIFIER = b"TFL3"
_SCHEMA_VERSION = 3
_TYPES = {
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "bool": "BOOL",
    "resource": "RESOURCE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A tensor of one graph.

    Attributes:
        index: position in the graph's list of tensors.
        shape: its dimensions.
        dtype: int8, int16, int32, int64, bool or resource.
        scale: real value of one unit; None for counters, truth values and rows of several scales.
    """

    index: int
    shape: tuple[int, ...]
    dtype: str
    scale: float | None

    @property
    def label(self) -> float:
        """The scale of a quantised tensor."""
        if self.scale is None:
            raise ValueError(f"tensor {self.index} has no scale")
        return self.scale


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

    def quantization(self, scales: Sequence[float]) -> Shared:
        """Return the table of a scale, or of one scale for each row, with zero point 0."""
        labels = [float(np.float32(scale)) for scale in scales]
        table = schema().QuantizationParametersT(scale=labels, zeroPoint=[0] * len(labels))
        return self.shared(("scale", *labels), table)


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
        self._constants: dict[object, Tensor] = {}

    def input(self, name: str, shape: Sequence[int], dtype: str, scale: float | None) -> Tensor:
        """Add an input; the order of calls is the order of the graph's inputs."""
        tensor = self.tensor(name, shape, dtype, scale)
        self._inputs.append(tensor.index)
        return tensor

    def outputs(self, tensors: Sequence[Tensor]) -> None:
        """Declare the graph's outputs."""
        self._outputs = [tensor.index for tensor in tensors]

    def constant(
        self, name: str, values: npt.NDArray[Any], scale: float | F64 | None = None
    ) -> Tensor:
        """Return a constant int8, int16, int32 or int64 tensor; equal ones are one tensor.

        Args:
            name: of a new tensor.
            values: its content.
            scale: of all values, or one for each row.
        """
        little = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
        rows = None if scale is None else tuple(np.ravel(scale).tolist())
        key = (little, values.shape, values.dtype.name, rows)
        if key not in self._constants:
            table = None if rows is None else self._model.quantization(rows)
            buffer = self._model.buffer(little)
            single = scale if isinstance(scale, float) else None
            self._constants[key] = self._add(
                name, values.shape, values.dtype.name, single, buffer=buffer, quantization=table
            )
        return self._constants[key]

    def variable(self, name: str, shape: Sequence[int], dtype: str, scale: float) -> Tensor:
        """Add a tensor that the interpreter keeps between invocations, first zero."""
        table = self._model.quantization([scale])
        return self._add(name, tuple(shape), dtype, scale, quantization=table, variable=True)

    def tensor(self, name: str, shape: Sequence[int], dtype: str, scale: float | None) -> Tensor:
        """Add an activation, to be written by an operator."""
        table = None if scale is None else self._model.quantization([scale])
        return self._add(name, tuple(shape), dtype, scale, quantization=table)

    def operator(
        self,
        op: str,
        inputs: Sequence[Tensor | None],
        outs: Sequence[Tensor],
        options: str | None,
        **values: Any,
    ) -> None:
        """Add an operator; None stands for an input that is left out."""
        s = schema()
        operator = s.OperatorT(
            opcodeIndex=self._model.opcode(op),
            inputs=[-1 if tensor is None else tensor.index for tensor in inputs],
            outputs=[tensor.index for tensor in outs],
        )
        if options is not None:
            table = getattr(s, f"{options}OptionsT")(**values)
            operator.builtinOptionsType = getattr(s.BuiltinOptions, f"{options}Options")
            operator.builtinOptions = self._model.shared((options, str(values)), table)
        self._operators.append(operator)

    def table(self) -> Any:
        """Return the subgraph for packing."""
        return schema().SubGraphT(
            tensors=self._tensors,
            inputs=self._inputs,
            outputs=self._outputs,
            operators=self._operators,
            name=self._name,
        )

    def _add(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: str,
        scale: float | None,
        *,
        buffer: int = 0,
        quantization: Shared | None,
        variable: bool = False,
    ) -> Tensor:
        table = TensorTable(
            name=name,
            shape=self._model.shape(shape),
            type=getattr(schema().TensorType, _TYPES[dtype]),
            buffer=buffer,
            quantization=quantization,
            variable=variable,
        )
        self._tensors.append(table)
        return Tensor(index=len(self._tensors) - 1, shape=shape, dtype=dtype, scale=scale)
