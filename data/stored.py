"""Windows that are cut when they are looked at, so that recordings may be larger than memory."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F32, F64, I64
from rnnedge.data.readers.cache import AT_ONCE, let_go, maps

IN_MEMORY = 1 << 28
"""Bytes of windows above which they stay in their recordings."""

_CHUNK_BYTES = 1 << 23
_PAGE = 1 << 20  # what a look into a mapped file brings along

Index = int | slice | npt.NDArray[np.integer] | npt.NDArray[np.bool_]


class StoredWindows:
    """Windows of recordings, by recording and first row; indexed like an array, along windows.

    Where a recording ends before a window does, its last row is held.

    Attributes:
        shape: (windows, steps, channels).
        dtype: float32.
    """

    dtype = np.dtype(np.float32)
    ndim = 3

    def __init__(self, values: Sequence[F32], recording: I64, start: I64, steps: int) -> None:
        """Keep references, copy nothing.

        Args:
            values: float32 (rows, channels) of each recording, raw units; may be memory-mapped.
            recording: int64 (windows,), index into `values`.
            start: int64 (windows,), first row of each window.
            steps: rows of a window.
        """
        # a view of a memory-mapped array is sliced several times faster as a plain array
        self._values = [np.asarray(item) for item in values]
        self._recording, self._start, self._steps = recording, start, steps
        self._files, self._looked = maps(values), 0
        channels = values[0].shape[1] if values else 0
        self.shape = (len(recording), steps, channels)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """Bytes that all windows would take."""
        return int(np.prod(self.shape, dtype=np.int64)) * 4

    def __getitem__(self, index: Index) -> F32:
        """Return the chosen windows, float32 (chosen, steps, channels); of an int one window."""
        if isinstance(index, int | np.integer):
            rows = int(self._start[index])
            item = self._values[int(self._recording[index])]
            one = np.array(item[rows : rows + self._steps], dtype=np.float32)
            return np.pad(one, ((0, self._steps - len(one)), (0, 0)), mode="edge")
        recording, start = self._recording[index], self._start[index]
        out = np.empty((len(start), *self.shape[1:]), dtype=np.float32)
        for place, (owner, row) in enumerate(zip(recording.tolist(), start.tolist(), strict=True)):
            self._looked += max(_PAGE, out[place].nbytes)
            if self._looked > AT_ONCE:
                let_go(self._files)
                self._looked = 0
            part = self._values[owner][row : row + self._steps]
            out[place, : len(part)] = part
            out[place, len(part) :] = part[-1]
        return out

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> F32:
        """Return all windows in memory."""
        if copy is False:
            raise ValueError("windows in their recordings are no array without a copy")
        return self[:] if dtype is None else self[:].astype(dtype)

    def at(self, recording: I64, start: I64) -> "StoredWindows":
        """Return windows of the same recordings at other places, still in them."""
        return StoredWindows(self._values, recording, start, self._steps)


def chunks(X: F32 | StoredWindows, size: int = _CHUNK_BYTES) -> Iterator[F32]:
    """Yield windows in their order, a few megabytes at a time, or up to `size` bytes."""
    size = max(1, size // max(1, 4 * X.shape[1] * X.shape[2]))
    for start in range(0, len(X), size):
        yield X[start : start + size]


def moments(X: F32 | StoredWindows, lengths: I64 | None = None) -> tuple[F64, F64]:
    """Return mean and standard deviation of each channel over all windows, in one pass.

    Args:
        X: float32 (windows, steps, channels), raw units, at least one window.
        lengths: int64 (windows,), steps that count, >= 1; None: all.

    Returns:
        float64 (channels,) twice, raw units; chunks are merged as Chan, Golub and LeVeque do
        ("Updating formulae and a pairwise algorithm for computing sample variances", 1979).
    """
    count, mean = 0, np.zeros(X.shape[2])
    squares, first = np.zeros(X.shape[2]), X[0][0].astype(np.float64)
    place = 0
    for chunk in chunks(X):
        flat = chunk.reshape(-1, chunk.shape[2])
        if lengths is not None:
            flat = chunk[np.arange(X.shape[1]) < lengths[place : place + len(chunk), None]]
            place += len(chunk)
        # from the first sample on, so that a channel that never changes has no deviation at all
        rows = np.ascontiguousarray(flat.T, dtype=np.float64)
        rows -= first[:, np.newaxis]
        part = rows.mean(axis=1)
        away = part - mean
        size = rows.shape[1]
        total = count + size
        rows -= part[:, np.newaxis]
        squares += np.einsum("ij,ij->i", rows, rows) + away**2 * count * size / total
        mean += away * size / total
        count = total
    return mean + first, np.sqrt(squares / count)
