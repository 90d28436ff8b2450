"""An .npz of windows to recordings: X and y, or X_train, y_train, X_test, y_test."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnedge.archive import DAMAGED
from rnnedge.arrays import F32
from rnnedge.errors import DataError
from rnnedge.run import DataFormat
from rnnedge.train.readers.recordings import (
    TEST,
    TRAIN,
    Recording,
    Recordings,
    as_float32,
    class_names,
    pick_channels,
)

_Array = npt.NDArray[Any]


def read_npz(
    path: Path, form: DataFormat, *, labelled: bool, channels: Sequence[str]
) -> Recordings:
    """Read windows; each is a recording of its own.

    Arrays: X (windows, steps, channels) and y (windows,), or X_train, y_train, X_test, y_test;
    optional: group, group_train, group_test (windows,), channels and units (channels,), classes
    (names for integer y). Nothing is unpickled.

    Args:
        path: the file.
        form: channels and columns to ignore.
        labelled: whether y is required.
        channels: the channels to take, in order; empty: those of `form`, or all.

    Raises:
        DataError: damaged, an array is missing or has the wrong shape, type or a NaN.
    """
    if not channels and (form.recording is not None or form.recording_rows is not None):
        raise DataError(
            f"{path}: each window of an .npz is a recording already; leave --recording and "
            "--recording-rows out"
        )
    arrays = _arrays(path)
    suffixes = [suffix for suffix in ("", "_train", "_test") if f"X{suffix}" in arrays]
    if suffixes not in ([""], ["_train", "_test"]):
        found = ", ".join(arrays) or "none"
        raise DataError(
            f"{path}: expected the arrays X and y, or X_train, y_train, X_test and y_test; "
            f"found {found}"
        )
    width = _shape(path, arrays, f"X{suffixes[0]}")[2]
    names = _names(path, arrays, "channels", width) or tuple(f"x{i}" for i in range(width))
    units = _names(path, arrays, "units", width) or ("",) * width
    if "channels" not in arrays and len(channels) == width and not set(channels) <= set(names):
        names = tuple(channels)  # a file without names is taken to have the expected ones
    picked = _picked(path, names, form, channels)
    order = _classes(path, arrays)
    items: list[Recording] = []
    for suffix in suffixes:
        items += _windows(path, arrays, suffix, picked, width, order, labelled)
    return Recordings(
        items=tuple(items),
        channels=tuple(names[index] for index in picked),
        units=tuple(units[index] for index in picked),
        classes=class_names((item.label for item in items), order),
    )


def _picked(
    path: Path, names: Sequence[str], form: DataFormat, channels: Sequence[str]
) -> list[int]:
    """Return the positions of the channels to take."""
    if wanted := channels or form.channels:
        return pick_channels(names, wanted, str(path))
    ignored = pick_channels(names, form.ignore, str(path))
    picked = [index for index in range(len(names)) if index not in ignored]
    if not picked:
        raise DataError(f"{path}: no channel is left among {', '.join(names)}")
    return picked


def _arrays(path: Path) -> dict[str, _Array]:
    """Load every array of the file."""
    try:
        with path.open("rb") as raw:
            if not zipfile.is_zipfile(raw):
                raise DataError(
                    f"{path}: not an .npz (a zip of arrays), or cut short; write it again"
                )
            raw.seek(0)
            with np.load(raw, allow_pickle=False) as file:
                return {name: _loaded(path, file, name) for name in file.files}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except DAMAGED as error:
        raise DataError(f"{path}: the file is damaged ({error}); write it again") from None


def _loaded(path: Path, file: Mapping[str, _Array], name: str) -> _Array:
    try:
        return np.asarray(file[name])
    except ValueError as error:
        if "pickle" not in str(error).lower():
            raise
        raise DataError(
            f"{path}: array {name!r} holds pickled Python objects, which are never loaded; save "
            "numbers, or text as fixed-width strings"
        ) from None


def _shape(path: Path, arrays: Mapping[str, _Array], name: str) -> tuple[int, int, int]:
    X = arrays[name]
    if X.ndim != 3 or 0 in X.shape:
        raise DataError(
            f"{path}: {name} has shape {X.shape}, expected (windows, steps, channels), none 0"
        )
    if X.dtype.kind not in "fiub":
        raise DataError(f"{path}: {name} has type {X.dtype}, expected real numbers")
    return X.shape[0], X.shape[1], X.shape[2]


def _names(path: Path, arrays: Mapping[str, _Array], name: str, width: int) -> tuple[str, ...]:
    """Return an optional array of one name a channel."""
    if name not in arrays:
        return ()
    names = tuple(str(item) for item in arrays[name].ravel())
    if len(names) != width:
        raise DataError(f"{path}: {name} has {len(names)} names, expected {width}, one a channel")
    if name == "channels" and len(set(names)) < width:
        raise DataError(f"{path}: two channels have the same name ({', '.join(names)}); rename one")
    return names


def _classes(path: Path, arrays: Mapping[str, _Array]) -> tuple[str, ...]:
    names = tuple(str(item) for item in arrays["classes"].ravel()) if "classes" in arrays else ()
    if len(set(names)) < len(names):
        raise DataError(f"{path}: two classes have the same name ({', '.join(names)}); rename one")
    return names


def _windows(
    path: Path,
    arrays: Mapping[str, _Array],
    suffix: str,
    picked: Sequence[int],
    width: int,
    order: Sequence[str],
    labelled: bool,
) -> list[Recording]:
    """Return the windows of one part."""
    count, _, found = _shape(path, arrays, f"X{suffix}")
    if found != width:
        raise DataError(f"{path}: X{suffix} has {found} channels, X_train has {width}")
    X = _values(path, f"X{suffix}", arrays[f"X{suffix}"][:, :, picked])
    labels = _labels(path, arrays, f"y{suffix}", count, order, labelled)
    groups = _vector(path, arrays, f"group{suffix}", count)
    part = {"_train": TRAIN, "_test": TEST}.get(suffix)
    return [
        Recording(
            values=X[index],
            label=labels[index],
            group=None if groups is None else str(groups[index]),
            source=f"{path.name} X{suffix}[{index}]",
            file=path.name,
            start_row=index,
            part=part,
        )
        for index in range(count)
    ]


def _values(path: Path, name: str, X: _Array) -> F32:
    values, wrong = as_float32(X.astype(np.float64))
    if wrong is not None:
        window, step, channel = wrong
        raise DataError(
            f"{path}: {name} window {window}, step {step}, channel {channel} is {X[wrong]}, "
            "expected a finite float32"
        )
    return values


def _vector(
    path: Path, arrays: Mapping[str, _Array], name: str, count: int
) -> npt.NDArray[Any] | None:
    """Return an optional array of one value a window."""
    if name not in arrays:
        return None
    if arrays[name].shape != (count,):
        hint = "; take the argmax of one-hot labels" if arrays[name].ndim == 2 else ""
        raise DataError(
            f"{path}: {name} has shape {arrays[name].shape}, expected ({count},), one a "
            f"window{hint}"
        )
    return arrays[name]


def _labels(
    path: Path,
    arrays: Mapping[str, _Array],
    name: str,
    count: int,
    order: Sequence[str],
    labelled: bool,
) -> list[str | None]:
    """Return the class name of every window."""
    y = _vector(path, arrays, name, count)
    if y is None:
        if labelled:
            raise DataError(f"{path}: no array {name}; the arrays are {', '.join(arrays)}")
        return [None] * count
    if y.dtype.kind in "US":
        return [str(label) for label in y.astype(np.str_)]
    if y.dtype.kind not in "iu":
        raise DataError(f"{path}: {name} has type {y.dtype}, expected integers or text")
    if not order:
        return [str(label) for label in y]
    outside = np.flatnonzero((y < 0) | (y >= len(order)))
    if outside.size:
        raise DataError(
            f"{path}: {name}[{outside[0]}] is {y[outside[0]]}, but classes has {len(order)} names"
        )
    return [order[int(label)] for label in y]
