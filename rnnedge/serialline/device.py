"""The model on a board: what it is, and what it makes of windows."""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np

from rnnedge.arrays import F32, I16, I32
from rnnedge.errors import DeviceError
from rnnedge.serialline.answers import DeviceInfo, WindowResult
from rnnedge.serialline.frames import MAX_PAYLOAD, PROTOCOL, Kind, Readable, SampleFormat
from rnnedge.serialline.link import Link, SessionLostError, Statistics
from rnnedge.serialline.port import open_port

BAUD = 115_200
BOOT_SECONDS = 5.0
MAX_RESETS = 5
"""A window is repeated if the board starts anew, at most so often."""

_T = TypeVar("_T")
_BIDIRECTIONAL, _COUNTS, _STACK = 1, 2, 4  # flags
_DESCRIPTION = struct.Struct("<BBHHHHIIBBB32s")
_CHUNK, _READ, _U32 = struct.Struct("<BI"), struct.Struct("<BIB"), struct.Struct("<I")
_ROOM = MAX_PAYLOAD - _CHUNK.size
_FIRST_VALUES = (MAX_PAYLOAD - _U32.size) // 2
_WIRE = {SampleFormat.RAW: "<f4", SampleFormat.QUANTISED: "<i2", SampleFormat.COUNTS: "<i2"}


class Device:
    """A board that runs a model, over a link that is ready.

    Attributes:
        info: what it says of its firmware.
    """

    def __init__(self, link: Link, *, boot_seconds: float = BOOT_SECONDS) -> None:
        """Begin a session.

        Raises:
            DeviceError: no answer, or another version of the protocol.
        """
        self._link, self._boot_seconds = link, boot_seconds
        self.info = self._repeated(self._hello)

    @property
    def port(self) -> str:
        """The name of its port."""
        return self._link.port.name

    @property
    def statistics(self) -> Statistics:
        """What happened on the line so far."""
        return self._link.statistics

    def run_window(
        self,
        x: F32 | I16,
        *,
        counts: bool = False,
        raw_values: int | None = None,
        back: int = 0,
        features: F32 | None = None,
        encoder: F32 | None = None,
    ) -> WindowResult:
        """Run one window from a zero state; again from its start if the board resets meanwhile.

        Args:
            x: (steps, inputs), float32 in raw units or int16 as quantised.
            counts: int16 x is a sensor's counts.
            raw_values: numbers of a raw sample; None: as many as inputs. An id is one.
            back: free steps behind the window, of a model that generates.
            features: float32 (features,), raw, that the state is made of; None: it is zero.
            encoder: float32 (steps, raw values) that the encoder reads before the window, or None.

        Raises:
            DeviceError: the line or the board fails, or resets again and again.
        """
        raw = x.dtype == np.float32
        width = raw_values if raw and raw_values is not None else self.info.inputs
        if x.ndim != 2 or x.shape[1] != width or len(x) == 0:
            raise DeviceError(f"a window is {x.shape}, not (steps, {width})")
        if self.info.bidirectional and len(x) != self.info.window:
            raise DeviceError(f"the board's model sees {self.info.window} steps, not {len(x)}")
        wire = SampleFormat.RAW if raw else (SampleFormat.QUANTISED, SampleFormat.COUNTS)[counts]
        if self.info.bidirectional:
            return self._repeated(lambda: self._whole(x, wire))
        return self._repeated(lambda: self._steps(x, wire, back, features, encoder))

    def stack_bytes(self) -> int:
        """Return the bytes of stack that the firmware used so far; 0: it does not measure that."""
        if not self.info.stack:
            return 0
        return int(self._repeated(lambda: self._read(Readable.STACK, "<u4", 1))[0])

    def _repeated(self, work: Callable[[], _T]) -> _T:
        """Do `work`; begin a session and do it again if the board starts anew meanwhile."""
        for _ in range(MAX_RESETS + 1):
            try:
                return work()
            except SessionLostError:
                self.statistics.resets += 1
            try:
                again = self._hello()
            except SessionLostError:
                continue
            if again != getattr(self, "info", again):
                raise DeviceError(f"port {self.port}: after a reset the board runs another model")
        raise DeviceError(
            f"port {self.port}: the board started anew {MAX_RESETS + 1} times in one window; is "
            "its supply strong enough, does a watchdog run, does its stack fit?"
        )

    def _hello(self) -> DeviceInfo:
        data = self._link.hello(self._boot_seconds)
        if data[:1] != bytes([PROTOCOL]) or len(data) != _DESCRIPTION.size:
            version = f"version {data[0]}" if data else "no version"
            raise DeviceError(
                f"port {self.port}: the board speaks {version} of the protocol, not {PROTOCOL}; "
                "export and flash again"
            )
        _, flags, abi, inputs, outputs, window, values, hz, fraction, kernel, name, sha256 = (
            _DESCRIPTION.unpack(data)
        )
        return DeviceInfo(
            name=self._read(Readable.NAME, "u1", name).tobytes().decode("ascii", "replace"),
            sha256=sha256.hex(),
            abi=abi,
            inputs=inputs,
            outputs=outputs,
            window=window,
            values=values,
            fraction_bits=fraction,
            bidirectional=bool(flags & _BIDIRECTIONAL),
            counts=bool(flags & _COUNTS),
            stack=bool(flags & _STACK),
            kernel=kernel,
            cycles_hz=hz,
        )

    def _steps(
        self,
        x: F32 | I16,
        wire: SampleFormat,
        back: int,
        features: F32 | None,
        encoder: F32 | None,
    ) -> WindowResult:
        self._link.request(Kind.RESET)
        before = 0 if encoder is None else len(encoder)
        states = np.empty((before + len(x), self.info.values), np.int16)
        if features is not None:
            self._before(Kind.START, features, np.empty(self.info.values, np.int16))
        for t, sample in enumerate(() if encoder is None else encoder):
            self._before(Kind.ENCODE, sample, states[t])
        cycles = [self._step(sample, wire, states[before + t]) for t, sample in enumerate(x)]
        scores = self._scores()
        free_states = np.empty((back, self.info.values), np.int16)
        free_scores = np.empty((back, self.info.outputs), np.int32)
        for t in range(back):
            self._answered(self._link.request(Kind.BACK), free_states[t])
            free_scores[t] = self._scores()
        return WindowResult(
            states=states,
            scores=scores,
            cycles=tuple(cycles),
            free_states=free_states,
            free_scores=free_scores,
        )

    def _whole(self, x: F32 | I16, wire: SampleFormat) -> WindowResult:
        values = np.empty((1, self.info.values), np.int16)
        cycles = self._step(x.reshape(-1), wire, values[0])
        return WindowResult(
            states=values,
            scores=self._scores(),
            cycles=(cycles,),
            free_states=np.empty((0, self.info.values), np.int16),
            free_scores=np.empty((0, self.info.outputs), np.int32),
        )

    def _scores(self) -> I32:
        return self._read(Readable.SCORES, "<i4", self.info.outputs).astype(np.int32)

    def _step(self, x: F32 | I16, wire: SampleFormat, values: I16) -> int:
        """Write x, run a step, fill in the values that it leaves; return its cycles."""
        data = x.astype(_WIRE[wire])
        most = _ROOM // data.itemsize
        starts = range(0, len(data), most)
        for start in starts:
            last = start + most >= len(data)
            chunk = _CHUNK.pack(wire, start) + data[start : start + most].tobytes()
            answer = self._link.request(Kind.STEP if last else Kind.WRITE, chunk)
        return self._answered(answer, values)

    def _before(self, kind: Kind, raw: F32, values: I16) -> None:
        """Write features, or a sample of the encoder; fill in the values that they leave."""
        data = raw.astype("<f4")
        most = _ROOM // data.itemsize
        for start in range(0, len(data), most):
            chunk = _CHUNK.pack(SampleFormat.RAW, start) + data[start : start + most].tobytes()
            answer = self._link.request(kind, chunk)
        self._answered(answer, values)

    def _answered(self, answer: bytes, values: I16) -> int:
        """Fill in the values behind a step's answer; return its cycles."""
        first = min(len(values), _FIRST_VALUES)
        self._expect(answer, _U32.size + 2 * first)
        values[:first] = np.frombuffer(answer, "<i2", offset=_U32.size)
        values[first:] = self._read(Readable.STATE, "<i2", len(values), first)
        return int(_U32.unpack_from(answer)[0])

    def _read(self, what: Readable, form: str, size: int, start: int = 0) -> np.ndarray:
        """Return the values from `start` to `size`."""
        width = np.dtype(form).itemsize
        parts = [np.empty(0, form)]
        for at in range(start, size, MAX_PAYLOAD // width):
            count = min(MAX_PAYLOAD // width, size - at)
            answer = self._link.request(Kind.READ, _READ.pack(what, at, count))
            self._expect(answer, count * width)
            parts.append(np.frombuffer(answer, form))
        return np.concatenate(parts)

    def _expect(self, answer: bytes, size: int) -> None:
        if len(answer) != size:
            raise DeviceError(
                f"port {self.port}: an answer has {len(answer)} bytes, not {size}; the firmware "
                "is of another version: export and flash again"
            )


@contextmanager
def open_device(
    port: str, baud: int = BAUD, boot_seconds: float = BOOT_SECONDS
) -> Iterator[Device]:
    """Open a port and begin a session with the board behind it.

    Args:
        port: name of the port, such as /dev/ttyACM0.
        baud: of the firmware.
        boot_seconds: how long the board may take until it answers: opening the port resets many.

    Raises:
        DeviceError: the port is missing, busy or not permitted; no answer, or another protocol.
    """
    with open_port(port, baud) as line:
        yield Device(Link(line), boot_seconds=boot_seconds)
