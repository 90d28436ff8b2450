"""How a delimited text file is laid out, from its first lines: delimiter, header, comments."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnnedge.data.readers.recordings import split_unit
from rnnedge.data.readers.table import MISSING
from rnnedge.errors import DataError

_DELIMITERS = (",", ";", "\t")
_HEAD = 1 << 20
_COMMENT = "#"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The layout of one file.

    Attributes:
        delimiter: comma, semicolon or tab.
        header: the first line's fields, stripped; empty: the file has none.
        names: column names without unit of measure, one a field of a row; None: a field without
            a name, a row number before or nothing behind the named ones.
        units: units of measure, "" where the header names none.
        first: 1-based line of the first row.
        sample: fields of the first row.
        comments: whether lines that begin with # are left out.
        counted: whether a row count stands before the first row.
        notes: what was taken for granted.
    """

    delimiter: str
    header: tuple[str, ...]
    names: tuple[str | None, ...]
    units: tuple[str, ...]
    first: int
    sample: tuple[str, ...]
    comments: bool
    counted: bool
    notes: tuple[str, ...]


def number(field: str, decimal: str) -> float:
    """Return the number in a field, NaN where it says that it is missing.

    Raises:
        ValueError: neither.
    """
    if decimal != "." and decimal in field and "." not in field:
        field = field.replace(decimal, ".", 1)
    try:
        return float(field)
    except ValueError:
        if field.strip().lower() in MISSING:
            return float("nan")
        raise


def find_dialect(path: Path, decimal: str) -> Dialect:
    """Read the first lines of a file.

    Raises:
        DataError: binary, not UTF-8, empty, a line of a megabyte, a header without rows, or two
            columns of one name.
    """
    lines = _head(path)
    shown = [(n, line) for n, line in lines if line.strip() and not line.startswith(_COMMENT)]
    if not shown:
        raise DataError(f"{path}: the file is empty, expected a header line and rows of samples")
    delimiter = _delimiter(shown[0][1], decimal)
    rows = [(n, _fields(path, n, line, delimiter)) for n, line in shown[:3]]
    counted = len(rows) > 2 and _is_count(rows[1][1], len(rows[0][1]))
    del rows[1 : 2 if counted else 1], rows[2:]
    commented = _commented_header(lines, shown[0][0], len(rows[0][1]), delimiter)
    if commented is not None:
        rows.insert(0, commented)
    header, notes = tuple(rows[0][1]), []
    if commented is None and _is_data(header, rows[1][1] if len(rows) > 1 else None, decimal):
        notes.append(
            f"{path.name} has no header line: its columns are called c0 to c{len(header) - 1}"
        )
        header, body = (), rows[0]
        names: list[str] = [f"c{index}" for index in range(len(rows[0][1]))]
        units = [""] * len(names)
    elif len(rows) == 1:
        raise DataError(f"{path}: only a header line, expected rows of samples below it")
    else:
        names, units = _names(path, header)
        body = rows[1]
    return Dialect(
        delimiter=delimiter,
        header=header,
        names=_placed(names, body[1]),
        units=tuple(units),
        first=body[0],
        sample=tuple(body[1]),
        comments=commented is not None or not (header or names)[0].startswith(_COMMENT),
        counted=counted,
        notes=tuple(notes),
    )


def _is_count(fields: Sequence[str], width: int) -> bool:
    """Tell whether a line is a row count alone."""
    filled = [field for field in fields if field]
    return width > 1 and len(filled) == 1 and filled[0].isdigit()


def _head(path: Path) -> list[tuple[int, str]]:
    """Return the first lines with their numbers."""
    try:
        with path.open("rb") as file:
            raw = file.read(_HEAD)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path}: the text is UTF-16, expected UTF-8; save it as UTF-8")
    if b"\0" in raw:
        raise DataError(f"{path}: a binary file, expected CSV text")
    if len(raw) == _HEAD:
        if b"\n" not in raw and b"\r" not in raw:
            raise DataError(f"{path}: the first line is longer than a megabyte; is this a CSV?")
        raw = raw[: max(raw.rfind(b"\n"), raw.rfind(b"\r")) + 1]
        if len(raw.splitlines()) == 1:
            raise DataError(f"{path}: line 2 is longer than a megabyte; is this a CSV?")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path} line {line}: not UTF-8 (byte 0x{raw[error.start]:02x}); save it as UTF-8"
        ) from None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return list(enumerate(lines, 1))


def _delimiter(line: str, decimal: str) -> str:
    """Return what divides a line into most fields."""
    usable = [mark for mark in _DELIMITERS if mark != decimal]
    return max(usable, key=lambda mark: _count(line, mark))


def _count(line: str, mark: str) -> int:
    """Return the number of fields; 1 where one of them is longer than csv takes."""
    try:
        return len(next(csv.reader([line], delimiter=mark)))
    except csv.Error:
        return 1


def _fields(path: Path, number: int, line: str, delimiter: str) -> list[str]:
    try:
        row = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise DataError(f"{path} line {number}: {error}; repair the quotes of this line") from None
    return [field.strip() for field in row]


def _commented_header(
    lines: Sequence[tuple[int, str]], before: int, width: int, delimiter: str
) -> tuple[int, list[str]] | None:
    """Return the comment line before the first row that names as many columns, if any."""
    above = [line for line in lines[: before - 1] if line[1].startswith(_COMMENT)]
    for number, line in reversed(above):
        fields = [field.strip() for field in line.lstrip(_COMMENT).split(delimiter)]
        if len(fields) == width and width > 1 and all(fields):
            return number, fields
    return None


def _is_data(header: Sequence[str], below: Sequence[str] | None, decimal: str) -> bool:
    """Tell whether the first line holds samples instead of names."""
    numbers = [field for field in header if field and _is_number(field, decimal)]
    if any(not field.isdigit() for field in numbers):
        return True
    if len(numbers) < len(header):
        return False  # 0,1,2,label: columns that a program numbered
    counted = [str(index) for index in range(len(header))]
    return below is None or list(header) != counted or len(header) < 2


def _names(path: Path, header: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part names and units of measure; keep the full header where names would collide."""
    parts = [split_unit(field) for field in header]
    names, units = [name for name, _ in parts], [unit for _, unit in parts]
    if len(set(names)) < len(names):
        names, units = list(header), [""] * len(header)
    for index, name in enumerate(names):
        if name and name in names[:index]:
            raise DataError(
                f"{path}: two columns are called {name!r} (columns {names.index(name) + 1} and "
                f"{index + 1}); rename one"
            )
    return names, units


def _placed(names: Sequence[str], sample: Sequence[str]) -> tuple[str | None, ...]:
    """Return the name of each field of a row."""
    if len(sample) != len(names) + 1:
        return tuple(names)
    if not sample[-1]:
        return (*names, None)  # each row ends with a delimiter
    return (None, *names)  # as R writes it: the first column numbers the rows, without a name


def _is_number(field: str, decimal: str) -> bool:
    try:
        number(field, decimal)
    except ValueError:
        return False
    return True
