"""NPY files: one recording (rows, channels), or many (recordings, rows, channels), mapped."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
from numpy.lib.format import open_memmap

from rnnedge.archive import DAMAGED
from rnnedge.data.readers.arrays import real_numbers
from rnnedge.data.readers.recordings import Recordings
from rnnedge.data.readers.request import File, Request
from rnnedge.data.readers.series import Series, series_recordings
from rnnedge.errors import DataError

_ARCHIVE = b"PK"  # how a zip begins


def read_npy(files: Sequence[File], want: Request) -> Recordings:
    """Read arrays; float32 stays in the file (memory-mapped) until a window is cut.

    Args:
        files: .npy files of arrays (rows,), (rows, channels) or (recordings, rows, channels).
        want: what is asked for.

    Raises:
        DataError: damaged, another shape or type, or other channels than the first file's.
    """
    series: list[Series] = []
    width = 0
    for place, file in enumerate(files):
        path = file.path
        X = _mapped(path)
        X = X[:, None] if X.ndim == 1 else X
        several = X.ndim == 3
        real_numbers(path, "the array", X, "recordings, rows, channels" if several else "rows, c")
        width = width or X.shape[-1]
        if X.shape[-1] != width:
            raise DataError(f"{path}: {X.shape[-1]} channels, {files[0].path} has {width}")
        for index, values in enumerate(X if several else [X]):
            name = f"[{index}]" if several else ""
            series.append(Series(file=file, name=name, values=values, label=file.label, row=index))
        want.progress((place + 1) / len(files))
    names = [f"x{index}" for index in range(width)]
    return series_recordings(series, names, [""] * width, want, named=False)


def _mapped(path: Path) -> npt.NDArray[Any]:
    """Map the array of a file; an archive is refused before NumPy opens it and may not close it."""
    try:
        with path.open("rb") as file:
            if file.read(2) == _ARCHIVE:
                raise DataError(f"{path}: an archive of arrays, or damaged; call it .npz")
        return open_memmap(path, mode="r")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except DAMAGED as error:
        raise DataError(f"{path}: no .npy of numbers, or damaged ({error})") from None
