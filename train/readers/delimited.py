"""CSV files to recordings: columns chosen, recordings cut at label, group and length."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from rnnedge.errors import DataError
from rnnedge.run import DataFormat
from rnnedge.train.readers.recordings import Recording, Recordings, class_names, pick_channels
from rnnedge.train.readers.table import Table, read_table


def read_delimited(
    paths: Sequence[Path],
    form: DataFormat,
    *,
    labelled: bool,
    channels: Sequence[str],
    stems: bool,
) -> Recordings:
    """Read CSV files of one sensor.

    Args:
        paths: the files.
        form: names of the columns and the length of a recording.
        labelled: whether a label is required; without, a label column is ignored, and group and
            recording columns are used where they exist.
        channels: the channels to take, in order; empty: those of `form`, or all that are left.
        stems: whether the name of a file may stand for the label column.

    Raises:
        DataError: a file cannot be read as the format says, or the files do not belong together.
    """
    tables = [read_table(path) for path in paths]
    wanted = tuple(channels or form.channels)
    special = _special(form)
    with_label = [table for table in tables if labelled and table.find(form.label) is not None]
    if with_label and len(with_label) < len(tables):
        other = next(table for table in tables if table not in with_label)
        raise DataError(
            f"{other.path}: no column {form.label!r}, which {with_label[0].path} has; "
            "give files with the same columns"
        )
    if not with_label and labelled and not (stems and form.label == DataFormat().label):
        raise DataError(
            f"{tables[0].path}: no label column {form.label!r}; the columns are "
            f"{', '.join(tables[0].names)}; name it with --label, or give one file per class"
        )
    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    items: list[Recording] = []
    for table in tables:
        indices = _channels(table, wanted, special, form.ignore)
        if not names:
            names = tuple(table.names[index] for index in indices)
            units = tuple(table.units[index] for index in indices)
        elif not wanted:
            indices = _like(table, names, indices, tables[0].path)
        _same_units(table, units, indices, tables[0].path)
        items += _recordings(table, form, indices, bool(with_label), labelled, stems)
    return Recordings(
        items=tuple(items),
        channels=names,
        units=units,
        classes=class_names(item.label for item in items),
    )


def _special(form: DataFormat) -> tuple[str, ...]:
    """Return the columns that are no channels by their role."""
    return tuple(name for name in (form.label, form.group, form.recording) if name is not None)


def _channels(
    table: Table, wanted: Sequence[str], special: Sequence[str], ignore: Sequence[str]
) -> list[int]:
    """Return the positions of the channel columns.

    Raises:
        DataError: a named column does not exist, a column has no name, or none is left.
    """
    if wanted:
        return pick_channels(table.names, wanted, str(table.path))
    pick_channels(table.names, ignore, str(table.path))
    left_out = {table.find(name) for name in (*special, *ignore)}
    indices = [index for index in range(len(table.names)) if index not in left_out]
    for index in indices:
        if not table.names[index]:
            raise DataError(
                f"{table.path}: column {index + 1} has no name; name it, drop it, or choose the "
                "others with --channels"
            )
    if not indices:
        raise DataError(f"{table.path}: no channel is left among {', '.join(table.names)}")
    return indices


def _like(table: Table, names: Sequence[str], indices: Sequence[int], first: Path) -> list[int]:
    """Return the channels of a further file in the order of the first one."""
    found = {table.names[index]: index for index in indices}
    for name in names:
        if name not in found:
            raise DataError(f"{table.path}: no column {name!r}, which {first} has")
    for name in found:
        if name not in names:
            raise DataError(f"{table.path}: column {name!r}, which {first} has not; --ignore it")
    return [found[name] for name in names]


def _same_units(table: Table, units: Sequence[str], indices: Sequence[int], first: Path) -> None:
    for unit, index in zip(units, indices, strict=True):
        if table.units[index] != unit:
            raise DataError(
                f"{table.path}: column {table.names[index]!r} is in [{table.units[index]}], in "
                f"{first} it is in [{unit}]; convert one of them"
            )


def _recordings(
    table: Table,
    form: DataFormat,
    indices: Sequence[int],
    with_label: bool,
    labelled: bool,
    stems: bool,
) -> list[Recording]:
    """Cut one file where label, group or recording number change, then to length."""
    values = table.numbers(indices)

    def column(name: str | None, present: bool) -> Sequence[str | None]:
        if name is None or not present:
            return [None] * len(table.lines)
        return table.text(name)

    def needed(name: str | None) -> bool:
        return name is not None and (labelled or table.find(name) is not None)

    labels = column(form.label, with_label)
    if labelled and not with_label and stems:
        labels = [table.path.stem] * len(table.lines)
    groups = column(form.group, needed(form.group))
    numbers = column(form.recording, needed(form.recording))
    items: list[Recording] = []
    keys = list(zip(labels, groups, numbers, strict=True))
    for (label, group, number), run in groupby(range(len(keys)), key=keys.__getitem__):
        rows = list(run)
        for start, stop in _cuts(table, form.recording_rows, rows[0], rows[-1] + 1):
            first, last = table.lines[start], table.lines[stop - 1]
            named = "" if number is None else f"recording {number} "
            items.append(
                Recording(
                    values=values[start:stop],
                    label=label,
                    group=_group(table.path, form, group, number),
                    source=f"{table.path.name} {named}lines {first}-{last}",
                    file=table.path.name,
                    start_row=first,
                )
            )
    return items


def _group(path: Path, form: DataFormat, group: str | None, number: str | None) -> str | None:
    """Name the unit that stays together: the group, else the numbered recording of this file."""
    if group is not None or number is None or form.recording is None:
        return group
    return f"{path} {form.recording} {number}"


def _cuts(table: Table, length: int | None, start: int, stop: int) -> list[tuple[int, int]]:
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
            f"{table.path} line {table.lines[start]}: {stop - start} rows with the same label are "
            f"no whole number of recordings of {length} rows, {over} are left over; check "
            "--recording-rows"
        )
    return [(row, row + length) for row in range(start, stop, length)]
