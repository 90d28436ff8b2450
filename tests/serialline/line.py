"""A line with faults: a pty, a process behind it, and what can go wrong between them."""

import heapq
import os
import pty
import select
import subprocess
import threading
import time
import tty
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

KINDS = ("lost", "byte lost", "damaged", "burst", "inserted", "repeated", "delayed", "cut", "joined")


class Faults:
    """Faults in the frames of one direction.

    Attributes:
        rate: part of the frames that one fault or more happens to.
        seconds: a delayed frame comes so much later, at most.
        done: how often each fault was made.
    """

    def __init__(self, seed: int, rate: float, *, seconds: float = 0.05) -> None:
        self.rng = np.random.default_rng(seed)
        self.rate, self.seconds = rate, seconds
        self.done: Counter[str] = Counter()

    def __call__(self, frame: bytes) -> list[tuple[float, bytes]]:
        """Return (delay in seconds, bytes) in place of a frame."""
        out = [(0.0, frame)]
        while self.rng.random() < self.rate:
            kind = str(self.rng.choice(KINDS))
            self.done[kind] += 1
            out = self._fault(kind, out)
        return out

    def _fault(self, kind: str, out: list[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
        if not out:
            return out
        (delay, frame), *others = out
        at = int(self.rng.integers(max(len(frame), 1)))
        if kind == "lost":
            return others
        if kind == "repeated":
            again = float(self.rng.choice([0.0, 0.0, self.seconds * self.rng.random()]))
            return [(delay, frame), (delay + again, frame), *others]
        if kind == "delayed":
            return [(delay + self.seconds * self.rng.random(), frame), *others]
        if kind == "byte lost":
            frame = frame[:at] + frame[at + 1 :]
        elif kind == "damaged":
            frame = frame[:at] + self._other(frame[at : at + 1]) + frame[at + 1 :]
        elif kind == "burst":
            end = at + int(self.rng.integers(1, 12))
            frame = frame[:at] + self.rng.bytes(len(frame[at:end])) + frame[end:]
        elif kind == "inserted":
            more = self.rng.choice([self.rng.bytes(3), b"\n", b">", b"<", b"0", b"boot: ok\r\n"])
            frame = frame[:at] + bytes(more) + frame[at:]
        elif kind == "cut":
            frame = frame[:at]
        elif kind == "joined":
            frame = frame.rstrip(b"\n")
        return [(delay, frame), *others]

    def _other(self, byte: bytes) -> bytes:
        """A hexadecimal digit more often than not: what only the CRC can tell."""
        if self.rng.random() < 0.8:
            return bytes([self.rng.choice([d for d in b"0123456789ABCDEF" if bytes([d]) != byte])])
        return bytes([byte[0] ^ 1 << int(self.rng.integers(8))]) if byte else b"?"


Direction = Callable[[bytes], list[tuple[float, bytes]]]


def clean(frame: bytes) -> list[tuple[float, bytes]]:
    """A line without faults."""
    return [(0.0, frame)]


class Line:
    """A process as the board behind a pty.

    Attributes:
        port: what to open.
        frames: that passed, both ways.
        resets: how often the process was started anew.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        to_board: Direction = clean,
        from_board: Direction = clean,
        reset: Callable[[int], bool] = lambda frames: False,
    ) -> None:
        self._command, self._reset = [str(word) for word in command], reset
        self._faults = to_board, from_board
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self.frames = self.resets = 0
        self._stop = threading.Event()
        self._start()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Line":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._end()
        os.close(self._master)
        os.close(self._slave)

    def _start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self._process.stdin and self._process.stdout
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _run(self) -> None:
        """Carry frames until it is stopped."""
        held = [b"", b""]
        due: list[tuple[float, int, int, bytes]] = []  # when, order, direction, bytes
        order = 0
        while not self._stop.is_set():
            now = time.monotonic()
            while due and due[0][0] <= now:
                _, _, direction, data = heapq.heappop(due)
                self._send(direction, data)
            wait = min(0.01, due[0][0] - now) if due else 0.01
            ready, _, _ = select.select([self._master, self._out], [], [], max(wait, 0))
            for source in ready:
                direction = int(source == self._out)
                data = os.read(source, 4096)
                assert data or not direction, "the board's process has ended"
                *frames, held[direction] = (held[direction] + data).split(b"\n")
                for frame in frames:
                    self.frames += 1
                    for delay, faulty in self._faults[direction](frame + b"\n"):
                        order += 1
                        heapq.heappush(due, (now + delay, order, direction, faulty))
                if frames and not direction and self._reset(self.frames):
                    self.resets += 1
                    self._end()
                    self._start()
                    held[1] = b""
                    break

    def _send(self, direction: int, data: bytes) -> None:
        while data:
            data = data[os.write((self._in, self._master)[direction], data) :]
