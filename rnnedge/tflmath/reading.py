"""Reading .tflite files so that no damaged one can crash or stall the reader.

Offsets of a FlatBuffer may point anywhere: each table and vector that is looked at is paid for from
a budget in proportion to the file's size, and every index is checked before it is kept.
"""

import importlib
import math
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

from rnnedge.errors import ModelError, ToolError
from rnnedge.tflmath.file import (
    ARITY,
    ITEM_BYTES,
    OPTIONS,
    File,
    Operator,
    Quantization,
    Subgraph,
    Tensor,
)

_SCHEMA = "tflite_micro.tensorflow.lite.micro.python.schema_py_generated"
_IDENTIFIER = b"TFL3"
_SMALLEST = 16
_BUDGET = 1 << 26  # bytes of tables, vectors and names, at most
_SECONDS = 20.0
_DAMAGE = (
    struct.error,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    AssertionError,
)


def read(tflite: bytes, name: str = "model") -> File:
    """Read a .tflite file.

    Args:
        tflite: the file's content; the result refers to it.
        name: what messages call it.

    Raises:
        ModelError: not a .tflite file, or damaged; one line.
        ToolError: the package tflite-micro, which brings the schema, is not installed.
    """
    if len(tflite) < _SMALLEST or tflite[4:8] != _IDENTIFIER:
        raise ModelError(f"{name}: not a .tflite file (no {_IDENTIFIER.decode()} at byte 4)")
    s = _schema()
    try:
        return _Reader(tflite, s).file()
    except ModelError as error:
        raise ModelError(f"{name}: damaged .tflite file ({error}); write it again") from None
    except _DAMAGE:
        raise ModelError(
            f"{name}: damaged .tflite file (an offset that points out of it); write it again"
        ) from None


def _schema() -> Any:
    try:
        return importlib.import_module(_SCHEMA)
    except ImportError as error:
        raise ToolError(
            f"reading .tflite needs the package tflite-micro ({error}); pip install tflite-micro"
        ) from None


def _names(enumeration: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}


class _Reader:
    """One pass through a file."""

    def __init__(self, tflite: bytes, s: Any) -> None:
        self._content = tflite
        self._schema = s
        self._left = min(16 * len(tflite) + (1 << 16), _BUDGET)
        self._end = time.monotonic() + _SECONDS
        self._operators = _names(s.BuiltinOperator)
        self._types = _names(s.TensorType)
        self._activations = _names(s.ActivationFunctionType)
        self._option_types = _names(s.BuiltinOptions)

    def _pay(self, size: int) -> None:
        self._left -= size
        if self._left < 0 or time.monotonic() > self._end:
            raise ModelError("more tables than such a file can hold")

    def _tables(self, count: int, get: Callable[[int], Any]) -> Iterator[Any]:
        """Yield the tables of a vector."""
        for index in range(count):
            self._pay(16)
            yield get(index)

    def _vector(self, values: Any) -> tuple[Any, ...]:
        """Return a vector of numbers; the schema says 0 for one that is missing."""
        if isinstance(values, int):
            return ()
        self._pay(4 * len(values) + 4)
        return tuple(values.tolist())

    def _text(self, table: Any, slot: int) -> str:
        """Return the string in a slot of a table."""
        offset = table._tab.Offset(4 + 2 * slot)
        if offset == 0:
            return ""
        start = table._tab.Indirect(offset + table._tab.Pos)
        (length,) = struct.unpack_from("<I", self._content, start)
        if start < 0 or length > len(self._content) - start - 4:
            raise ModelError("a name that ends behind the file")
        self._pay(length + 4)
        text = self._content[start + 4 : start + 4 + length].decode(errors="replace")
        return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)

    def file(self) -> File:
        model = self._schema.Model.GetRootAsModel(self._content, 0)
        buffers = tuple(
            self._buffer(table) for table in self._tables(model.BuffersLength(), model.Buffers)
        )
        codes = [
            self._code(table)
            for table in self._tables(model.OperatorCodesLength(), model.OperatorCodes)
        ]
        subgraphs = tuple(
            self._subgraph(table, codes, buffers)
            for table in self._tables(model.SubgraphsLength(), model.Subgraphs)
        )
        if not subgraphs:
            raise ModelError("no subgraph")
        self._check_calls(subgraphs)
        metadata = {
            self._text(table, 0): _below(table.Buffer(), len(buffers), "buffer")
            for table in self._tables(model.MetadataLength(), model.Metadata)
        }
        return File(
            size=len(self._content),
            version=int(model.Version()),
            description=self._text(model, 3),
            subgraphs=subgraphs,
            buffers=buffers,
            metadata=metadata,
        )

    def _buffer(self, table: Any) -> memoryview:
        whole = memoryview(self._content)
        start, size = int(table.Offset()), int(table.Size())
        if start > 1:  # behind the FlatBuffer
            if start + size > len(whole):
                raise ModelError("a constant that ends behind the file")
            return whole[start : start + size]
        offset = table._tab.Offset(4)
        if offset == 0:
            return whole[:0]
        start, size = table._tab.Vector(offset), table._tab.VectorLen(offset)
        if not 0 <= start <= len(whole) - size:
            raise ModelError("a constant that ends behind the file")
        return whole[start : start + size]

    def _code(self, table: Any) -> tuple[str, bool, int]:
        code = max(int(table.BuiltinCode()), int(table.DeprecatedBuiltinCode()))
        name = self._operators.get(code, f"operator {code}")
        custom = name == "CUSTOM"
        if custom:
            name = self._text(table, 1) or "CUSTOM"
        return name, custom, int(table.Version())

    def _subgraph(
        self, table: Any, codes: list[tuple[str, bool, int]], buffers: tuple[memoryview, ...]
    ) -> Subgraph:
        tensors = tuple(
            self._tensor(tensor, buffers)
            for tensor in self._tables(table.TensorsLength(), table.Tensors)
        )

        def indices(values: Any, lowest: int = 0) -> tuple[int, ...]:
            return tuple(
                _below(index, len(tensors), "tensor", lowest) for index in self._vector(values)
            )

        operators = []
        for operator in self._tables(table.OperatorsLength(), table.Operators):
            name, custom, version = codes[_below(operator.OpcodeIndex(), len(codes), "operator")]
            inputs = indices(operator.InputsAsNumpy(), -1)
            outputs = indices(operator.OutputsAsNumpy())
            _check_arity(name, inputs, outputs)
            operators.append(
                Operator(
                    name=name,
                    custom=custom,
                    version=version,
                    inputs=inputs,
                    outputs=outputs,
                    options=self._options(operator),
                )
            )
        return Subgraph(
            name=self._text(table, 4),
            tensors=tensors,
            inputs=indices(table.InputsAsNumpy()),
            outputs=indices(table.OutputsAsNumpy()),
            operators=tuple(operators),
        )

    def _tensor(self, table: Any, buffers: tuple[memoryview, ...]) -> Tensor:
        kind = self._types.get(int(table.Type()), f"type {int(table.Type())}")
        shape = self._vector(table.ShapeAsNumpy())
        signature = self._vector(table.ShapeSignatureAsNumpy())
        if len(signature) == len(shape):
            shape = tuple(-1 if s < 0 else d for d, s in zip(shape, signature, strict=True))
        if any(size < -1 for size in shape):
            raise ModelError("a tensor of negative size")
        tensor = Tensor(
            name=self._text(table, 3),
            shape=shape,
            type=kind,
            buffer=_below(table.Buffer(), len(buffers), "buffer"),
            variable=bool(table.IsVariable()),
            quantization=self._quantization(table.Quantization(), shape),
            sparse=table.Sparsity() is not None,
        )
        data = buffers[tensor.buffer]
        if len(data) and kind in ITEM_BYTES and not tensor.sparse and len(data) != tensor.bytes:
            raise ModelError(f"a constant of {len(data)} bytes for {tensor.bytes}")
        return tensor

    def _quantization(self, table: Any, shape: tuple[int, ...]) -> Quantization | None:
        if table is None:
            return None
        scale = self._vector(table.ScaleAsNumpy())
        zero = self._vector(table.ZeroPointAsNumpy()) or (0,) * len(scale)
        if not scale:
            return None
        if not all(0 <= value < math.inf for value in scale):
            raise ModelError("a scale that is negative or no number")
        dimension = int(table.QuantizedDimension())
        if len(zero) not in (1, len(scale)):
            raise ModelError(f"{len(scale)} scales with {len(zero)} zero points")
        if len(scale) > 1 and not 0 <= dimension < len(shape):
            raise ModelError(f"scales along dimension {dimension} of {len(shape)}")
        return Quantization(scale=scale, zero_point=zero, dimension=dimension)

    def _options(self, operator: Any) -> dict[str, Any]:
        kind = self._option_types.get(int(operator.BuiltinOptionsType()), "")
        names = OPTIONS.get(kind, ())
        table = operator.BuiltinOptions() if names else None
        if table is None:
            return {}
        options = getattr(self._schema, kind)()
        options.Init(table.Bytes, table.Pos)
        found: dict[str, Any] = {}
        for slot, name in enumerate(names):
            if name in ("container", "sharedName"):
                found[name] = self._text(options, slot)
                continue
            value = getattr(options, name[0].upper() + name[1:])()
            if name == "fusedActivationFunction":
                value = self._activations.get(value, f"activation {value}")
            found[name] = value
        return found

    def _check_calls(self, subgraphs: tuple[Subgraph, ...]) -> None:
        """Refuse calls of subgraphs that are not there or that come back to their caller."""
        calls = [
            {
                _below(value, len(subgraphs), "subgraph")
                for operator in graph.operators
                for name, value in operator.options.items()
                if name.endswith("SubgraphIndex")
            }
            for graph in subgraphs
        ]
        callers = set(range(len(subgraphs)))
        while callers:
            done = {caller for caller in callers if not calls[caller] & callers}
            if not done:
                raise ModelError("a subgraph that calls itself")
            callers -= done


def _check_arity(name: str, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> None:
    """Refuse an operator without the tensors that every kernel of it reads and writes."""
    needed, written = ARITY.get(name, (0, 0))
    if min((*inputs[:needed], 0)) < 0 or len(inputs) < needed or len(outputs) < written:
        raise ModelError(f"{name} with {len(inputs)} inputs and {len(outputs)} outputs")


def _below(index: Any, count: int, what: str, lowest: int = 0) -> int:
    if not lowest <= int(index) < count:
        raise ModelError(f"{what} {int(index)} of {count}")
    return int(index)
