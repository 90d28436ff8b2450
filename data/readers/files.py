"""The files that paths stand for: folders, a folder per class, a manifest; and their kinds."""

import csv
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rnnedge.data.readers.delimited import COMPRESSED
from rnnedge.data.readers.recordings import TEST, TRAIN
from rnnedge.data.readers.request import File
from rnnedge.errors import DataError
from rnnedge.run import RUN_JSON, DataFormat

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".dat": "csv",
    ".npz": "npz",
    ".npy": "npy",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".ts": "ts",
    ".json": "edge",
    ".cbor": "edge",
    ".wav": "wav",
    ".txt": "txt",
}
KINDS = {
    "csv": "a CSV file",
    "npz": "an .npz file",
    "npy": "an .npy file",
    "parquet": "a Parquet file",
    "ts": "a .ts file",
    "edge": "an Edge Impulse file",
    "wav": "a WAV file",
    "txt": "a text file",
}
_PARTS = {"train": TRAIN, "training": TRAIN, "test": TEST, "testing": TEST}
_FILE_COLUMNS = ("file", "path", "filename", "file_name", "filepath")
_HEAD = 1 << 16
_OF_EDGE = ("info.labels",)
_TRAINED = ((RUN_JSON, "model.keras"), ("begun.json",))
"""Files by which the folder of a training is known, whole or interrupted."""


def kind(path: Path) -> str:
    """Return the kind of a file, by the end of its name: a key of KINDS; "csv" if unknown."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return _SUFFIXES.get(suffixes[-1] if suffixes else "", "csv")


def files_of(paths: Sequence[Path], form: DataFormat) -> list[File]:
    """Return the files that paths stand for, with what folders and manifests say of them.

    The files of a folder are in the order of their names. A folder in it is a class, or a part if
    it is called train, training, test or testing; one of a training (RUN, RUN.partial) is left out.

    Raises:
        DataError: an empty path or a pipe, a folder without data files, files of several kinds, or
            a manifest that names a file that does not exist.
    """
    found: list[File] = []
    for path in paths:
        if path.is_dir():
            found += _of_folder(path)
            continue
        _check_kept(path)
        listed = _manifest(path, form)
        found += [File(path=path)] if listed is None else listed
    kinds = {kind(file.path): file.path for file in reversed(found)}
    if len(kinds) > 1:
        (one, path), (other, _) = list(kinds.items())[:2]
        raise DataError(f"{path}: {KINDS[one]} beside {KINDS[other]}; give one kind")
    several = len(found) > 1 or any(path.is_dir() for path in paths)
    if several:
        found = [
            file if file.label else replace(file, label=_stem(file.path), stem=True)
            for file in found
        ]
    return found


def _check_kept(path: Path) -> None:
    """Refuse what holds no data for good; readers look at a file more than once."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return  # the reader says so
    if not stat.S_ISREG(mode):
        pipe = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
        what = "a pipe cannot be read twice" if pipe else "a device, no file"
        raise DataError(f"{path}: {what}; save its data to a file")


def _is_trained(folder: Path) -> bool:
    """Tell whether a folder was made by a training."""
    return any(all((folder / name).is_file() for name in names) for names in _TRAINED)


def _stem(path: Path) -> str:
    """Return the name of a file without the ends that say how it is stored."""
    name = path.name
    if Path(name).suffix.lower() in COMPRESSED:
        name = Path(name).stem
    return Path(name).stem


def _of_folder(folder: Path) -> list[File]:
    """Return the files of a folder and of the folders in it."""
    found = [File(path=path) for path in _data_files(folder)]
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        if _is_trained(inner):
            continue
        part = _PARTS.get(inner.name.lower())
        if part is not None:
            found += [replace(file, part=part) for file in _of_folder(inner)]
        else:
            found += [File(path=path, label=inner.name) for path in _data_files(inner)]
    if not found:
        raise DataError(
            f"{folder}: no .csv file in this folder, nor one of {', '.join(sorted(_SUFFIXES))}; "
            "name the files instead"
        )
    return found


def _data_files(folder: Path) -> list[Path]:
    """Return the files of the kind that most files of a folder have, sorted by name."""
    known = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".") and _known(path)
    ]
    plain = [path for path in known if kind(path) != "txt"]
    return plain or known  # beside data, a .txt is somebody's note


def _known(path: Path) -> bool:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1] in _SUFFIXES and path.name not in _OF_EDGE


def _manifest(path: Path, form: DataFormat) -> list[File] | None:
    """Return the files that a CSV lists, or None where it is no list of files."""
    if kind(path) != "csv" or path.suffix.lower() in COMPRESSED:
        return None
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        first = head.decode("utf-8-sig", errors="replace").splitlines()
    except OSError:
        return None  # the reader says so
    if len(first) < 2 or not path.parent.is_dir():
        return None
    delimiter = max(",;\t", key=first[0].count)
    header = [name.strip().strip('"') for name in first[0].split(delimiter)]
    column = next((name for name in _FILE_COLUMNS if name in header), None)
    if column is None:
        return None
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            rows = list(csv.DictReader(text, fieldnames=header, delimiter=delimiter))[1:]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: {error}; repair the list of files") from None
    return [
        _listed(path, row, column, line, form) for line, row in enumerate(rows, 2) if row[column]
    ]


def _listed(manifest: Path, row: dict[str, str], column: str, line: int, form: DataFormat) -> File:
    """Return the file of one line of a manifest.

    Raises:
        DataError: it does not exist, its part is none, or what it starts from is no number.
    """
    path = manifest.parent / row[column].strip()
    if not path.is_file():
        raise DataError(f"{manifest} line {line}: {path}: no such file")
    part = (row.get("part") or row.get("split") or row.get("category") or "").strip().lower()
    if part and part not in _PARTS:
        raise DataError(f"{manifest} line {line}: part is {part!r}, expected train or test")
    start: list[float] = []
    for name in form.start:
        text = row.get(name)
        try:
            start += [] if text is None else [_finite(text)]
        except ValueError:
            raise DataError(
                f"{manifest} line {line}: column {name!r} is {text!r}, expected a finite number"
            ) from None
    return File(
        path=path,
        label=(row.get(form.label) or "").strip() or None,
        group=(row.get(form.group or "group") or "").strip() or None,
        part=_PARTS.get(part),
        start=tuple(start),
    )


def _finite(text: str) -> float:
    """Return the number in a field.

    Raises:
        ValueError: it is none, missing, infinite, or too large for float32.
    """
    value = float(text)
    if not abs(value) <= float(np.finfo(np.float32).max):
        raise ValueError(text)
    return value
