"""The binary stream that firmware/app/verify.c speaks: windows in, states and scores out."""

import struct
from dataclasses import dataclass

import numpy as np

from rnnedge.arrays import F32, I16, I32
from rnnedge.errors import ToolError
from rnnedge.simulator import Trace

_MAGIC, _END = b"RNNV", b"DONE"
_HEADER = struct.Struct("<4s5I32s")
_TRAILER = struct.Struct("<4sI")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What a device made of the windows.

    Attributes:
        sha256: hash of the model on the device, hex.
        trace: its states and scores.
        stack_bytes: stack used by a step, below its call; 0 if not measured.
    """

    sha256: str
    trace: Trace
    stack_bytes: int


def request(x: F32 | I16) -> bytes:
    """Return the stream for windows x (windows, steps, channels).

    float32 are raw values that the device quantises itself, int16 are quantised values.
    """
    windows, steps, _ = x.shape
    raw = int(x.dtype == np.float32)
    head = _MAGIC + struct.pack("<3I", raw, windows, steps)
    return head + x.astype("<f4" if raw else "<i2").tobytes()


def parse(data: bytes, windows: int, steps: int, where: str) -> Answer:
    """Read a device's answer.

    Raises:
        ToolError: the answer is cut short or is no answer; `where` names the device.
    """
    if len(data) < _HEADER.size or not data.startswith(_MAGIC):
        raise ToolError(f"{where}: no answer from the program ({len(data)} bytes)")
    _, _, _, outputs, values, reports, sha256 = _HEADER.unpack_from(data)
    if reports not in (1, steps):
        raise ToolError(f"{where}: the program answers {reports} states a window, not {steps} or 1")
    end = _HEADER.size + windows * (2 * reports * values + 4 * outputs)
    if len(data) != end + _TRAILER.size:
        raise ToolError(
            f"{where}: the answer has {len(data)} bytes, expected {end + _TRAILER.size}; "
            "the program stopped early"
        )
    per_window = np.dtype([("states", "<i2", (reports, values)), ("scores", "<i4", (outputs,))])
    body = np.frombuffer(data, per_window, count=windows, offset=_HEADER.size)
    mark, stack_bytes = _TRAILER.unpack_from(data, end)
    if mark != _END:
        raise ToolError(f"{where}: the answer does not end as it should")
    states: I16 = body["states"].astype(np.int16)
    scores: I32 = body["scores"].astype(np.int32)
    return Answer(
        sha256=sha256.hex(), trace=Trace(states=states, scores=scores), stack_bytes=stack_bytes
    )
