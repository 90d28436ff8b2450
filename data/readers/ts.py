"""The .ts files of aeon and sktime: series of any length with a class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnnedge.arrays import F64
from rnnedge.data.readers.delimited import unpacked
from rnnedge.data.readers.recordings import TEST, TRAIN, Recordings
from rnnedge.data.readers.request import File, Request
from rnnedge.data.readers.series import Series, series_recordings
from rnnedge.errors import DataError


def read_ts(files: Sequence[File], want: Request) -> Recordings:
    """Read .ts files; what ends in _TRAIN.ts or _TEST.ts is the training or the test part.

    A line of @data is a series: dimensions parted by colons, values by commas, the class last.
    "?" is a missing value.

    Args:
        files: the files.
        want: what is asked for.

    Raises:
        DataError: names file and line of what is not so.
    """
    series: list[Series] = []
    classes: list[str] = []
    for place, file in enumerate(files):
        found, named = _read(file)
        series += found
        classes += [name for name in named if name not in classes]
        want.progress((place + 1) / len(files))
    width = series[0].values.shape[1]
    for one in series:
        if one.values.shape[1] != width:
            raise DataError(
                f"{one.file.path} {one.name}: {one.values.shape[1]} dimensions, the first series "
                f"has {width}"
            )
    names = [f"x{index}" for index in range(width)]
    return series_recordings(series, names, [""] * width, want, classes=classes, named=False)


def _read(file: File) -> tuple[list[Series], list[str]]:
    """Return the series of a file and the classes that it names."""
    path = file.path
    head: dict[str, list[str]] = {}
    series: list[Series] = []
    data = False
    for number, line in _lines(path):
        if not line or line.startswith("#"):
            continue
        if not data and line.startswith("@"):
            word, *rest = line.split()
            head[word.lower()] = rest
            data = word.lower() == "@data"
            _check(path, number, word.lower(), rest)
        elif data:
            series.append(_series(file, number, line, head))
        else:
            raise DataError(f"{path} line {number}: {line[:30]!r}, expected @data before series")
    if not series:
        raise DataError(f"{path}: no series behind @data, expected one a line")
    return series, head.get("@classlabel", [])[1:]


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        text = unpacked(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from None
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]


def _check(path: Path, number: int, word: str, rest: Sequence[str]) -> None:
    """Refuse kinds of .ts that no task is for."""
    on = bool(rest) and rest[0].lower() == "true"
    if word == "@timestamps" and on:
        raise DataError(
            f"{path} line {number}: series with time stamps of their own are not read; write "
            "them with @timeStamps false"
        )
    if word == "@targetlabel" and on:
        raise DataError(
            f"{path} line {number}: one number a series (@targetLabel) is no class; give classes"
        )


def _series(file: File, number: int, line: str, head: dict[str, list[str]]) -> Series:
    """Return one line of @data."""
    path, label, fields = file.path, file.label if not file.stem else None, line.split(":")
    named = head.get("@classlabel", ["false"])
    if named[0].lower() == "true":
        label = fields.pop().strip()
        if len(named) > 1 and label not in named[1:]:
            raise DataError(
                f"{path} line {number}: class {label[:40]!r}, expected one of "
                f"{', '.join(named[1:])[:80]}"
            )
    if not fields:
        raise DataError(f"{path} line {number}: a class without values")
    columns = [_values(path, number, field) for field in fields]
    if len({len(column) for column in columns}) > 1:
        raise DataError(
            f"{path} line {number}: dimensions of {len(columns[0])} and of "
            f"{next(len(c) for c in columns if len(c) != len(columns[0]))} values, expected the "
            "same length"
        )
    part = {"_train": TRAIN, "_test": TEST}.get(path.name.split(".")[0].lower()[-6:])
    part = part or {"_test": TEST}.get(path.name.split(".")[0].lower()[-5:])
    return Series(
        file=file,
        name=f"line {number}",
        values=np.stack(columns, axis=1),
        label=label,
        part=file.part or part,
        row=number,
    )


def _values(path: Path, number: int, field: str) -> F64:
    """Return the numbers of one dimension."""
    try:
        found = [
            float("nan") if value.strip() in ("?", "") else float(value)
            for value in field.split(",")
        ]
    except ValueError as error:
        raise DataError(f"{path} line {number}: {str(error)[:80]}") from None
    return np.array(found, np.float64)
