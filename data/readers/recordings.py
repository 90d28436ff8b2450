"""What every reader returns: recordings of one sensor, whatever the file format was."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from rnnedge.arrays import F32, F64, I64
from rnnedge.data.readers.cache import changes
from rnnedge.errors import DataError
from rnnedge.run import DataFormat

TRAIN, TEST = "train", "test"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """Consecutive samples with one label; a window never leaves them.

    Attributes:
        values: float32 (rows, channels), raw units.
        label: name of the class, or None in data without labels.
        group: the unit that must never be divided between training and test, or None: the
            recording itself.
        source: file name and number within the file, for people.
        file: file name, for people.
        start_row: line number of the first sample in a CSV (the header is line 1), or index of
            the window in an .npz.
        part: "train" or "test" if the file itself says so, else None.
        time: float64 (rows,), seconds, rising; None: not known.
        row_labels: int64 (rows,), class of each row as an index into `Recordings.classes`, -1
            where a row has none; None: `label` holds for all rows.
        targets: float32 (rows, targets), what is to be forecast or mapped to, raw units; None:
            some of the channels.
        start: float32 (features,), what a generated series starts from, raw units; None: nothing.
        reply: float32 (reply rows, reply channels), the sequence that this one is to be translated
            to, raw units or ids; None: none.
    """

    values: F32
    label: str | None
    group: str | None
    source: str
    file: str
    start_row: int
    part: str | None = None
    time: F64 | None = None
    row_labels: I64 | None = None
    targets: F32 | None = None
    start: F32 | None = None
    reply: F32 | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recordings:
    """All recordings of a data set.

    Attributes:
        items: the recordings, in file order.
        channels: channel names, the order of the columns of `Recording.values`.
        units: units of measure of the channels, "" if unknown.
        classes: the labels that occur, in the order of the file if it names its classes, else
            sorted (numbers by value). Of text: the words or characters, in the order of their ids.
        target_names: name and unit of each column of `Recording.targets`.
        start_names: name and unit of each of `Recording.start`.
        reply_names: name and unit of each column of `Recording.reply`.
        reply_classes: the words or characters of a reply that is text, in the order of their ids.
        text: "characters" or "words" where the values are ids, else "".
        sound_rate: samples per second of the sound that the values are made of; 0: of none.
        notes: what the reader took for granted, a line each, for people.
    """

    items: tuple[Recording, ...]
    channels: tuple[str, ...]
    units: tuple[str, ...]
    classes: tuple[str, ...]
    target_names: tuple[tuple[str, str], ...] = ()
    start_names: tuple[tuple[str, str], ...] = ()
    reply_names: tuple[tuple[str, str], ...] = ()
    reply_classes: tuple[str, ...] = ()
    text: str = ""
    sound_rate: int = 0
    notes: tuple[str, ...] = ()

    def part(self, part: str) -> "Recordings":
        """Return only the recordings of one part, "train" or "test".

        A recording whose file names no part belongs to every part.
        """
        return self._with(item for item in self.items if item.part in (None, part))

    @property
    def parts(self) -> frozenset[str]:
        """The parts that the files name; empty if they name none."""
        return frozenset(item.part for item in self.items if item.part is not None)

    def as_read(self, form: DataFormat) -> DataFormat:
        """Return a format that reads no other rate of sound than this data has."""
        if not self.sound_rate:
            return form
        return replace(form, mfcc={**form.mfcc, "rate": self.sound_rate})

    def _with(self, items: Iterable[Recording]) -> "Recordings":
        kept = tuple(items)
        numbered = self.text or any(item.row_labels is not None for item in kept)
        names = {item.label for item in kept}
        return replace(
            self,
            items=kept,
            classes=tuple(name for name in self.classes if numbered or name in names),
        )


def cut_at_labels(data: Recordings) -> Recordings:
    """End a recording wherever the class of its rows changes; rows without a class are left out.

    >>> one = Recording(values=np.zeros((3, 1), np.float32), label=None, group=None, source="a",
    ...                 file="a", start_row=2, row_labels=np.array([0, 0, 1]))
    >>> data = Recordings(items=(one,), channels=("x",), units=("",), classes=("rest", "walk"))
    >>> [(item.label, len(item.values)) for item in cut_at_labels(data).items]
    [('rest', 2), ('walk', 1)]
    """
    items: list[Recording] = []
    for item in data.items:
        if item.row_labels is None:
            items.append(item)
            continue
        for start, stop in pairwise((0, *changes(item.row_labels), len(item.row_labels))):
            code = int(item.row_labels[start])
            if code >= 0:
                items.append(_rows(item, start, stop, data.classes[code]))
    classes = class_names((item.label for item in items), data.classes)
    return replace(data, items=tuple(items), classes=classes)


def _rows(item: Recording, start: int, stop: int, label: str) -> Recording:
    """Return rows start..stop-1 of a recording, all of one class."""
    return replace(
        item,
        values=item.values[start:stop],
        label=label,
        source=f"{item.source} rows {start}-{stop - 1}",
        start_row=item.start_row + start,
        time=None if item.time is None else item.time[start:stop],
        row_labels=None,
        targets=None if item.targets is None else item.targets[start:stop],
    )


def joined(sets: Sequence[Recordings], paths: Sequence[Path]) -> Recordings:
    """Join the recordings of several files of one sensor.

    Raises:
        DataError: a file has other channels, units of measure, targets or starts than the first.
    """
    first = sets[0]
    classes = class_names(
        (name for part in sets for name in part.classes),
        first.classes if len(sets) == 1 else (),
    )
    items: list[Recording] = []
    for path, other in zip(paths, sets, strict=True):
        if (other.channels, other.units) != (first.channels, first.units):
            raise DataError(
                f"{path}: channels {', '.join(other.channels)}; {paths[0]} has "
                f"{', '.join(first.channels)} (or other units of measure)"
            )
        order = np.array([classes.index(name) for name in other.classes] + [-1], np.int64)
        items += [
            item if item.row_labels is None else replace(item, row_labels=order[item.row_labels])
            for item in other.items
        ]
    notes = dict.fromkeys(note for part in sets for note in part.notes)
    return replace(first, items=tuple(items), classes=classes, notes=tuple(notes))


def class_names(labels: Iterable[str | None], order: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the labels that occur: first those in `order`, then the others sorted.

    >>> class_names(["10", "9", "9", None])
    ('9', '10')
    >>> class_names(["walk", "rest"], order=["walk", "run"])
    ('walk', 'rest')
    """
    found = {label for label in labels if label is not None}
    rest = found.difference(order)
    numbers = all(re.fullmatch(r"[+-]?\d{1,18}", label) for label in rest)
    return tuple(name for name in order if name in found) + tuple(
        sorted(rest, key=lambda label: (int(label), label)) if numbers else sorted(rest)
    )


def split_unit(header: str) -> tuple[str, str]:
    """Part a column header into name and unit of measure.

    >>> split_unit("ax [m/s^2]")
    ('ax', 'm/s^2')
    >>> split_unit("temperature (°C)")
    ('temperature', '°C')
    >>> split_unit("count")
    ('count', '')
    """
    match = re.fullmatch(r"(.*?\S)\s*(?:\[([^\[\]]*)\]|\(([^()]*)\))", header.strip())
    if match is None:
        return header.strip(), ""
    return match[1].strip(), (match[2] if match[2] is not None else match[3]).strip()


def as_float32(values: F64) -> tuple[F32, tuple[int, ...] | None]:
    """Cast to float32 and find the first value that is not finite as float32.

    Returns:
        The float32 array and the index of the first NaN, infinity or overflow, or None.
    """
    with np.errstate(over="ignore"):
        cast = values.astype(np.float32)
    finite = np.isfinite(cast)
    if finite.all():
        return cast, None
    return cast, tuple(int(axis) for axis in np.argwhere(~finite)[0])


def pick_channels(names: Sequence[str], wanted: Sequence[str], where: str) -> list[int]:
    """Return the positions of the wanted channels among `names`.

    Args:
        names: the names that exist.
        wanted: the names asked for; a unit of measure in them is ignored.
        where: file name for the message.

    Raises:
        DataError: a wanted channel does not exist, or is asked for twice.
    """
    positions = []
    for asked in wanted:
        name = asked if asked in names else split_unit(asked)[0]
        if name not in names:
            raise DataError(f"{where}: no column {asked!r}; the columns are {', '.join(names)}")
        if names.index(name) in positions:
            raise DataError(f"{where}: channel {asked!r} is asked for twice; name it once")
        positions.append(names.index(name))
    return positions
