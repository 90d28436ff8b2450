"""A .tflite file as plain objects."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnedge.errors import ModelError

ITEM_BYTES = {
    "FLOAT32": 4, "FLOAT16": 2, "BFLOAT16": 2, "INT32": 4, "UINT8": 1, "INT64": 8, "BOOL": 1,
    "INT16": 2, "COMPLEX64": 8, "INT8": 1, "FLOAT64": 8, "COMPLEX128": 16, "UINT64": 8,
    "UINT32": 4, "UINT16": 2,
}  # fmt: skip
"""Bytes of one value of the types whose values are whole bytes."""
ARITY = {
    "ADD": (2, 1), "FULLY_CONNECTED": (2, 1), "LOGISTIC": (1, 1), "MUL": (2, 1), "SUB": (2, 1),
    "TANH": (1, 1), "UNIDIRECTIONAL_SEQUENCE_LSTM": (1, 1), "VAR_HANDLE": (0, 1),
}  # fmt: skip
"""Inputs and outputs that an operator has in every file."""
OPTIONS = {
    "AddOptions": ("fusedActivationFunction",),
    "CallOnceOptions": ("initSubgraphIndex",),
    "ConcatenationOptions": ("axis", "fusedActivationFunction"),
    "FullyConnectedOptions": ("fusedActivationFunction", "weightsFormat", "quantizedBiasType"),
    "GatherOptions": ("axis", "batchDims"),
    "MulOptions": ("fusedActivationFunction",),
    "PackOptions": ("axis", "valuesCount"),
    "SplitOptions": ("numSplits",),
    "StridedSliceOptions": ("beginMask", "endMask", "ellipsisMask", "newAxisMask",
                            "shrinkAxisMask"),
    "SubOptions": ("fusedActivationFunction",),
    "UnidirectionalSequenceLSTMOptions": ("fusedActivationFunction", "cellClip", "projClip",
                                          "timeMajor"),
    "UnpackOptions": ("axis", "num"),
    "VarHandleOptions": ("container", "sharedName"),
    "WhileOptions": ("condSubgraphIndex", "bodySubgraphIndex"),
}  # fmt: skip
"""Options of operators that are read, by their table in the schema, in its order."""
_DTYPES = {
    "FLOAT32": "<f4", "FLOAT16": "<f2", "FLOAT64": "<f8", "INT8": "<i1", "INT16": "<i2",
    "INT32": "<i4", "INT64": "<i8", "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4",
    "UINT64": "<u8", "BOOL": "?",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """How integers stand for real values: ``(value - zero_point) * scale``.

    Attributes:
        scale: one, or one for each slice along `dimension`.
        zero_point: as many.
        dimension: the axis of the slices.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    dimension: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One tensor of a subgraph.

    Attributes:
        name: "" if it has none.
        shape: sizes; -1 where only the signature knows a dimension to be open.
        type: name in the schema, "INT8".
        buffer: index of its constant's bytes; an empty buffer means an activation.
        variable: keeps its value between invocations.
        quantization: None if it has no scale.
        sparse: stored with a sparsity table.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    buffer: int
    variable: bool
    quantization: Quantization | None
    sparse: bool

    @property
    def values(self) -> int:
        """Number of values."""
        product = 1
        for size in self.shape:
            product *= max(size, 1) if size < 0 else size
        return product

    @property
    def bytes(self) -> int:
        """Size of its values, half bytes rounded up."""
        return self.values * ITEM_BYTES.get(self.type, 1)

    @property
    def scale(self) -> float:
        """The one scale.

        Raises:
            ModelError: it has none.
        """
        if self.quantization is None:
            raise ModelError(f"tensor {self.name!r} has no scale")
        return self.quantization.scale[0]

    @property
    def zero_point(self) -> int:
        """The one zero point, 0 if there is none."""
        return self.quantization.zero_point[0] if self.quantization else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One operator of a subgraph.

    Attributes:
        name: name in the schema, or the custom operator's own.
        custom: whether it is a custom operator.
        version: that the file asks for.
        inputs: indices of tensors, -1 for one that is left out.
        outputs: indices of tensors.
        options: those of its options that the kernels of `rnnedge.tflmath` read.
    """

    name: str
    custom: bool
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgraph:
    """One subgraph.

    Attributes:
        name: "" if it has none.
        tensors: all of them.
        inputs: indices of tensors.
        outputs: indices of tensors.
        operators: in the order of execution.
    """

    name: str
    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[Operator, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A .tflite file.

    Attributes:
        size: bytes.
        version: of the schema.
        description: who wrote it.
        subgraphs: the first is the main one.
        buffers: constants; empty ones belong to activations.
        metadata: index of a buffer, by name.
    """

    size: int
    version: int
    description: str
    subgraphs: tuple[Subgraph, ...]
    buffers: tuple[memoryview, ...]
    metadata: dict[str, int]

    def constant(self, tensor: Tensor) -> np.ndarray[Any, Any] | None:
        """Return a tensor's constant values, None if it is an activation."""
        data = self.buffers[tensor.buffer]
        if not len(data) or tensor.type not in _DTYPES:
            return None
        values = np.frombuffer(data, _DTYPES[tensor.type], tensor.values)
        return values.reshape(tensor.shape)
