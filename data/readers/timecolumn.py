"""The column of time stamps of a table: which one it is, and its seconds."""

import re

import numpy as np

from rnnedge.arrays import F64
from rnnedge.data.readers.request import Request
from rnnedge.data.readers.stamps import TIME_NAME, count_seconds, word_seconds
from rnnedge.data.readers.table import Column, Table
from rnnedge.errors import DataError

_RISING = 0.99
_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?")
_FEWEST = 3
_UNIX_YEAR = 1e8


def find_time(table: Table, want: Request) -> int | None:
    """Return the position of the column of time stamps, or None.

    It is the one that `form.time` names, else the first that holds ISO 8601 stamps, else one
    that is named as a time (time, timestamp, date, ts, t ...) and holds dates or rising numbers.
    Columns with another role, or of one stamp only, are not looked at.

    Raises:
        DataError: the named column does not exist.
    """
    form = want.form
    if form.time is not None:
        if not want.labelled and table.find(form.time) is None:
            return None
        return table.needed(form.time)
    named = (form.label, form.group, form.recording, *form.ignore, *form.targets, *form.start)
    taken = {table.find(name) for name in (*named, *(want.channels or form.channels)) if name}
    free = [index for index in range(len(table.names)) if index not in taken]
    for index in free:
        column = table.columns[index]
        if column.kind == "stamp" and not _still(np.asarray(column.values)):
            return index
    for index in free:
        if TIME_NAME.fullmatch(table.names[index]) and _like_time(table, index):
            return index
    return None


def _like_time(table: Table, index: int) -> bool:
    """Tell whether a column that is named as a time holds one, and not just the row's number."""
    column = table.columns[index]
    if column.kind == "word":
        return _is_clock(column) or word_seconds(column.words[:50])[0] is not None
    if column.kind != "number" or column.bad is not None or len(column.values) < _FEWEST:
        return False
    steps = np.diff(column.values)
    counts = bool((steps == 1).all()) and column.values[0] < _UNIX_YEAR
    _, unit = count_seconds(
        np.asarray(column.values[:1], np.float64), table.names[index], table.units[index]
    )
    stated = unit != "s" or table.units[index] != "" or table.names[index].lower().endswith("_s")
    return bool((steps > 0).mean() >= _RISING) and (stated or not counts)


def _is_clock(column: Column) -> bool:
    """Tell whether a column of words holds times of day."""
    return bool(column.words) and all(_CLOCK.fullmatch(word) for word in column.words)


def seconds(table: Table, index: int) -> tuple[F64, str]:
    """Return the time of every row, float64 (rows,) in seconds, and a remark for people or "".

    Raises:
        DataError: a field is empty or no time stamp, or all of them are the same.
    """
    found, told = _seconds(table, index)
    if _still(found):
        raise DataError(
            f"{table.path}: column {table.names[index]!r} is the same in all rows and cannot be "
            f"the time; name another one with --time, or --ignore {table.names[index]}"
        )
    return found, told


def _still(stamps: F64) -> bool:
    """Tell whether all stamps are the same, as those of a day are."""
    return len(stamps) >= _FEWEST and bool((stamps == stamps[0]).all())


def _seconds(table: Table, index: int) -> tuple[F64, str]:
    """Return what `seconds` does, whatever the stamps are."""
    column, name = table.columns[index], table.names[index]
    if column.kind == "word":
        found, told = _words(table, index)
        return found, f"{name}: read as {told}"
    values = np.asarray(column.values, np.float64)
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(np.argmax(wrong))
        text = table.field(row, index).strip()
        what = "is empty" if not text else f"is {text[:40]!r}"
        table.fail(row, index, f"{what}, expected a time stamp; fill it in or drop the row")
    if column.kind == "stamp":
        return values, ""
    found, unit = count_seconds(values, name, table.units[index])
    return found, f"{name}: taken to count {unit}; if not, write the unit, as in {name} [ms]"


def _words(table: Table, index: int) -> tuple[F64, str]:
    """Return the seconds of dates that are not ISO 8601, or of times of day."""
    column = table.columns[index]
    if _is_clock(column):
        clock = [[float(part) for part in word.split(":")] for word in column.words]
        of_day = [sum(part * 60.0**-k for k, part in enumerate(parts)) * 3600 for parts in clock]
        found = np.round(np.array(of_day, np.float64), 6)[column.codes]
        return found + 86400.0 * np.concatenate(
            [[0], np.cumsum(np.diff(found) < -43200)]
        ), "times of day"
    if "" in column.words:
        row = int(np.argmax(column.codes == column.words.index("")))
        table.fail(row, index, "is empty, expected a time stamp; fill it in or drop the row")
    found_words, told = word_seconds(column.words)
    if found_words is None:
        row = _first_odd(column)
        if told.startswith("may be"):
            raise DataError(f"{table.path}: column {table.names[index]!r} {told}")
        text = column.words[int(column.codes[row])]
        raise DataError(
            f"{table.path} {table.word} {table.line(row)}: column {table.names[index]!r} is "
            f"{text[:40]!r}, which {told}"
        )
    return found_words[column.codes], told


def _first_odd(column: Column) -> int:
    """Return the row of the first word that alone is no date."""
    odd = [
        code for code, word in enumerate(column.words) if word_seconds([word])[1].startswith("is")
    ]
    return int(np.argmax(np.isin(column.codes, odd)))
