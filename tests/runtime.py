"""The C runtime as a shared library, with models built in memory: thousands of them, no compiling.

The structures mirror firmware/include/rnnedge.h field by field.
"""

import ctypes as c
import subprocess
from pathlib import Path

import numpy as np

from rnnedge.convert.c import scratch_size
from rnnedge.modelfile import model_hash
from rnnedge.simulator import Trace
from rnnedge.spec import CONTRACT, DenseLayer, GruLayer, QuantizedModel
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


class Gru(c.Structure):
    _fields_ = [
        ("units", c.c_uint16),
        ("inputs", c.c_uint16),
        ("reset_after", c.c_uint8),
        ("input_bits", c.c_uint8),
        ("input_shift", c.c_int8),
        ("shift", c.c_uint8),
        ("w", c.c_void_p),
        ("u", c.c_void_p),
        ("bias", c.c_void_p),
        ("multiplier", c.c_void_p),
    ]


class Dense(c.Structure):
    _fields_ = [
        ("units", c.c_uint16),
        ("inputs", c.c_uint16),
        ("w", c.c_void_p),
        ("bias", c.c_void_p),
        ("multiplier", c.c_void_p),
    ]


class Layer(c.Structure):
    _fields_ = [
        ("step", c.c_void_p),
        ("params", c.c_void_p),
        ("inputs", c.c_uint16),
        ("outputs", c.c_uint16),
        ("state_size", c.c_uint16),
    ]


class Model(c.Structure):
    _fields_ = [
        ("abi", c.c_uint16),
        ("inputs", c.c_uint16),
        ("outputs", c.c_uint16),
        ("window", c.c_uint16),
        ("state_size", c.c_uint16),
        ("scratch_size", c.c_uint16),
        ("fraction_bits", c.c_uint8),
        ("n_layers", c.c_uint8),
        ("layers", c.POINTER(Layer)),
        ("head", c.POINTER(Dense)),
        ("channels", c.POINTER(Channel)),
        ("classes", c.c_void_p),
        ("sha256", c.c_char_p),
    ]


class Golden(c.Structure):
    _fields_ = [
        ("windows", c.c_uint16),
        ("steps", c.c_uint16),
        ("x", c.c_void_p),
        ("scores", c.c_void_p),
        ("states", c.c_void_p),
    ]


def compile_runtime(folder: Path, *flags: str) -> c.CDLL:
    """Compile firmware/src as a shared library with the core flags."""
    library = folder / "librnnedge.so"
    sources = sorted(firmware("src").glob("*.c"))
    command = ["cc", "-shared", "-fPIC", "-O2", *STRICT, *flags, f"-I{firmware('include')}"]
    subprocess.run([*command, *map(str, sources), "-o", str(library)], check=True)
    return c.CDLL(str(library))


class Device:
    """A quantised model in the C runtime's memory."""

    def __init__(self, library: c.CDLL, model: QuantizedModel) -> None:
        self.functions, self.model = library, model
        self._kept: list[object] = []
        layers = (Layer * len(model.recurrent))(*map(self._layer, model.recurrent))
        rows = zip(
            *(getattr(model.input, key) for key in ("exponent", "multiplier", "offset", "shift")),
            strict=True,
        )
        channels = (Channel * model.input.channels)(
            *(Channel(2.0 ** int(e), int(m), int(o), int(s)) for e, m, o, s in rows)
        )
        head = self._dense(model.head[0])
        self._kept += [layers, channels, head]
        self.struct = Model(
            abi=CONTRACT,
            inputs=model.input.channels,
            outputs=model.outputs,
            window=model.window,
            state_size=model.state_size,
            scratch_size=scratch_size(model),
            fraction_bits=model.head[0].fraction_bits,
            n_layers=len(layers),
            layers=layers,
            head=c.pointer(head),
            channels=channels,
            classes=None,
            sha256=bytes.fromhex(model_hash(model)),
        )

    def _layer(self, layer: GruLayer) -> Layer:
        form = "after" if layer.reset_after else "before"
        step = c.cast(getattr(self.functions, f"rnnedge_gru_step_{form}"), c.c_void_p)
        params = Gru(
            units=layer.units,
            inputs=layer.inputs,
            reset_after=layer.reset_after,
            input_bits=layer.input_bits,
            input_shift=layer.input_shift,
            shift=layer.shift,
            w=layer.W.ctypes.data,
            u=layer.U.ctypes.data,
            bias=layer.bias.ctypes.data,
            multiplier=layer.multiplier.ctypes.data,
        )
        self._kept.append(params)
        return Layer(step, c.addressof(params), layer.inputs, layer.units, layer.units)

    def _dense(self, layer: DenseLayer) -> Dense:
        return Dense(
            units=layer.units,
            inputs=layer.inputs,
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
        windows, steps, _ = x.shape
        x = np.ascontiguousarray(x)
        size, scratch_values = self.model.state_size, scratch_size(self.model)
        memory = np.full(size + scratch_values + 3 * MARGIN, CANARY, np.uint16).view(np.int16)
        state = memory[MARGIN : MARGIN + size]
        scratch = memory[size + 2 * MARGIN : size + 2 * MARGIN + scratch_values]
        states = np.empty((windows, steps, size), np.int16)
        scores = np.empty((windows, self.model.outputs), np.int32)
        for window in range(windows):
            assert self.call("rnnedge_reset", state) == 0
            for t in range(steps):
                scratch.view(np.uint8)[:] = fill
                assert self.call("rnnedge_step", state, x[window, t], scratch) == 0
                states[window, t] = state
            assert self.call("rnnedge_output", state, scores[window]) == 0
        edges = [memory[:MARGIN], memory[MARGIN + size :][:MARGIN], memory[-MARGIN:]]
        assert all((edge.view(np.uint16) == CANARY).all() for edge in edges), "wrote past a buffer"
        return Trace(states=states, scores=scores)
