"""The C runtime as a shared library, with models built in memory: thousands of them, no compiling.

The structures mirror firmware/include/rnnedge.h field by field.
"""

import ctypes as c
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.convert.c import scratch_size
from rnnedge.convert.c.layers import directions, step
from rnnedge.convert.c.packing.order import chunks, matrix, multipliers
from rnnedge.convert.c.task import has_task
from rnnedge.convert.proof import is_narrow
from rnnedge.modelfile import model_hash
from rnnedge.simulator import Trace
from rnnedge.spec import (
    CONTRACT,
    DenseLayer,
    EmbeddingLayer,
    InputLayer,
    QuantizedModel,
    Recurrent,
    RecurrentLayer,
)
from rnnedge.targets.build import STRICT, firmware

CANARY = 0x5AA5
MARGIN = 8


class Channel(c.Structure):
    _fields_ = [
        ("scale", c.c_float),
        ("multiplier", c.c_int32),
        ("offset", c.c_int64),
        ("shift", c.c_uint8),
    ]


class Cell(c.Structure):
    _fields_ = [
        ("units", c.c_uint16),
        ("inputs", c.c_uint16),
        ("input_bits", c.c_uint8),
        ("x_shift", c.c_uint8),
        ("h_shift", c.c_uint8),
        ("acc_shift", c.c_uint8),
        ("state_shift", c.c_uint8),
        ("product", c.c_void_p),
        ("weights", c.c_void_p),
        ("bias", c.c_void_p),
        ("multiplier", c.c_void_p),
    ]


class Dense(c.Structure):
    _fields_ = [
        ("units", c.c_uint16),
        ("inputs", c.c_uint16),
        ("relu", c.c_uint8),
        ("w", c.c_void_p),
        ("bias", c.c_void_p),
        ("multiplier", c.c_void_p),
    ]


class Layer(c.Structure):
    _fields_ = [
        ("step", c.c_void_p),
        ("cell", c.c_void_p),
        ("backward", c.c_void_p),
        ("inputs", c.c_uint16),
        ("outputs", c.c_uint16),
        ("state_size", c.c_uint16),
        ("sequences", c.c_uint8),
    ]


class Model(c.Structure):
    _fields_ = [
        ("abi", c.c_uint16),
        ("inputs", c.c_uint16),
        ("outputs", c.c_uint16),
        ("window", c.c_uint16),
        ("every", c.c_uint16),
        ("state_size", c.c_uint16),
        ("scratch_size", c.c_uint16),
        ("fraction_bits", c.c_uint8),
        ("n_layers", c.c_uint8),
        ("n_dense", c.c_uint8),
        ("bidirectional", c.c_uint8),
        ("layers", c.POINTER(Layer)),
        ("dense", c.POINTER(Dense)),
        ("channels", c.POINTER(Channel)),
        ("classes", c.c_void_p),
        ("sha256", c.c_char_p),
        ("task", c.c_void_p),
    ]


class TargetMap(c.Structure):
    _fields_ = [("mean", c.c_float), ("std", c.c_float)]


class Feedback(c.Structure):
    _fields_ = [
        ("offset", c.c_int64),
        ("multiplier", c.c_int32),
        ("source", c.c_uint16),
        ("shift", c.c_uint8),
    ]


class Detector(c.Structure):
    _fields_ = [
        ("threshold", c.c_int32),
        ("warmup", c.c_uint16),
        ("smoothing", c.c_uint8),
    ]


class StartMap(c.Structure):
    _fields_ = [("channels", c.c_void_p), ("dense", c.c_void_p)]


class Task(c.Structure):
    _fields_ = [
        ("check", c.c_void_p),
        ("quantize", c.c_void_p),
        ("feed", c.c_void_p),
        ("watch", c.c_void_p),
        ("table", c.c_void_p),
        ("targets", c.c_void_p),
        ("feedback", c.c_void_p),
        ("detector", c.c_void_p),
        ("start", c.c_void_p),
        ("encoder", c.c_void_p),
        ("rows", c.c_uint16),
    ]


def compile_runtime(folder: Path, *flags: str) -> c.CDLL:
    """Compile firmware/src as a shared library with the core flags."""
    library = folder / "librnnedge.so"
    sources = sorted([*firmware("src").glob("*.c"), *firmware("kernels").glob("*.c")])
    command = ["cc", "-shared", "-fPIC", "-O2", *STRICT, *flags, f"-I{firmware('include')}"]
    subprocess.run([*command, *map(str, sources), "-o", str(library)], check=True)
    return c.CDLL(str(library))


def _channels(layer: InputLayer) -> c.Array[Channel]:
    keys = ("exponent", "multiplier", "offset", "shift")
    rows = zip(*(getattr(layer, key).tolist() for key in keys), strict=True)
    return (Channel * layer.channels)(*(Channel(2.0**e, m, o, s) for e, m, o, s in rows))


class Device:
    """A quantised model in the C runtime's memory."""

    def __init__(self, library: c.CDLL, model: QuantizedModel) -> None:
        self.functions, self.model = library, model
        self._kept: list[object] = []
        self.weights: list[np.ndarray] = []  # of each cell, writable
        layers = (Layer * len(model.recurrent))(*map(self._layer, model.recurrent))
        channels = None if isinstance(model.input, EmbeddingLayer) else _channels(model.input)
        dense = (Dense * len(model.dense))(*map(self._dense, model.dense))
        names = (c.c_char_p * len(model.classes))(*(name.encode() for name in model.classes))
        self._kept += [layers, channels, dense, names]
        self.struct = Model(
            abi=CONTRACT,
            inputs=model.input.channels,
            outputs=model.outputs,
            window=model.window,
            every=model.every,
            state_size=model.state_size,
            scratch_size=scratch_size(model),
            fraction_bits=model.fraction_bits if model.dense else 0,
            n_layers=len(layers),
            n_dense=len(dense),
            bidirectional=model.bidirectional,
            layers=layers,
            dense=dense,
            channels=channels,
            classes=c.cast(names, c.c_void_p),
            sha256=bytes.fromhex(model_hash(model)),
            task=self._task(),
        )

    def _task(self) -> int | None:
        """What the model is more than a classifier of samples; None: nothing."""
        model = self.model
        if not has_task(model):
            return None
        self.task = task = Task(check=self._function("rnnedge_check_task"))
        if isinstance(model.input, EmbeddingLayer):
            task.quantize = self._function("rnnedge_quantize_id")
            task.table, task.rows = model.input.table.ctypes.data, model.input.rows
        if model.generates:
            which = "best" if model.feedback is None else "values"
            task.feed = self._function(f"rnnedge_feed_{which}")
        if model.output is not None:
            rows = zip(model.output.mean.tolist(), model.output.std.tolist(), strict=True)
            task.targets = self._keep((TargetMap * model.outputs)(*(TargetMap(*r) for r in rows)))
        if model.feedback is not None:
            names = ("offset", "multiplier", "source", "shift")
            columns = [getattr(model.feedback, name).tolist() for name in names]
            maps = [Feedback(*row) for row in zip(*columns, strict=True)]
            task.feedback = self._keep((Feedback * len(maps))(*maps))
        if model.detector is not None:
            rule = model.detector
            task.watch = self._function("rnnedge_watch_errors")
            task.detector = self._keep(Detector(rule.threshold, rule.warmup, rule.smoothing))
        if model.start is not None:
            parts = (_channels(model.start.input), self._dense(model.start.dense))
            task.start = self._keep(StartMap(*map(self._keep, parts)))
        if model.encoder is not None:
            self.encoder = Device(self.functions, model.encoder)
            task.encoder = c.addressof(self.encoder.struct)
        return c.addressof(task)

    def _keep(self, item: c.Structure | c.Array[Any]) -> int:
        self._kept.append(item)
        return c.addressof(item)

    def _layer(self, layer: Recurrent) -> Layer:
        cells = [self._cell(cell) for _, cell in directions(layer, "")]
        return Layer(
            step=self._function(step(directions(layer, "")[0][1])),
            cell=c.addressof(cells[0]),
            backward=c.addressof(cells[1]) if len(cells) == 2 else None,
            inputs=layer.inputs,
            outputs=layer.outputs,
            state_size=layer.state_size,
            sequences=layer.return_sequences,
        )

    def _cell(self, layer: RecurrentLayer) -> Cell:
        parts = list(chunks(layer))
        weights = np.concatenate(
            [matrix(layer, part.part, rows).ravel() for part in parts for rows in part.rows]
        )
        bias = np.concatenate([row for part in parts for row in part.bias])
        arrays = weights, bias, multipliers(layer)
        cell = Cell(
            units=layer.units,
            inputs=layer.inputs,
            input_bits=layer.input_bits,
            x_shift=layer.x_shift,
            h_shift=layer.h_shift,
            acc_shift=layer.acc_shift,
            state_shift=getattr(layer, "state_shift", 0),
            product=self._function(f"rnnedge_product_{'narrow' if is_narrow(layer) else 'wide'}"),
            **dict(
                zip(("weights", "bias", "multiplier"), (a.ctypes.data for a in arrays), strict=True)
            ),
        )
        self._kept += [cell, *arrays]
        self.weights.append(weights)
        return cell

    def _function(self, name: str) -> int:
        address = c.cast(getattr(self.functions, name), c.c_void_p).value
        assert address is not None
        return address

    def _dense(self, layer: DenseLayer) -> Dense:
        return Dense(
            units=layer.units,
            inputs=layer.inputs,
            relu=layer.activation == "relu",
            w=layer.W.ctypes.data,
            bias=layer.bias.ctypes.data,
            multiplier=layer.multiplier.ctypes.data,
        )

    def call(self, function: str, *arguments: object) -> int:
        """Call a function of the C API on this model; arrays are passed as pointers."""
        plain = [
            c.c_void_p(item.ctypes.data) if isinstance(item, np.ndarray) else item
            for item in arguments
        ]
        return int(getattr(self.functions, function)(c.byref(self.struct), *plain))

    def run(self, x: np.ndarray, *, fill: int = 0xAA) -> Trace:
        """Run int16 windows step by step; buffers lie between canaries, scratch is dirty."""
        model, (windows, steps, _) = self.model, x.shape
        x = np.ascontiguousarray(x)
        size = model.buffer_size if model.bidirectional else model.state_size
        values = scratch_size(model)
        memory = np.full(size + 2 * values + 4 * MARGIN + size % 2, CANARY, np.uint16)
        state = memory.view(np.int16)[MARGIN : MARGIN + size]
        start = size + size % 2 + 2 * MARGIN  # int32 values are aligned
        scratch = memory[start : start + 2 * values].view(np.int32)
        reports = (1, model.layer_values) if model.bidirectional else (steps, model.state_size)
        states = np.empty((windows, *reports), np.int16)
        times = steps if model.recurrent[-1].return_sequences else 1
        scores = np.empty((windows, model.outputs), np.int32)
        for window in range(windows):
            scratch.view(np.uint8)[:] = fill
            if model.bidirectional:
                every = np.empty((times, model.outputs), np.int32)
                count = c.c_uint16(steps)
                assert (
                    self.call("rnnedge_model_window", x[window], count, state, scratch, every) == 0
                )
                states[window, 0] = state[: model.layer_values]
                scores[window] = every[-1]
                continue
            assert self.call("rnnedge_model_reset", state) == 0
            for t in range(steps):
                scratch.view(np.uint8)[:] = fill
                assert self.call("rnnedge_model_step", state, x[window, t], scratch) == 0
                states[window, t] = state
            assert self.call("rnnedge_model_output", state, scratch, scores[window]) == 0
        edges = [memory[:MARGIN], memory[MARGIN + size : start], memory[start + 2 * values :]]
        assert all((edge == CANARY).all() for edge in edges), "wrote past a buffer"
        return Trace(states=states, scores=scores)
