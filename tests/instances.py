"""Instances of the C runtime, in memory that tells what was written where.

The structures mirror firmware/include/rnnedge.h field by field.
"""

import ctypes as c

import numpy as np

from rnnedge.convert.c import scratch_size
from rnnedge.counts import CountsMap
from tests.runtime import CANARY, MARGIN, Device, Model


class Golden(c.Structure):
    _fields_ = [
        ("windows", c.c_uint16),
        ("steps", c.c_uint16),
        ("back", c.c_uint16),
        ("n_before", c.c_uint16),
        ("first", c.c_void_p),
        ("before", c.c_void_p),
        ("raw", c.c_void_p),
        ("x", c.c_void_p),
        ("scores", c.c_void_p),
        ("states", c.c_void_p),
        ("free", c.c_void_p),
    ]


class Rules(c.Structure):
    _fields_ = [("every", c.c_uint16), ("reject", c.c_uint16), ("majority", c.c_uint8)]


class Result(c.Structure):
    _fields_ = [("label", c.c_int16), ("best", c.c_int16), ("probability", c.c_uint16)]


class InstanceStruct(c.Structure):
    _fields_ = [
        ("model", c.POINTER(Model)),
        ("rules", Rules),
        ("result", Result),
        ("level", c.c_int32),
        ("scores", c.POINTER(c.c_int32)),
        ("state", c.c_void_p),
        ("x", c.c_void_p),
        ("scratch", c.c_void_p),
        ("outputs", c.c_void_p),
        ("steps", c.c_uint32),
        ("count", c.c_uint16),
        ("current", c.c_uint8),
        ("n_votes", c.c_uint8),
        ("votes", c.c_int16 * 15),
    ]


class Counts(c.Structure):
    _fields_ = [("offset", c.c_int64), ("multiplier", c.c_int32), ("shift", c.c_uint8)]


def counts_table(counts: CountsMap) -> c.Array[Counts]:
    """The exported table of a map."""
    columns = (counts.offset.tolist(), counts.multiplier.tolist(), counts.shift.tolist())
    rows = [Counts(*row) for row in zip(*columns, strict=True)]
    return (Counts * len(rows))(*rows)


class Instance:
    """An instance of a device's model; its memory lies between canaries and starts dirty."""

    def __init__(self, device: Device, **rules: int) -> None:
        model = device.model
        self.device, self.struct = device, InstanceStruct()
        c.memset(c.byref(self.struct), 0xA5, c.sizeof(self.struct))
        times = model.window if model.recurrent[-1].return_sequences else 1
        whole = model.bidirectional
        width = model.input.channels
        if model.encoder is not None:
            width = max(width, model.encoder.input.channels)
        sizes = [
            model.buffer_size if whole else model.state_size,
            width * (model.window if whole else 1),
            2 * scratch_size(model),
            2 * model.outputs * (times if whole else 1),
        ]
        arrays, total = [], 0
        for size in sizes:
            arrays.append((total + MARGIN, size))
            total += size + size % 2 + 2 * MARGIN
        self._memory = np.full(total, CANARY, np.uint16)
        inside = np.zeros(total, bool)
        for start, size in arrays:
            inside[start : start + size] = True
        self._outside = ~inside
        self.memory = [self._memory[start : start + size] for start, size in arrays]
        self.state, self.x = (part.view(np.int16) for part in self.memory[:2])
        self.scratch, self.outputs = (part.view(np.int32) for part in self.memory[2:])
        pointers = [c.c_void_p(part.ctypes.data) for part in self.memory]
        init = device.functions.rnnedge_init
        assert init(c.byref(self.struct), c.byref(device.struct), *pointers) == 0
        if rules:
            assert self.set_rules(**rules) == 0

    def set_rules(self, *, every: int = 0, reject: int = 0, majority: int = 1) -> int:
        """Call rnnedge_set_rules."""
        return self.call("rnnedge_set_rules", c.byref(Rules(every, reject, majority)))

    def call(self, function: str, *arguments: object) -> int:
        """Call a function of the C API on this instance; arrays are passed as pointers."""
        plain = [
            c.c_void_p(item.ctypes.data) if isinstance(item, np.ndarray) else item
            for item in arguments
        ]
        status = int(getattr(self.device.functions, function)(c.byref(self.struct), *plain))
        assert (self._memory[self._outside] == CANARY).all(), "wrote past a buffer"
        return status

    def step(self, raw: np.ndarray) -> int:
        """Call rnnedge_step with one sample; scratch is dirty."""
        self.memory[2][:] = 0xAAAA
        return self.call("rnnedge_step", np.ascontiguousarray(raw, np.float32))

    @property
    def result(self) -> tuple[int, int, int]:
        """The label, best class and probability."""
        found = self.struct.result
        return found.label, found.best, found.probability

    @property
    def scores(self) -> np.ndarray:
        """The scores of the last result."""
        return np.array(self.struct.scores[: self.device.model.outputs], np.int32)

    def save(self) -> np.ndarray:
        """The saved bytes, which lie between canaries."""
        size = self.device.functions.rnnedge_save_size(c.byref(self.device.struct))
        memory = np.full(size + 2 * MARGIN, 0x5A, np.uint8)
        assert self.call("rnnedge_save", memory[MARGIN : MARGIN + size]) == 0
        assert (memory[:MARGIN] == 0x5A).all()
        assert (memory[MARGIN + size :] == 0x5A).all()
        return memory[MARGIN : MARGIN + size].copy()
