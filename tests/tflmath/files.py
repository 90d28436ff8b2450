"""Tiny .tflite files, and many of them through the real interpreter in one child process."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as s

DTYPES = {
    "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "BOOL": np.bool_,
    "FLOAT32": np.float32,
}  # fmt: skip

CHILD = """
import json, sys
from pathlib import Path
import numpy as np
from tflite_micro import runtime
folder = Path(sys.argv[1])
for case in sorted(folder.glob("*.tflite")):
    model = runtime.Interpreter.from_bytes(case.read_bytes(), arena_size=1 << 22)
    calls = np.load(case.with_suffix(".npz"))
    count, sizes = json.loads(str(calls["calls"])), {}
    for step, (inputs, outputs, reset) in enumerate(count):
        if reset:
            model.reset()
        for i in range(inputs):
            model.set_input(calls[f"{step}_{i}"], i)
        model.invoke()
        for i in range(outputs):
            sizes[f"{step}_{i}"] = model.get_output(i)
    np.savez(case.with_suffix(".out.npz"), **sizes)
"""


@dataclass(kw_only=True)
class T:
    """A tensor; with `data` a constant."""

    type: str
    shape: tuple[int, ...]
    scale: float | list[float] | None = None
    zero: int = 0
    data: Any = None
    variable: bool = False
    name: str = ""


@dataclass(kw_only=True)
class Op:
    """An operator of the graph; tensors by index."""

    name: str
    inputs: list[int]
    outputs: list[int]
    options: str = ""
    values: dict = field(default_factory=dict)
    version: int = 1


@dataclass(kw_only=True)
class G:
    """A subgraph."""

    tensors: list[T]
    inputs: list[int]
    outputs: list[int]
    operators: list[Op]


@dataclass
class Buffer:
    """The bytes of one constant, aligned to 16 as the schema demands."""

    data: bytes

    def Pack(self, builder):  # noqa: N802  name of the object API
        vector = None
        if self.data:
            builder.StartVector(1, len(self.data), 16)
            builder.head -= len(self.data)
            builder.Bytes[builder.head : builder.head + len(self.data)] = self.data
            vector = builder.EndVector()
        s.BufferStart(builder)
        if vector is not None:
            s.BufferAddData(builder, vector)
        return s.BufferEnd(builder)


def pack(*graphs: G, metadata: dict[str, bytes] | None = None) -> bytes:
    """Return a file of these subgraphs."""
    codes: dict[tuple[str, int], int] = {}
    buffers = [Buffer(b"")]

    def tensor(t: T, index: int) -> Any:
        buffer = 0
        if t.data is not None:
            buffers.append(Buffer(np.asarray(t.data, DTYPES[t.type]).tobytes()))
            buffer = len(buffers) - 1
        quantization = None
        if t.scale is not None:
            scales = t.scale if isinstance(t.scale, list) else [t.scale]
            quantization = s.QuantizationParametersT(scale=scales, zeroPoint=[t.zero] * len(scales))
        return s.TensorT(
            name=t.name or f"t{index}",
            shape=list(t.shape),
            type=getattr(s.TensorType, t.type),
            buffer=buffer,
            quantization=quantization,
            isVariable=t.variable,
        )

    def operator(op: Op) -> Any:
        table = s.OperatorT(
            opcodeIndex=codes.setdefault((op.name, op.version), len(codes)),
            inputs=op.inputs,
            outputs=op.outputs,
        )
        if op.options:
            table.builtinOptionsType = getattr(s.BuiltinOptions, op.options)
            table.builtinOptions = getattr(s, op.options + "T")(**op.values)
        return table

    subgraphs = [
        s.SubGraphT(
            tensors=[tensor(t, i) for i, t in enumerate(g.tensors)],
            inputs=g.inputs,
            outputs=g.outputs,
            operators=[operator(op) for op in g.operators],
            name="g",
        )
        for g in graphs
    ]
    entries = []
    for name, content in (metadata or {}).items():
        buffers.append(Buffer(content))
        entries.append(s.MetadataT(name=name, buffer=len(buffers) - 1))

    def code(name: str, version: int) -> Any:
        number = getattr(s.BuiltinOperator, name, None)
        if number is None:
            custom = s.BuiltinOperator.CUSTOM
            return s.OperatorCodeT(
                deprecatedBuiltinCode=custom, builtinCode=custom, customCode=name, version=version
            )
        return s.OperatorCodeT(
            deprecatedBuiltinCode=min(number, 127), builtinCode=number, version=version
        )

    model = s.ModelT(
        version=3,
        operatorCodes=[code(*key) for key in codes],
        subgraphs=subgraphs,
        description="test",
        buffers=buffers,
        metadata=entries or None,
    )
    builder = flatbuffers.Builder(1 << 12)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def one(op: str, inputs: list[T], outputs: list[T], options: str = "", **values: Any) -> bytes:
    """Return a file of one operator; inputs without data are the graph's inputs."""
    tensors = [*inputs, *outputs]
    count = len(inputs)
    return pack(
        G(
            tensors=tensors,
            inputs=[i for i, t in enumerate(inputs) if t.data is None and not t.variable],
            outputs=list(range(count, len(tensors))),
            operators=[
                Op(
                    name=op,
                    inputs=list(range(count)),
                    outputs=list(range(count, len(tensors))),
                    options=options,
                    values=values,
                )
            ],
        )
    )


@dataclass(kw_only=True)
class Case:
    """A file and what it is called with: lists of inputs, each with whether to reset before."""

    tflite: bytes
    calls: list[list[np.ndarray]]
    outputs: int = 1
    resets: set[int] = field(default_factory=set)


def tflm(cases: list[Case]) -> list[list[list[np.ndarray]]]:
    """Return the outputs of each call of each case, from the real interpreter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, case in enumerate(cases):
            (folder / f"{number:04}.tflite").write_bytes(case.tflite)
            arrays = {
                f"{step}_{i}": value
                for step, call in enumerate(case.calls)
                for i, value in enumerate(call)
            }
            plan = [
                (len(call), case.outputs, step in case.resets)
                for step, call in enumerate(case.calls)
            ]
            np.savez(folder / f"{number:04}.npz", calls=json.dumps(plan), **arrays)
        done = subprocess.run(
            [sys.executable, "-c", CHILD, name], capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr[-2000:]
        results = []
        for number, case in enumerate(cases):
            with np.load(folder / f"{number:04}.out.npz") as found:
                results.append(
                    [
                        [found[f"{step}_{i}"] for i in range(case.outputs)]
                        for step in range(len(case.calls))
                    ]
                )
        return results
