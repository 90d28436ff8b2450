"""Scratch files of this process: what is too large for memory, and unpacked files."""

import atexit
import math
import mmap
import shutil
import tempfile
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_MOST_BYTES = 1 << 26
BLOCK = 1 << 20
"""Rows that are worked on at a time."""

AT_ONCE = 1 << 25
"""Bytes of a mapped file that may be looked at before they are let go."""

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


def forget(*arrays: npt.NDArray[Any]) -> None:
    """Let go the memory of arrays that lie in files; what is looked at again is read again.

    Others stay as they are, and what was written to a file stays in it.
    """
    let_go(maps(arrays))


def maps(arrays: Iterable[npt.NDArray[Any]]) -> list[mmap.mmap]:
    """Return the large files that arrays lie in, each once."""
    found: dict[int, mmap.mmap] = {}
    for array in arrays:
        base: Any = array
        while isinstance(base, np.ndarray):
            base = base.base
        if isinstance(base, mmap.mmap) and len(base) >= AT_ONCE:
            found[id(base)] = base
    return list(found.values())


def let_go(files: Iterable[mmap.mmap]) -> None:
    """Let go the memory of files from `maps`, where the system can."""
    if hasattr(mmap, "MADV_DONTNEED"):
        for file in files:
            file.madvise(mmap.MADV_DONTNEED)


def large(rows: int | tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return a new array, which is a memory-mapped scratch file from 64 MiB on."""
    kind, shape = np.dtype(dtype), (rows,) if isinstance(rows, int) else rows
    if math.prod(shape) * kind.itemsize < _MOST_BYTES:
        return np.empty(shape, kind)
    return np.lib.format.open_memmap(scratch_file("array.npy"), mode="w+", dtype=kind, shape=shape)


def recoded(places: npt.NDArray[np.int64], codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return ``places[codes]`` block by block; a code of -1 is the last place."""
    found = large(len(codes), np.int64)
    for start in range(0, len(codes), BLOCK):
        found[start : start + BLOCK] = places[codes[start : start + BLOCK]]
    return found


def used(codes: npt.NDArray[np.int64], count: int) -> set[int]:
    """Return which of the codes 0 to ``count - 1`` occur."""
    seen = np.zeros(count + 1, np.bool_)
    for start in range(0, len(codes), BLOCK):
        seen[codes[start : start + BLOCK]] = True
    return set(np.flatnonzero(seen[:count]).tolist())


def changes(codes: npt.NDArray[np.int64]) -> list[int]:
    """Return the rows whose code is not that of the row before.

    >>> changes(np.array([3, 3, 1, 1, 2]))
    [2, 4]
    """
    found: list[int] = []
    for start in range(0, len(codes), BLOCK):
        block = codes[max(0, start - 1) : start + BLOCK]
        found += (np.flatnonzero(np.diff(block)) + max(0, start - 1) + 1).tolist()
    return found
