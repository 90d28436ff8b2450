"""Child processes that do not outlive what started them."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

_GRACE_SECONDS = 5.0  # for a program that was asked to end


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program in a session of its own while the block runs; then wait for its end.

    If the block fails, also by Ctrl-C, it and all that it started is ended.

    Args:
        command: program and arguments.
        options: of subprocess.Popen.

    Raises:
        OSError: it cannot be started.
    """
    process = subprocess.Popen(command, start_new_session=True, **options)
    try:
        yield process
        process.wait()
    finally:
        end(process)
        for stream in (process.stdin, process.stdout, process.stderr):
            with suppress(OSError):
                if stream is not None:
                    stream.close()


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a program of `started` and all that it started: asked to first, then made to."""
    if process.returncode is not None:
        return
    try:
        _send(process, signal.SIGTERM)
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _send(process, signal.SIGKILL)
        process.wait()


def _send(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
