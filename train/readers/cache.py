"""Scratch files of this process: what is too large for memory, and unpacked files."""

import atexit
import shutil
import tempfile
from itertools import count
from pathlib import Path

_numbers = count()
_folders: list[Path] = []


def scratch_file(name: str) -> Path:
    """Return the path of a new file that is removed when the process ends.

    The folder is that of temporary files; TMPDIR names another one, where it is too small.
    """
    if not _folders:
        folder = Path(tempfile.mkdtemp(prefix="rnnedge-"))
        _folders.append(folder)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return _folders[0] / f"{next(_numbers)}-{name[-80:]}"
