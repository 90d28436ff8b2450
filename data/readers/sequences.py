"""One part of an .npz (training, test or all of it) to recordings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F32, F64, I64
from rnnedge.data.readers.arrays import finite_float32, pointers, real_numbers, words_of
from rnnedge.data.readers.recordings import TEST, TRAIN, Recording
from rnnedge.data.readers.request import File, Request
from rnnedge.data.readers.roles import Roles
from rnnedge.data.readers.stamps import count_seconds
from rnnedge.errors import DataError, NoLabelsError

_Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the arrays of a file.

    Attributes:
        arrays: all arrays.
        suffix: "", "_train", "_test" or another one that begins with "_test".
        part: "train", "test" or None.
        roles: positions of channels and targets.
        order: names of the classes; empty: integers are their own names.
    """

    arrays: Mapping[str, _Array]
    suffix: str
    part: str | None
    roles: Roles
    order: Sequence[str]

    def find(self, name: str) -> tuple[str, _Array | None]:
        """Return the full name of an array, and the array or None."""
        full = f"{name}{self.suffix}"
        return full, self.arrays.get(full)


def label_array(arrays: Mapping[str, _Array], suffix: str, want: Request) -> str:
    """Return the name of the array of labels: the one that --label names, else y."""
    named = f"{want.form.label}{suffix}"
    return named if named in arrays else f"y{suffix}"


def part_recordings(file: File, want: Request, part: Part) -> list[Recording]:
    """Return the recordings of one part; the classes of rows count in `part.order`.

    Raises:
        DataError: an array has the wrong shape or type, or a NaN.
    """
    path, (name, found) = file.path, part.find("X")
    if found is None:
        raise DataError(f"{path}: no array {name}")
    X = found
    windows = X.ndim == 3
    axes = "window step channel" if windows else "row channel"
    picked = list(part.roles.channels)
    taken = X if picked == list(range(X.shape[-1])) else X[..., picked]
    values = finite_float32(path, name, taken, axes, holes=want.holes)
    aims: F32 | None = None
    if part.roles.targets:
        chosen = X[..., list(part.roles.targets)]
        aims = finite_float32(path, name, chosen, axes, holes=True)
    bounds = _bounds(file, part, X)
    count = len(X) if windows else len(bounds) - 1
    rows = X.shape[0] * X.shape[1] if windows else len(X)
    labels, codes = _labels(file, want, part, count, X.shape[:2] if windows else (rows,))
    groups = _vector(file, part, want.form.group or "group", count, want.form.group is not None)
    tested = _vector(file, part, "is_test", count, False)
    time = _time(file, want, part, rows)
    replies = _replies(file, part, count)
    items = []
    for index in range(count):
        span = slice(bounds[index], bounds[index + 1])
        named = part.part
        if tested is not None:
            named = TEST if tested[index] else TRAIN
        shown = "" if len(bounds) == 2 and not windows else f"[{index}]"
        items.append(
            Recording(
                values=values[index] if windows else values[span],
                label=labels[index],
                group=file.group if groups is None else str(groups[index]),
                source=f"{path.name} {name}{shown}",
                file=path.name,
                start_row=index if windows else bounds[index],
                part=named,
                time=None if time is None else time[span],
                row_labels=None if codes is None else codes[span],
                targets=None if aims is None else aims[index] if windows else aims[span],
                start=np.array(file.start, np.float32) if file.start else None,
                reply=None if replies is None else replies[index],
            )
        )
    return items


def _bounds(file: File, part: Part, X: _Array) -> list[int]:
    """Return the bounds of the sequences, in rows."""
    if X.ndim == 3:
        return list(range(0, len(X) * X.shape[1] + 1, X.shape[1]))
    name, ptr = part.find("ptr")
    return [0, len(X)] if ptr is None else pointers(file.path, name, ptr, len(X))


def _labels(
    file: File, want: Request, part: Part, count: int, rows: tuple[int, ...]
) -> tuple[list[str | None], I64 | None]:
    """Return the label of every sequence, or the class of every row (flat)."""
    path, name = file.path, label_array(part.arrays, part.suffix, want)
    y = part.arrays.get(name)
    if y is None:
        if want.labelled and file.label is None:
            raise NoLabelsError(f"{path}: no array {name}; the arrays are {', '.join(part.arrays)}")
        return [file.label if want.labelled else None] * count, None
    if y.shape == rows and rows != (count,):
        if not want.takes_labels:
            return [None] * count, None
        words = words_of(path, name, y.ravel(), _named(y, part))
        places = {word: index for index, word in enumerate(part.order)}
        return [None] * count, np.array([places[word] for word in words], np.int64)
    if y.shape != (count,):
        hint = "; take the argmax of one-hot labels" if y.ndim == 2 else ""
        raise DataError(
            f"{path}: {name} has shape {y.shape}, expected ({count},), one a window{hint}"
        )
    return list(words_of(path, name, y, _named(y, part))), None


def _named(y: _Array, part: Part) -> Sequence[str]:
    """Return the names that integers stand for, if the file has any."""
    return part.order if "classes" in part.arrays and y.dtype.kind in "iub" else ()


def _vector(file: File, part: Part, name: str, count: int, needed: bool) -> _Array | None:
    """Return an optional array of one value a sequence."""
    full, values = part.find(name)
    if values is None:
        if needed:
            raise DataError(
                f"{file.path}: no array {full}; the arrays are {', '.join(part.arrays)}"
            )
        return None
    if values.shape != (count,):
        raise DataError(
            f"{file.path}: {full} has shape {values.shape}, expected ({count},), one a window"
        )
    return values


def _time(file: File, want: Request, part: Part, rows: int) -> F64 | None:
    """Return the time of every row in seconds."""
    asked = want.form.time
    name, values = part.find(asked or "t")
    if values is None:
        if asked is not None and want.labelled:
            raise DataError(f"{file.path}: no array {name}, which --time names")
        return None
    if values.size != rows or values.dtype.kind not in "fiu":
        if asked is None:
            return None
        raise DataError(
            f"{file.path}: {name} has shape {values.shape} and type {values.dtype}, expected "
            f"{rows} numbers, one a row"
        )
    found = values.ravel().astype(np.float64)
    if not np.isfinite(found).all():
        row = int(np.argmin(np.isfinite(found)))
        raise DataError(f"{file.path}: {name}[{row}] is {found[row]}, expected a time")
    return count_seconds(found, name, "")[0]


def _replies(file: File, part: Part, count: int) -> list[F32] | None:
    """Return the reply to every sequence."""
    name, reply = part.find("reply")
    if reply is None:
        return None
    if reply.ndim == 3:
        real_numbers(file.path, name, reply, "windows, steps, channels")
        bounds = list(range(0, len(reply) * reply.shape[1] + 1, reply.shape[1]))
        reply = reply.reshape(-1, reply.shape[2])
    else:
        real_numbers(file.path, name, reply, "rows, channels")
        bound, ptr = part.find("reply_ptr")
        if ptr is None:
            raise DataError(f"{file.path}: no array {bound}, the bounds of the replies")
        bounds = pointers(file.path, bound, ptr, len(reply))
    if len(bounds) != count + 1:
        raise DataError(f"{file.path}: {len(bounds) - 1} replies to {count} sequences")
    values = finite_float32(file.path, name, reply, "row channel", holes=False)
    return [values[bounds[index] : bounds[index + 1]] for index in range(count)]
