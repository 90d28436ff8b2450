"""An .npz to recordings: windows, sequences of any length, rows, pairs, or columns."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnedge.archive import DAMAGED
from rnnedge.data.readers.arrays import names_of, real_numbers, words_of
from rnnedge.data.readers.columns import read_tables
from rnnedge.data.readers.recordings import (
    TEST,
    TRAIN,
    Recording,
    Recordings,
    class_names,
    cut_at_labels,
)
from rnnedge.data.readers.request import File, Request
from rnnedge.data.readers.roles import roles
from rnnedge.data.readers.sequences import Part, label_array, part_recordings
from rnnedge.data.readers.table import Column, Table, word_column
from rnnedge.errors import DataError

_Array = npt.NDArray[Any]


def read_npz(file: File, want: Request) -> Recordings:
    """Read the arrays of a file; nothing is unpickled.

    X (windows, steps, channels) and y (windows,): each window is a recording. X (rows, channels)
    and ptr (sequences + 1,), y (sequences,) or y (rows,): sequence i is X[ptr[i]:ptr[i + 1]].
    X (rows, channels) without ptr: one recording, y (rows,). All of them with _train, _test and
    further parts that begin with _test, or with is_test (sequences,). Optional: group or the array
    that --group names, t (rows,) or the one that --time names, channels and units (channels,),
    classes (names for integer y), reply (reply rows, reply channels) and reply_ptr. Without X, the
    only two-dimensional array is taken for it; vectors of one length are columns.

    Args:
        file: the file.
        want: channels and columns to ignore.

    Raises:
        DataError: damaged, an array is missing or has the wrong shape, type or a NaN.
    """
    path, form = file.path, want.form
    arrays = _arrays(path)
    if "columns" in arrays:
        arrays.setdefault("channels", arrays.pop("columns"))
    notes: list[str] = []
    main = _main(arrays)
    if main is None and _columns(arrays):
        table = _table(path, arrays)
        return read_tables([file], want, lambda _path, _want: table)
    if main not in (None, "X"):
        notes.append(f"{path.name}: {main} is taken for X, the samples")
        arrays["X"] = arrays[str(main)]
    suffixes = [name[1:] for name in arrays if name == "X" or name.startswith("X_")]
    if suffixes != [""] and ("_train" not in suffixes or "_test" not in suffixes):
        found = ", ".join(arrays) or "none"
        raise DataError(
            f"{path}: expected the arrays X and y, or X_train, y_train, X_test and y_test; "
            f"found {found}"
        )
    X = arrays[f"X{suffixes[0]}"]
    ragged = X.ndim == 2 and (
        f"ptr{suffixes[0]}" in arrays or _rowwise(arrays, suffixes[0], X, want)
    )
    axes = "rows, channels" if ragged else "windows, steps, channels"
    if not ragged and not want.channels and (form.recording or form.recording_rows):
        raise DataError(
            f"{path}: each window of an .npz is a recording already; leave --recording and "
            "--recording-rows out"
        )
    for suffix in suffixes:
        real_numbers(path, f"X{suffix}", arrays[f"X{suffix}"], axes)
    width = X.shape[-1]
    names = names_of(path, "channels", arrays.get("channels"), width)
    units = names_of(path, "units", arrays.get("units"), width) or ("",) * width
    if not names:
        names = tuple(f"x{index}" for index in range(width))
        if len(want.channels) == width and not set(want.channels) <= set(names):
            names = want.channels  # a file without names is taken to have the expected ones
    chosen = roles(names, want, str(path), start=False)
    order = _classes(path, arrays, suffixes, want)
    items: list[Recording] = []
    for suffix in suffixes:
        if arrays[f"X{suffix}"].shape[-1] != width:
            raise DataError(
                f"{path}: X{suffix} has {arrays[f'X{suffix}'].shape[-1]} channels, X{suffixes[0]} "
                f"has {width}"
            )
        named = {"_train": TRAIN}.get(suffix, TEST if suffix.startswith("_test") else file.part)
        part = Part(arrays=arrays, suffix=suffix, part=named, roles=chosen, order=order)
        items += part_recordings(file, want, part)
    numbered = any(item.row_labels is not None for item in items)
    classes = order if numbered else class_names((item.label for item in items), order)
    data = Recordings(
        items=tuple(items),
        channels=tuple(names[index] for index in chosen.channels),
        units=tuple(units[index] for index in chosen.channels),
        classes=tuple(classes),
        target_names=tuple((names[index], units[index]) for index in chosen.targets),
        reply_names=_replies(path, arrays, suffixes[0]),
        notes=tuple(notes),
    )
    return data if want.rows else cut_at_labels(data)


def _main(arrays: Mapping[str, _Array]) -> str | None:
    """Return the name of the samples: X, or the only array of two axes beside vectors."""
    if any(name == "X" or name.startswith("X_") for name in arrays):
        return "X"
    wide = [name for name, values in arrays.items() if values.ndim > 1]
    return wide[0] if len(wide) == 1 and arrays[wide[0]].ndim == 2 and "ptr" in arrays else None


def _rowwise(arrays: Mapping[str, _Array], suffix: str, X: _Array, want: Request) -> bool:
    """Tell whether two axes are rows and channels, by what else there is for the rows."""
    y = arrays.get(label_array(arrays, suffix, want))
    if f"ptr{suffix}" in arrays:
        return True
    return y is None or y.shape == (len(X),)


def _columns(arrays: Mapping[str, _Array]) -> bool:
    """Tell whether all arrays are vectors of one length."""
    lengths = {values.shape for values in arrays.values()}
    return len(lengths) == 1 and all(values.ndim == 1 and len(values) for values in arrays.values())


def _table(path: Path, arrays: Mapping[str, _Array]) -> Table:
    """Return vectors as the columns of a table."""
    columns = []
    for values in arrays.values():
        if values.dtype.kind in "fiub":
            columns.append(Column(kind="number", values=values.astype(np.float64)))
            continue
        words, codes = np.unique(values.astype(np.str_), return_inverse=True)
        columns.append(word_column(codes.astype(np.int64), [str(word) for word in words]))
    return Table(
        path=path,
        names=tuple(arrays),
        units=("",) * len(arrays),
        columns=tuple(columns),
        rows=len(next(iter(arrays.values()))),
        first_line=0,
        word="row",
    )


def _replies(path: Path, arrays: Mapping[str, _Array], suffix: str) -> tuple[tuple[str, str], ...]:
    """Return name and unit of each channel of the replies."""
    reply = arrays.get(f"reply{suffix}")
    if reply is None or reply.ndim < 2:
        return ()
    width = reply.shape[-1]
    names = names_of(path, "reply_channels", arrays.get("reply_channels"), width)
    units = names_of(path, "reply_units", arrays.get("reply_units"), width) or ("",) * width
    return tuple(zip(names or [f"y{index}" for index in range(width)], units, strict=True))


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


def _classes(
    path: Path, arrays: Mapping[str, _Array], suffixes: Sequence[str], want: Request
) -> tuple[str, ...]:
    """Return the names of the classes; where none are given, those of the labels."""
    if "classes" in arrays:
        names = tuple(str(item) for item in arrays["classes"].ravel())
        if len(set(names)) < len(names):
            raise DataError(
                f"{path}: two classes have the same name ({', '.join(names)}); rename one"
            )
        return names
    found = [label_array(arrays, suffix, want) for suffix in suffixes]
    words: set[str] = set()
    for name in found:
        if name in arrays and want.takes_labels and arrays[name].dtype.kind in "iubUS":
            words.update(words_of(path, name, np.unique(arrays[name]), ()))
    return class_names(words)
