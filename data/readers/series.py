"""Files of which each holds one or more series of named channels, to recordings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F64
from rnnedge.data.readers.arrays import finite_float32
from rnnedge.data.readers.recordings import Recording, Recordings, class_names
from rnnedge.data.readers.request import File, Request
from rnnedge.data.readers.roles import roles
from rnnedge.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """One series as it stands in its file.

    Attributes:
        file: the file.
        name: of the series within the file, for people; "" where it is the whole.
        values: real numbers (rows, channels).
        label: name of the class, or None.
        part: "train", "test" or None.
        group: the unit that must never be divided, or None.
        time: float64 (rows,), seconds, or None.
        row: line or index within the file.
    """

    file: File
    name: str
    values: npt.NDArray[Any]
    label: str | None = None
    part: str | None = None
    group: str | None = None
    time: F64 | None = None
    row: int = 0


def series_recordings(
    series: Sequence[Series],
    names: Sequence[str],
    units: Sequence[str],
    want: Request,
    *,
    classes: Sequence[str] = (),
    notes: Sequence[str] = (),
    named: bool = True,
) -> Recordings:
    """Return series of the same channels as recordings.

    Args:
        series: the series, at least one.
        names: channel names.
        units: units of measure, "" if unknown.
        want: what is asked for.
        classes: names of the classes in their order, if the file gives one.
        notes: what was taken for granted.
        named: whether the names are those of the file; if not, those asked for may replace them.

    Raises:
        DataError: a channel that is not there, a label that is missing, or a value that is not
            finite.
    """
    first = series[0].file.path
    if not named and len(want.channels) == len(names) and not set(want.channels) <= set(names):
        names = want.channels
    chosen = roles(names, want, str(first), start=False)
    items = []
    for one in series:
        path, label = one.file.path, one.label
        if want.labelled and label is None:
            raise DataError(
                f"{path}: {one.name or 'the recording'} has no label; put the files of a class "
                "into a folder of its name, or list them with their labels in a CSV"
            )
        where = f"{one.name}: " if one.name else ""
        values = finite_float32(path, f"{where}values", one.values, "row channel", holes=want.holes)
        every = list(chosen.channels) == list(range(values.shape[1]))
        aims = values[:, list(chosen.targets)] if chosen.targets else None
        picked = values if every else values[:, list(chosen.channels)]
        items.append(
            Recording(
                values=picked,
                label=label if want.labelled else None,
                group=one.group or one.file.group,
                source=f"{path.name} {one.name}".strip(),
                file=path.name,
                start_row=one.row,
                part=one.part or one.file.part,
                time=one.time,
                targets=aims,
                start=np.array(one.file.start, np.float32) if one.file.start else None,
            )
        )
    found = class_names((item.label for item in items), classes)
    if want.rows and want.labelled:
        items = [_per_row(item, found) for item in items]
    return Recordings(
        items=tuple(items),
        channels=tuple(names[index] for index in chosen.channels),
        units=tuple(units[index] for index in chosen.channels),
        classes=found,
        target_names=tuple((names[index], units[index]) for index in chosen.targets),
        start_names=tuple((name, "") for name in want.form.start if series[0].file.start),
        notes=tuple(dict.fromkeys(notes)),
    )


def _per_row(item: Recording, classes: Sequence[str]) -> Recording:
    if item.label is None:
        return item
    return replace(item, row_labels=np.full(len(item.values), classes.index(item.label), np.int64))
