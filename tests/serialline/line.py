"""A line with faults: a pty, a process behind it, and what can go wrong between them."""

import heapq
import os
import pty
import select
import subprocess
import threading
import time
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from tests.serialline.faults import Direction, clean


class Line:
    """A process as the board behind a pty.

    Args:
        command: the process.
        to_board: what happens to requests.
        from_board: what happens to answers.
        reset: whether the process is started anew now, given the frames that passed.
        seconds: the longest delay.

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
        seconds: float = 0.03,
    ) -> None:
        self._command, self._reset = [str(word) for word in command], reset
        self._seconds = seconds
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
                        heapq.heappush(due, (now + delay * self._seconds, order, direction, faulty))
                if frames and not direction and self._reset(self.frames):
                    self.resets += 1
                    self._end()
                    self._start()
                    held[1] = b""
                    break

    def _send(self, direction: int, data: bytes) -> None:
        while data:
            data = data[os.write((self._in, self._master)[direction], data) :]
