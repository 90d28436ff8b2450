"""The FlatBuffer schema of TensorFlow Lite, and the tables of it that are packed by hand.

The schema module that the tflite-micro wheel ships packs whole models, with two shortcomings:
buffers come out unaligned, although the kernels read int16 and int64 in place, and equal tables
are written again for every user. The classes here take the place of the schema's own objects.
"""

import importlib
from dataclasses import dataclass, field
from typing import Any

from rnnedge.errors import ToolError

_MODULE = "tflite_micro.tensorflow.lite.micro.python.schema_py_generated"
_ALIGNMENT = 16  # of every buffer, as schema.fbs demands


def schema() -> Any:
    """Return the generated schema module.

    Raises:
        ToolError: the package tflite-micro is not installed.
    """
    try:
        return importlib.import_module(_MODULE)
    except ImportError as error:
        raise ToolError(
            f"writing .tflite needs the package tflite-micro ({error}); pip install tflite-micro"
        ) from None


@dataclass(kw_only=True)
class Shared:
    """A table that is written once and referred to by all its users.

    Attributes:
        table: object of the schema's object API.
    """

    table: Any
    _offset: int = 0

    def Pack(self, builder: Any) -> int:  # noqa: N802  name of the object API
        """Write the table when first asked and return its offset."""
        if not self._offset:
            self._offset = self.table.Pack(builder)
        return self._offset


@dataclass(kw_only=True)
class Shape:
    """A tensor's shape: a vector of int32 that is written once.

    Attributes:
        dims: the dimensions.
    """

    dims: tuple[int, ...]
    _offset: int = 0

    def pack(self, builder: Any) -> int:
        """Write the vector when first asked and return its offset."""
        if not self._offset:
            schema().TensorStartShapeVector(builder, len(self.dims))
            for size in reversed(self.dims):
                builder.PrependInt32(size)
            self._offset = builder.EndVector()
        return self._offset


@dataclass(frozen=True, kw_only=True)
class TensorTable:
    """One row of a subgraph's list of tensors.

    Attributes:
        name: unique within the subgraph.
        shape: shared between tensors of equal shape.
        type: schema.TensorType.
        buffer: index of the constant's bytes, 0 for an activation.
        quantization: scale and zero point, None for counters and truth values.
        variable: the interpreter keeps the tensor between invocations, first zero.
    """

    name: str
    shape: Shape
    type: int
    buffer: int
    quantization: Shared | None
    variable: bool = False

    def Pack(self, builder: Any) -> int:  # noqa: N802  name of the object API
        """Write the table and return its offset."""
        s = schema()
        shape = self.shape.pack(builder)
        name = builder.CreateString(self.name)
        quantization = self.quantization.Pack(builder) if self.quantization else None
        s.TensorStart(builder)
        s.TensorAddShape(builder, shape)
        s.TensorAddType(builder, self.type)
        s.TensorAddBuffer(builder, self.buffer)
        s.TensorAddName(builder, name)
        if quantization is not None:
            s.TensorAddQuantization(builder, quantization)
        if self.variable:
            s.TensorAddIsVariable(builder, True)
        return int(s.TensorEnd(builder))


@dataclass(frozen=True, kw_only=True)
class BufferTable:
    """The bytes of one constant, aligned for every type.

    Attributes:
        data: little-endian content; empty for buffer 0.
    """

    data: bytes = field(repr=False)

    def Pack(self, builder: Any) -> int:  # noqa: N802  name of the object API
        """Write the table and return its offset."""
        s = schema()
        vector = None
        if self.data:
            builder.StartVector(1, len(self.data), _ALIGNMENT)
            builder.head -= len(self.data)
            builder.Bytes[builder.head : builder.head + len(self.data)] = self.data
            vector = builder.EndVector()
        s.BufferStart(builder)
        if vector is not None:
            s.BufferAddData(builder, vector)
        return int(s.BufferEnd(builder))
