"""NPY files: one recording (rows, channels), or many (recordings, rows, channels), mapped."""

from collections.abc import Sequence

import numpy as np

from rnnedge.archive import DAMAGED
from rnnedge.errors import DataError
from rnnedge.train.readers.arrays import real_numbers
from rnnedge.train.readers.recordings import Recordings
from rnnedge.train.readers.request import File, Request
from rnnedge.train.readers.series import Series, series_recordings


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
        try:
            X = np.load(path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:
            raise DataError(f"{path}: no such file") from None
        except DAMAGED as error:
            raise DataError(f"{path}: no .npy of numbers, or damaged ({error})") from None
        if not isinstance(X, np.ndarray):
            raise DataError(f"{path}: an archive of arrays; call it .npz")
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
