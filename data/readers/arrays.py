"""NumPy arrays to recordings: what .npz and .npy files, and files of series, have in common."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F32
from rnnedge.data.readers.cache import forget, large
from rnnedge.errors import DataError

_Array = npt.NDArray[Any]
_BLOCK = 1 << 20


def real_numbers(path: Path, name: str, values: _Array, dimensions: str) -> None:
    """Check the type and the shape of an array.

    Args:
        path: the file, for messages.
        name: the array.
        values: the array.
        dimensions: names of its axes, parted by commas.

    Raises:
        DataError: another number of axes, one of length 0, or no real numbers.
    """
    if values.ndim != dimensions.count(",") + 1 or 0 in values.shape:
        raise DataError(f"{path}: {name} has shape {values.shape}, expected ({dimensions}), none 0")
    if values.dtype.kind not in "fiub":
        raise DataError(f"{path}: {name} has type {values.dtype}, expected real numbers")


def finite_float32(path: Path, name: str, values: _Array, axes: str, *, holes: bool) -> F32:
    """Return an array as float32, the array itself (perhaps memory-mapped) where it is.

    Args:
        path: the file, for messages.
        name: the array.
        values: real numbers.
        axes: names of its axes, parted by blanks.
        holes: whether NaN may stay.

    Raises:
        DataError: names the first NaN, infinity or overflow.
    """
    rows = max(1, _BLOCK // max(1, int(np.prod(values.shape[1:]))))
    cast = values.dtype != np.float32
    result: F32 = large(values.shape, np.float32) if cast else values
    for start in range(0, len(values), rows):
        block = np.asarray(values[start : start + rows])
        with np.errstate(over="ignore"):
            small = block.astype(np.float32, copy=False)
        wrong = np.isinf(small) if holes else ~np.isfinite(small)
        if wrong.any():
            place = tuple(int(axis) for axis in np.argwhere(wrong)[0])
            found = block[place]
            where = (start + place[0], *place[1:])
            told = ", ".join(f"{axis} {i}" for axis, i in zip(axes.split(), where, strict=True))
            hint = (
                "; say what becomes of it with --missing interpolate, hold or drop"
                if np.isnan(found)
                else ""
            )
            raise DataError(f"{path}: {name} {told} is {found}, expected a finite float32{hint}")
        if cast:
            result[start : start + rows] = small
        if (start // rows) % 8 == 7:
            forget(values, result)
    forget(values, result)
    return result


def pointers(path: Path, name: str, values: _Array, rows: int) -> list[int]:
    """Return the bounds of sequences that are stored one after the other.

    Args:
        path: the file, for messages.
        name: the array of bounds.
        values: integers (sequences + 1,), rising from 0 to `rows`.
        rows: number of rows of all sequences.

    Raises:
        DataError: they are none.
    """
    good = values.ndim == 1 and len(values) > 1 and values.dtype.kind in "iu"
    bounds = values.astype(np.int64).tolist() if good else []
    if not bounds or bounds[0] != 0 or bounds[-1] != rows:
        raise DataError(
            f"{path}: {name} has shape {values.shape} and type {values.dtype}, expected whole "
            f"numbers that rise from 0 to the {rows} rows"
        )
    for index in range(1, len(bounds)):
        if bounds[index] <= bounds[index - 1]:
            raise DataError(
                f"{path}: {name}[{index}] is {bounds[index]}, expected more than "
                f"{bounds[index - 1]}: a sequence has at least one row"
            )
    return bounds


def names_of(path: Path, name: str, values: _Array | None, width: int) -> tuple[str, ...]:
    """Return an optional array of one name a channel, () where there is none.

    Raises:
        DataError: another number of names, or two of the same for channels.
    """
    if values is None:
        return ()
    names = tuple(str(item) for item in values.ravel())
    if len(names) != width:
        raise DataError(f"{path}: {name} has {len(names)} names, expected {width}, one a channel")
    if name.endswith("channels") and len(set(names)) < width:
        raise DataError(f"{path}: two channels have the same name ({', '.join(names)}); rename one")
    return names


def words_of(path: Path, name: str, values: _Array, order: Sequence[str]) -> list[str]:
    """Return the class name of every element of a vector of labels.

    Args:
        path: the file, for messages.
        name: the array.
        values: text, or integers that count in `order` where that is not empty.
        order: names of the classes.

    Raises:
        DataError: neither text nor integers, or an integer outside `order`.
    """
    if values.dtype.kind in "US":
        return [str(label) for label in values.astype(np.str_)]
    if values.dtype.kind not in "iub":
        raise DataError(f"{path}: {name} has type {values.dtype}, expected integers or text")
    if not order:
        return [str(int(label)) for label in values]
    outside = np.flatnonzero((values.astype(np.int64) < 0) | (values >= len(order)))
    if outside.size:
        raise DataError(
            f"{path}: {name}[{outside[0]}] is {values[outside[0]]}, but classes has {len(order)} "
            "names"
        )
    return [order[int(label)] for label in values]
