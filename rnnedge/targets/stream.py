"""The binary stream that firmware/app/verify.c speaks: windows in, states and scores out."""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnedge.arrays import F32, I16, I32
from rnnedge.errors import ToolError
from rnnedge.simulator import Trace
from rnnedge.spec import QuantizedModel

_MAGIC, _END = b"RNNV", b"DONE"
_HEADER = struct.Struct("<4s5I32s")
_TRAILER = struct.Struct("<4sI")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What a device made of the windows.

    Attributes:
        sha256: hash of the model on the device, hex.
        trace: its states and scores; of free steps the scores are int32 (windows, answers,
            outputs): after the last fed step, if there is one, and after each free step.
        stack_bytes: stack used by a step, below its call; 0 if not measured.
    """

    sha256: str
    trace: Trace
    stack_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Request:
    """What a program is to run.

    Attributes:
        x: (windows, steps, values): float32 are raw values that the device quantises itself, int16
            are quantised values. Without steps: (windows, 0, values).
        free: the program has free steps, starts or an encoder (APP_GENERATES); without it there is
            nothing of what follows.
        features: float32 (windows, features), raw; None: from a zero state.
        encoder: float32 (windows, encoder steps, raw values); None: nothing is encoded.
        back: free steps.
    """

    x: F32 | I16
    free: bool = False
    features: F32 | None = None
    encoder: F32 | None = None
    back: int = 0

    @classmethod
    def of(cls, x: "F32 | I16 | Request") -> "Request":
        """Return a request for plain windows, or the request itself."""
        return x if isinstance(x, Request) else cls(x=x)

    @classmethod
    def windows(cls, model: QuantizedModel, x: F32 | I16) -> "Request":
        """Return the request for windows of a model, from a zero state."""
        return cls(x=x, free=has_phases(model))

    @property
    def states(self) -> int:
        """States of a window that the program answers."""
        encoded = 0 if self.encoder is None else self.encoder.shape[1]
        return int(encoded + self.x.shape[1] + self.back)

    @property
    def scores(self) -> int | None:
        """Scores of a window; None: those after the last step, of plain windows."""
        if not (self.back or self.encoder is not None or self.features is not None):
            return None
        return int(self.x.shape[1] > 0) + self.back

    @property
    def size(self) -> int:
        """Numbers of all samples, also of those that free steps make."""
        encoded = 0 if self.encoder is None else self.encoder.size
        return int(self.x.size + encoded + self.x.shape[0] * self.x.shape[2] * self.back)


def has_phases(model: QuantizedModel) -> bool:
    """Tell whether a model's verify program is built with APP_GENERATES."""
    return model.generates or model.start is not None or model.encoder is not None


def request(x: F32 | I16 | Request) -> bytes:
    """Return the stream for windows (windows, steps, channels), or for a request."""
    asked = Request.of(x)
    windows, steps, _ = asked.x.shape
    raw = int(asked.x.dtype == np.float32)
    head = _MAGIC + struct.pack("<3I", raw, windows, steps)
    samples = asked.x.astype("<f4" if raw else "<i2")
    if not asked.free:
        return head + samples.tobytes()
    encoded = 0 if asked.encoder is None else asked.encoder.shape[1]
    head += struct.pack("<3I", asked.features is not None, encoded, asked.back)
    parts = [
        part if part.dtype == samples.dtype else part.astype("<f4")
        for part in (asked.features, asked.encoder, samples)
        if part is not None
    ]
    return head + b"".join(part[i].tobytes() for i in range(windows) for part in parts)


def parse(data: bytes, x: F32 | I16 | Request, where: str) -> Answer:
    """Read a device's answer to a request.

    Raises:
        ToolError: the answer is cut short or is no answer; `where` names the device.
    """
    asked = Request.of(x)
    windows, steps = len(asked.x), asked.states
    if len(data) < _HEADER.size or not data.startswith(_MAGIC):
        raise ToolError(f"{where}: no answer from the program ({len(data)} bytes)")
    _, _, _, outputs, values, reports, sha256 = _HEADER.unpack_from(data)
    if reports not in (1, steps):
        raise ToolError(f"{where}: the program answers {reports} states a window, not {steps} or 1")
    form = np.dtype(_form(asked, reports, values, outputs))
    end = _HEADER.size + windows * form.itemsize
    if len(data) != end + _TRAILER.size:
        raise ToolError(
            f"{where}: the answer has {len(data)} bytes, expected {end + _TRAILER.size}; "
            "the program stopped early"
        )
    body = np.frombuffer(data, form, count=windows, offset=_HEADER.size)
    mark, stack_bytes = _TRAILER.unpack_from(data, end)
    if mark != _END:
        raise ToolError(f"{where}: the answer does not end as it should")
    states: I16 = body["states"].astype(np.int16)
    scores: I32 = body["scores"].astype(np.int32)
    if asked.back:
        free = body["free"]
        states = np.concatenate([states, free["state"].astype(np.int16)], axis=1)
        scores = np.concatenate([scores, free["scores"].astype(np.int32)], axis=1)
    return Answer(
        sha256=sha256.hex(), trace=Trace(states=states, scores=scores), stack_bytes=stack_bytes
    )


def _form(asked: Request, reports: int, values: int, outputs: int) -> list[tuple[Any, ...]]:
    """Return the fields of a window's answer."""
    fed = asked.scores
    if fed is None:
        return [("states", "<i2", (reports, values)), ("scores", "<i4", (outputs,))]
    fields: list[tuple[Any, ...]] = [
        ("states", "<i2", (reports - asked.back, values)),
        ("scores", "<i4", (fed - asked.back, outputs)),
    ]
    if asked.back:
        free = [("state", "<i2", (values,)), ("scores", "<i4", (outputs,))]
        fields.append(("free", free, (asked.back,)))
    return fields
