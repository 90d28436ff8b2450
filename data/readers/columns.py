"""Tables to recordings: columns by role, recordings cut at label, group, number and length."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from rnnedge.arrays import F32, I64
from rnnedge.data.readers.cache import changes
from rnnedge.data.readers.recordings import Recording, Recordings, class_names
from rnnedge.data.readers.request import File, Request
from rnnedge.data.readers.roles import Roles, roles
from rnnedge.data.readers.rowlabels import codes_in, numbered
from rnnedge.data.readers.table import Table
from rnnedge.data.readers.timecolumn import find_time, seconds
from rnnedge.errors import DataError, NoLabelsError
from rnnedge.run import DataFormat


@dataclass(slots=True, kw_only=True)
class _Layout:
    """What the first table decides for all of them."""

    path: Path
    names: tuple[str, ...]
    units: tuple[str, ...]
    targets: tuple[tuple[str, str], ...]
    start: tuple[tuple[str, str], ...]
    with_label: bool
    notes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """One recording of a table: rows start..stop-1 and what they have in common."""

    start: int
    stop: int
    label: str | None
    group: str | None
    number: str | None


def read_tables(
    files: Sequence[File], want: Request, read: Callable[[Path, Request], Table]
) -> Recordings:
    """Read files of one sensor, each a table.

    Args:
        files: the files.
        want: roles of the columns and how recordings are told apart.
        read: reads one file.

    Raises:
        DataError: a file cannot be read as asked, or the files do not belong together.
    """
    layout: _Layout | None = None
    items: list[Recording] = []
    labels: list[str] = []
    for place, file in enumerate(files):
        table = read(file.path, _share(want, place, len(files)))
        if layout is None:
            layout = _layout(table, file, want)
        _check_label(table, want, layout)
        chosen = _chosen(table, file, want, layout)
        items += _recordings(table, file, want, layout, chosen, labels)
        layout.notes += table.notes
        want.progress((place + 1) / len(files))
    if layout is None:
        raise DataError("no data file is given; name a CSV, a folder of CSVs or an .npz")
    if want.rows:
        items, classes = numbered(items, labels)
    else:
        classes = class_names(item.label for item in items)
    return Recordings(
        items=tuple(items),
        channels=layout.names,
        units=layout.units,
        classes=classes,
        target_names=layout.targets,
        start_names=layout.start,
        notes=tuple(dict.fromkeys(layout.notes)),
    )


def _share(want: Request, place: int, count: int) -> Request:
    """Return the request for one of several files, whose progress is a part of the whole."""
    return replace(want, tell=lambda share: want.progress((place + share) / count))


def _layout(table: Table, file: File, want: Request) -> _Layout:
    form = want.form
    with_label = want.takes_labels and table.find(form.label) is not None
    by_name = file.label is not None and (not file.stem or form.label == DataFormat().label)
    if want.labelled and not with_label and not by_name:
        raise NoLabelsError(
            f"{table.path}: no label column {form.label!r}; the columns are "
            f"{', '.join(table.names)}; name it with --label, give one file per class, or say "
            "what else to learn, such as --task forecast"
        )
    notes: list[str] = []
    time = find_time(table, want)
    if time is not None and form.time is None:
        notes.append(
            f"column {table.names[time]} is taken as the time; if it is a channel: --channels"
        )
    chosen = _roles(table, file, want, time)

    def named(indices: Sequence[int]) -> tuple[tuple[str, str], ...]:
        return tuple((table.names[index], table.units[index]) for index in indices)

    pairs = named(chosen.channels)
    starts = named(chosen.start) or tuple((name, "") for name in form.start if file.start)
    return _Layout(
        path=table.path,
        names=tuple(name for name, _ in pairs),
        units=tuple(unit for _, unit in pairs),
        targets=named(chosen.targets),
        start=starts,
        with_label=with_label,
        notes=notes,
    )


def _roles(table: Table, file: File, want: Request, time: int | None) -> Roles:
    form = want.form
    taken = {table.find(name) for name in (form.label, form.group, form.recording) if name}
    return roles(
        table.names,
        want,
        str(table.path),
        taken={index for index in (*taken, time) if index is not None},
        start=not file.start,
    )


def _check_label(table: Table, want: Request, layout: _Layout) -> None:
    """Check that either all files have the label column, or none."""
    if not want.takes_labels or (table.find(want.form.label) is not None) == layout.with_label:
        return
    without, having = table.path, layout.path
    if not layout.with_label:
        without, having = having, without
    raise DataError(
        f"{without}: no column {want.form.label!r}, which {having} has; give files with the same "
        "columns"
    )


def _chosen(table: Table, file: File, want: Request, layout: _Layout) -> Roles:
    """Return the columns of a file in the order of the first one."""
    found = _roles(table, file, want, find_time(table, want))
    channels = found.channels
    if not (want.channels or want.form.channels):
        places = {table.names[index]: index for index in channels}
        for name in layout.names:
            if name not in places:
                raise DataError(f"{table.path}: no column {name!r}, which {layout.path} has")
        for name in places:
            if name not in layout.names:
                raise DataError(
                    f"{table.path}: column {name!r}, which {layout.path} has not; --ignore it"
                )
        channels = tuple(places[name] for name in layout.names)
    for unit, index in zip(layout.units, channels, strict=True):
        if table.units[index] != unit:
            raise DataError(
                f"{table.path}: column {table.names[index]!r} is in [{table.units[index]}], in "
                f"{layout.path} it is in [{unit}]; convert one of them"
            )
    return Roles(channels=channels, targets=found.targets, start=found.start)


def _recordings(
    table: Table, file: File, want: Request, layout: _Layout, chosen: Roles, labels: list[str]
) -> list[Recording]:
    """Cut one table into recordings; with `want.rows`, number the classes of its rows."""
    form = want.form
    values = table.numbers(chosen.channels, holes=want.holes)
    targets = table.numbers(chosen.targets, holes=True) if chosen.targets else None
    starts = table.numbers(chosen.start, holes=False) if chosen.start else None
    index = find_time(table, want)
    time, told = (None, "") if index is None else seconds(table, index)
    layout.notes += [told] if told else []
    row_labels: I64 | None = None
    if want.rows and layout.with_label:
        codes, words = table.words(form.label, empty=True)
        row_labels = codes_in(labels, codes, words)
    items = []
    for cut in _cuts(table, file, want, layout):
        rows = slice(cut.start, cut.stop)
        named = "" if cut.number is None else f"recording {cut.number} "
        first, last = table.line(cut.start), table.line(cut.stop - 1)
        items.append(
            Recording(
                values=values[rows],
                label=cut.label,
                group=_group(table.path, form, file, cut),
                source=f"{table.path.name} {named}{table.word}s {first}-{last}",
                file=table.path.name,
                start_row=first,
                part=file.part,
                time=None if time is None else time[rows],
                row_labels=None if row_labels is None else row_labels[rows],
                targets=None if targets is None else targets[rows],
                start=_start(table, file, chosen, starts, cut),
            )
        )
    return items


def _cuts(table: Table, file: File, want: Request, layout: _Layout) -> list[_Cut]:
    """Divide a table where label, group or recording number change, then to length."""
    form = want.form
    label = _key(table, form.label if layout.with_label and not want.rows else None, True)
    group = _key(table, form.group, want.labelled)
    number = _key(table, form.recording, want.labelled)
    edges = {0, table.rows, *table.breaks}
    for key in (label, group, number):
        if key is not None:
            edges.update(changes(key[0]))

    def word(key: tuple[I64, tuple[str, ...]] | None, row: int) -> str | None:
        return None if key is None else key[1][int(key[0][row])]

    by_file = None if layout.with_label or not want.labelled else file.label
    cuts = []
    for start, stop in pairwise(sorted(edges)):
        for first, behind in _lengths(table, form.recording_rows, start, stop):
            cuts.append(
                _Cut(
                    start=first,
                    stop=behind,
                    label=by_file if by_file is not None else word(label, first),
                    group=word(group, first),
                    number=word(number, first),
                )
            )
    return cuts


def _key(table: Table, name: str | None, required: bool) -> tuple[I64, tuple[str, ...]] | None:
    """Return a column of words, or None where it is not asked for or, if not required, absent."""
    if name is None or (not required and table.find(name) is None):
        return None
    return table.words(name)


def _group(path: Path, form: DataFormat, file: File, cut: _Cut) -> str | None:
    """Name the unit that stays together: the group, else the numbered recording of this file."""
    if cut.group is not None:
        return cut.group
    if file.group is not None or cut.number is None or form.recording is None:
        return file.group
    return f"{path} {form.recording} {cut.number}"


def _lengths(table: Table, length: int | None, start: int, stop: int) -> list[tuple[int, int]]:
    """Divide the rows start..stop-1 into recordings of `length` rows.

    Raises:
        DataError: a remainder is left over.
    """
    if length is None:
        return [(start, stop)]
    if length < 1:
        raise DataError(f"--recording-rows is {length}, expected at least 1")
    over = (stop - start) % length
    if over:
        raise DataError(
            f"{table.path} {table.word} {table.line(start)}: {stop - start} rows with the same "
            f"label are no whole number of recordings of {length} rows, {over} are left over; "
            "check --recording-rows"
        )
    return [(row, row + length) for row in range(start, stop, length)]


def _start(table: Table, file: File, chosen: Roles, starts: F32 | None, cut: _Cut) -> F32 | None:
    """Return what a recording starts from.

    Raises:
        DataError: it changes within the recording.
    """
    if starts is None:
        return np.array(file.start, np.float32) if file.start else None
    own = starts[cut.start : cut.stop]
    changed = own != own[0]
    if changed.any():
        row, place = (int(axis) for axis in np.argwhere(changed)[0])
        table.fail(
            cut.start + row,
            chosen.start[place],
            "changes within a recording, expected one value a recording to start from; say where "
            "a recording ends with --recording",
        )
    first: F32 = own[0].copy()
    return first
