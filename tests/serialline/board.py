"""The server of firmware/serial in this process: a port without time, thousands of models."""

import ctypes as c
import itertools
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rnnedge.convert.c import scratch_size
from rnnedge.spec import QuantizedModel
from rnnedge.targets.build import STRICT, firmware
from tests.runtime import Device as Runtime
from tests.serialline.faults import Direction, clean

Change = Callable[[str], str]
_Write = c.CFUNCTYPE(None, c.POINTER(c.c_uint8), c.c_uint16)
_Cycles = c.CFUNCTYPE(c.c_uint32)
_SERVER_BYTES = 1024
_CANARY = 0x5A
_MARGIN = 16
_DELAYED_FRAMES = 6


def compile_server(folder: Path, *flags: str, compiler: str = "cc", change: Change | None = None):
    """Compile runtime and server as a shared library; `change` is applied to serial.c."""
    for name in ("include", "src", "kernels", "serial"):
        (folder / name).mkdir()
        for path in firmware(name).glob("*.[ch]"):
            (folder / name / path.name).write_text(path.read_text())
    server = folder / "serial" / "serial.c"
    if change is not None:
        text = server.read_text()
        assert change(text) != text, "there is no such text any more"
        server.write_text(change(text))
    library = folder / "libserver.so"
    strict = STRICT if change is None else ()
    command = [compiler, "-shared", "-fPIC", "-O2", *strict, *flags]
    sources = [
        path for name in ("src", "kernels", "serial") for path in (folder / name).glob("*.c")
    ]
    subprocess.run([*command, *map(str, sources), "-o", str(library)], check=True)
    return c.CDLL(str(library))


class Board:
    """A board as a port: what is written is served at once, through faults both ways.

    Args:
        library: of compile_server.
        model: what it runs.
        to_board: what happens to requests.
        from_board: what happens to answers.
        reset: whether the board is reset now, given the frames that were sent to it.
        counts: table of the channels' counts (tests.instances.counts_table), or None.
        cycles: it has a counter.

    Attributes:
        frames: that were sent to it.
        resets: how often it was reset.
        counter: what its counter shows; a look at it takes 7 ticks when the board starts.
    """

    def __init__(
        self,
        library: c.CDLL,
        model: QuantizedModel,
        *,
        to_board: Direction = clean,
        from_board: Direction = clean,
        reset: Callable[[int], bool] = lambda frames: False,
        counts: object = None,
        cycles: bool = True,
    ) -> None:
        self.name, self.frames, self.resets = "a board", 0, 0
        self._runtime, self._model, self._reset = Runtime(library, model), model, reset
        self._faults, self._counts = (to_board, from_board), counts
        self._delayed: list[list[tuple[int, bytes]]] = [[], []]
        self._answers, self._arrived, self._sent = b"", b"", b""
        self._write = _Write(self._answered)
        self.counter: Callable[[], int] = itertools.count(0, 7).__next__
        self._cycles = _Cycles(lambda: self.counter()) if cycles else None
        self._serial = c.create_string_buffer(_SERVER_BYTES)
        self._name = c.c_char_p(model.name.encode())
        steps = model.window if model.bidirectional else 1
        times = model.window if model.recurrent[-1].return_sequences else 1
        state = model.buffer_size if model.bidirectional else model.state_size
        width = model.input.channels
        width = width if model.encoder is None else max(width, model.encoder.input.channels)
        sizes = 2 * state, 2 * steps * width
        sizes += 4 * scratch_size(model), 4 * times * model.outputs
        self._memory = [np.full(size + 2 * _MARGIN, _CANARY, np.uint8) for size in sizes]
        self.power_on()

    def power_on(self, status: int = 0) -> None:
        """Start anew: memory may hold anything; expect a status of rnnedge_serial_init."""
        self._arrived = b""
        self._serial[:] = b"\xaa" * _SERVER_BYTES
        for part in self._memory:
            part[_MARGIN:-_MARGIN] = 0xAA
        pointers = [c.c_void_p(part.ctypes.data + _MARGIN) for part in self._memory]
        library = self._runtime.functions
        library.rnnedge_serial_init.argtypes = [c.c_void_p] * 10 + [c.c_uint32]
        found = library.rnnedge_serial_init(
            c.addressof(self._serial),
            c.addressof(self._runtime.struct),
            c.cast(self._name, c.c_void_p),
            None if self._counts is None else c.addressof(self._counts),
            *pointers,
            c.cast(self._write, c.c_void_p),
            None if self._cycles is None else c.cast(self._cycles, c.c_void_p),
            0 if self._cycles is None else 1_000_000,
        )
        assert found == status

    def write(self, data: bytes) -> None:
        """Send bytes to the board."""
        for frame in self._frames("_sent", data):
            self.frames += 1
            if self._reset(self.frames):
                self.resets += 1
                self.power_on()
            self._carry(0, frame, self.receive)

    def read(self) -> bytes:
        """Return what the board has sent."""
        answers, self._answers = self._answers, b""
        return answers

    def receive(self, data: bytes) -> None:
        """Let the server have bytes as they are."""
        for byte in data:
            self._runtime.functions.rnnedge_serial_receive(self._serial, c.c_uint8(byte))

    def check_memory(self) -> None:
        """Nothing was written beside the memory."""
        for part in self._memory:
            assert (part[:_MARGIN] == _CANARY).all() and (part[-_MARGIN:] == _CANARY).all()

    def _answered(self, data: "c._Pointer[c.c_uint8]", n: int) -> None:
        for frame in self._frames("_arrived", c.string_at(data, n)):
            self._carry(1, frame, self._keep)

    def _keep(self, data: bytes) -> None:
        self._answers += data

    def _frames(self, name: str, data: bytes) -> list[bytes]:
        """Return the frames that data completes; the rest waits in an attribute."""
        *frames, rest = (getattr(self, name) + data).split(b"\n")
        setattr(self, name, rest)
        return [frame + b"\n" for frame in frames]

    def _carry(self, direction: int, frame: bytes, deliver: Callable[[bytes], None]) -> None:
        """Deliver a frame through the faults; a delayed one after some that come later."""
        now = []
        for delay, data in self._faults[direction](frame):
            if delay:
                self._delayed[direction].append((int(delay * _DELAYED_FRAMES) + 1, data))
            else:
                now.append(data)
        waiting = [(left - 1, data) for left, data in self._delayed[direction]]
        self._delayed[direction] = [item for item in waiting if item[0] > 0]
        now += [data for left, data in waiting if left <= 0]
        for data in now:
            deliver(data)
