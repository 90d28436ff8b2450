"""A program that speaks on its standard input and output, behind a serial port (a pty).

The port stays when the program starts again, as that of a board's USB chip does.
"""

import os
import select
import shutil
import subprocess
import tempfile
import threading
import tty
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from rnnedge.errors import ToolError
from rnnedge.targets.tools import complaint

_LARGEST = 1 << 16  # bytes on their way in one direction, before the sender has to wait
_CHUNK = 4096
_LOOK_MS = 5  # between two looks at a port that nobody has open
_PATIENCE = 10.0  # seconds


class Bridge:
    """A running program and its port.

    A thread moves the bytes. It also starts the program, which is tied to it: whatever ends this
    process, the program does not outlive it (on Linux).

    Attributes:
        port: path of the port, in raw mode.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        name: str,
        restart_on_open: bool = False,
        exit_codes: Mapping[int, str] | None = None,
        rescue: Callable[[str], bool] | None = None,
    ) -> None:
        """Start a program.

        Args:
            command: program and arguments; the program must be on the PATH or a path.
            name: of what it is, for errors.
            restart_on_open: opening the port starts the program again, as DTR resets a board;
                what it says while nobody has the port open is lost then. Else it has to wait.
            exit_codes: what its exit codes say, if it writes no complaint.
            rescue: told why the program has ended by itself, in the bridge's thread; returns
                whether to start the command again.
        """
        self._rescue = rescue
        self._command = _tied(list(map(str, command)))
        self._name = name
        self._exit_codes = exit_codes or {}
        self._restart_on_open = restart_on_open
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        if restart_on_open:
            os.close(self._slave)  # the coming and going of clients shows if nobody else has it
        self._wake, self._waker = os.pipe()
        for end in (self._master, self._wake, self._waker):
            os.set_blocking(end, False)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by close()
        self._failure: str | None = None
        self._lock = threading.Lock()
        self._restarts: list[threading.Event] = []
        self._ending = False
        self._open = not restart_on_open
        self._to_program, self._to_port = bytearray(), bytearray()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        if self._failure is not None and (kind is None or issubclass(kind, Exception)):
            raise ToolError(self._failure) from None

    @property
    def running(self) -> bool:
        """Whether the program runs; if it ended by itself, the end of the block says why."""
        return self._thread.is_alive()

    def restart(self) -> None:
        """Start the program again behind the same port; bytes on their way to it are lost.

        Raises:
            ToolError: it has ended by itself, or cannot be started.
        """
        done = threading.Event()
        with self._lock:
            self._restarts.append(done)
        if self.running:
            self._notify()
        while not done.wait(0.1):
            if not self.running:
                raise ToolError(self._failure or f"{self._name}: has ended")

    def close(self) -> None:
        """End the program and close the port."""
        if self._ending:
            return
        self._ending = True
        self._notify()
        self._thread.join(_PATIENCE)
        os.close(self._wake)
        os.close(self._waker)
        self._errors.close()

    def _notify(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._waker, b"!")

    # what follows runs in the thread

    def _run(self) -> None:
        process = None
        try:
            process = self._start()
            while not self._ending:
                if self._restart_asked():
                    _end(process)
                    process = self._start()
                    self._restarted()
                elif not self._move(process):
                    process.wait()
                    reason = self._reason(process.returncode)
                    if not self._rescued(reason):
                        self._failure = reason
                        break
                    _end(process)
                    process = self._start()
        except OSError as error:
            self._failure = f"{self._name}: cannot be started ({error.strerror or error})"
        finally:
            if process is not None:
                _end(process)
            # a client's next read or write fails
            os.close(self._master)
            if not self._restart_on_open:
                os.close(self._slave)

    def _start(self) -> "subprocess.Popen[bytes]":
        self._to_program.clear()
        self._errors.seek(0)
        self._errors.truncate()
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for this process
        )
        for end in _ends(process):
            os.set_blocking(end, False)
        return process

    def _restart_asked(self) -> bool:
        with self._lock:
            return bool(self._restarts)

    def _restarted(self) -> None:
        with self._lock:
            for event in self._restarts:
                event.set()
            self._restarts.clear()

    def _rescued(self, reason: str | None) -> bool:
        if self._rescue is None or self._ending:
            return False
        return self._rescue(reason or f"{self._name}: the program has ended")

    def _reason(self, code: int) -> str | None:
        """Return why the program has ended; None: it was to end."""
        if code == 0:
            return None
        self._errors.seek(0)
        done = subprocess.CompletedProcess(self._command, code, b"", self._errors.read())
        return f"{self._name}: {complaint(done, self._exit_codes)}"

    def _move(self, process: "subprocess.Popen[bytes]") -> bool:
        """Wait for bytes and move them; return whether the program still runs."""
        source, sink = _ends(process)
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        if len(self._to_port) < _LARGEST:
            poll.register(source, select.POLLIN)
        if self._to_program:
            poll.register(sink, select.POLLOUT)
        if self._open:
            reading = select.POLLIN if len(self._to_program) < _LARGEST else 0
            poll.register(self._master, reading | (select.POLLOUT if self._to_port else 0))
        ready = dict(poll.poll(None if self._open else _LOOK_MS))
        if self._wake in ready:
            os.read(self._wake, _CHUNK)
        if not self._open:
            self._look()
        elif ready.get(self._master, 0) & (select.POLLIN | select.POLLHUP):
            self._take()
        if self._to_program and not _write(sink, self._to_program):
            self._to_program.clear()  # it is ending
        if source in ready:
            said = os.read(source, _CHUNK)
            if not said:
                return False
            if self._open:
                self._to_port += said
        if self._to_port:
            _write(self._master, self._to_port)
        return True

    def _look(self) -> None:
        """See whether somebody has opened the port since; the program then starts again."""
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        events = dict(poll.poll(0)).get(self._master, 0)
        if events & select.POLLIN or not events & select.POLLHUP:
            self._open = True
            with self._lock:
                self._restarts.append(threading.Event())

    def _take(self) -> None:
        """Read what a client has sent, and see whether it has closed the port."""
        try:
            self._to_program += os.read(self._master, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # closed, and all is read
            self._open = False
            self._to_port.clear()


def _ends(process: "subprocess.Popen[bytes]") -> tuple[int, int]:
    """Return the ends of the pipes from and to a program."""
    if process.stdout is None or process.stdin is None:
        raise ValueError("no pipes")
    return process.stdout.fileno(), process.stdin.fileno()


def _write(end: int, data: bytearray) -> bool:
    """Write what can be written now and remove it from `data`; return whether anyone reads."""
    try:
        del data[: os.write(end, data)]
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a program and wait for it."""
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    process.wait()


def _tied(command: list[str]) -> list[str]:
    """Return a command whose program ends with the thread that started it, where that is known."""
    tie = shutil.which("setpriv")
    return command if tie is None else [tie, "--pdeathsig", "KILL", *command]
