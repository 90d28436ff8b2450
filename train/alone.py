"""One process at a time in a folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnedge.errors import OutputError
from rnnedge.output import explained

try:
    import fcntl
except ImportError:  # a system that has none lets two of them in
    fcntl = None  # type: ignore[assignment]


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder, if it is there, against another process; one that is killed lets it go.

    Raises:
        OutputError: another process holds it.
    """
    if fcntl is None or not folder.is_dir():
        yield
        return
    with explained(folder):
        handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                f"{folder}: another training is at work here; wait for it, or name another --out"
            ) from None
        yield
    finally:
        os.close(handle)
