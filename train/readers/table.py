"""A delimited text file as columns of text, checked: the header, the delimiter, every row."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnedge.arrays import F32, F64
from rnnedge.errors import DataError
from rnnedge.train.readers.recordings import as_float32, split_unit

_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The fields of one file.

    Attributes:
        path: the file.
        names: column names without unit of measure.
        units: units of measure, "" where the header names none.
        columns: per column, the text of every row.
        lines: per row, its 1-based line number in the file.
    """

    path: Path
    names: tuple[str, ...]
    units: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def find(self, name: str) -> int | None:
        """Return the position of a column, or None; a unit of measure in `name` is ignored."""
        for candidate in (name, split_unit(name)[0]):
            if candidate in self.names:
                return self.names.index(candidate)
        return None

    def text(self, name: str) -> list[str]:
        """Return a column of words, none of them empty.

        Raises:
            DataError: no such column, or an empty field in it.
        """
        index = self.find(name)
        if index is None:
            raise DataError(
                f"{self.path}: no column {name!r}; the columns are {', '.join(self.names)}"
            )
        words = [word.strip() for word in self.columns[index]]
        if "" in words:
            self._fail(words.index(""), index, "is empty, expected a name; fill it in")
        return words

    def numbers(self, indices: Sequence[int]) -> F32:
        """Return columns as float32 (rows, columns).

        Raises:
            DataError: a field is empty, no number, not finite, or too large for float32.
        """
        values: F64 = np.empty((len(self.lines), len(indices)))
        for place, index in enumerate(indices):
            column = self.columns[index]
            try:
                values[:, place] = column
            except ValueError:
                self._not_a_number(index)
        cast, wrong = as_float32(values)
        if wrong is not None:
            row, index = wrong[0], indices[wrong[1]]
            found = self.columns[index][row].strip()
            if np.isfinite(values[wrong]):
                self._fail(row, index, f"is {found}, too large for float32; scale the column")
            self._fail(row, index, f"is {found}, expected a finite number; repair or drop the row")
        return cast

    def _not_a_number(self, index: int) -> None:
        """Raise for the first field of a column that is no number."""
        for row, field in enumerate(self.columns[index]):
            try:
                float(field)
            except ValueError:
                text, name = field.strip(), self.names[index]
                if not text:
                    self._fail(row, index, "is empty, expected a number; fill in or drop the row")
                hint = f"if it is no channel: --ignore {name}, or name the others with --channels"
                if text.replace(",", "", 1).lstrip("+-").isdigit():
                    hint = "write decimals with a point"
                self._fail(row, index, f"is {text[:40]!r}, expected a number; {hint}")

    def _fail(self, row: int, index: int, what: str) -> None:
        raise DataError(f"{self.path} line {self.lines[row]}: column {self.names[index]!r} {what}")


def read_table(path: Path) -> Table:
    """Read a delimited file with a header line.

    The delimiter (comma, semicolon or tab) is the one that divides the header into most fields.
    Where every row has one field more than the header, the first is a row number without a name,
    and is dropped.

    Raises:
        DataError: the file is missing, binary, empty, without header or rows, or ragged.
    """
    text = _decoded(path)
    try:
        rows, lines = _rows(path, text)
    except csv.Error as error:
        raise DataError(f"{path}: {error}; repair the quotes of this field") from None
    header = [field.strip() for field in rows[0]]
    _check_header(path, lines[0], header)
    if len(rows) > 1 and all(len(row) == len(header) + 1 for row in rows[1:]):
        # as R writes it: the first column numbers the rows and has no name
        rows[1:] = [row[1:] for row in rows[1:]]
    if len(rows) == 1:
        raise DataError(f"{path}: only a header line, expected rows of samples below it")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            found = "an empty line" if not row else f"{len(row)} fields"
            raise DataError(
                f"{path} line {line}: {found}, expected {len(header)} as in the header; "
                "repair or drop the line"
            )
    names, units = _names(path, header)
    return Table(
        path=path,
        names=names,
        units=units,
        columns=tuple(zip(*rows[1:], strict=True)),
        lines=tuple(lines[1:]),
    )


def _decoded(path: Path) -> str:
    """Return the text of a UTF-8 file, without byte order mark."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path}: the text is UTF-16, expected UTF-8; save it as UTF-8")
    if b"\0" in raw:
        raise DataError(f"{path}: a binary file, expected CSV text or an .npz")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path} line {line}: not UTF-8 (byte 0x{raw[error.start]:02x}); save it as UTF-8"
        ) from None
    if not text.strip():
        raise DataError(f"{path}: the file is empty, expected a header line and rows of samples")
    return text


def _rows(path: Path, text: str) -> tuple[list[list[str]], list[int]]:
    """Return the fields of every line that is not a blank one at either end."""
    first = next(line for line in text.splitlines() if line.strip())
    delimiter = max(_DELIMITERS, key=lambda d: len(next(csv.reader([first], delimiter=d))))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    line = 1
    try:
        for row in reader:
            blank = not row or (len(row) == 1 and not row[0].strip())
            if rows or not blank:
                rows.append([] if blank else row)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path} line {line}: {error}; repair the quotes of this line") from None
    while not rows[-1]:
        rows.pop()
        lines.pop()
    return rows, lines


def _check_header(path: Path, line: int, header: list[str]) -> None:
    """Refuse a first line that holds samples instead of names."""
    numbers = [field for field in header if _is_number(field)]
    if len(numbers) == len(header) or any(not field.isdigit() for field in numbers):
        raise DataError(
            f"{path} line {line}: numbers ({', '.join(numbers)[:40]}), expected column names; "
            "add a header line"
        )


def _names(path: Path, header: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part names and units of measure; keep the full header where names would collide."""
    names, units = zip(*(split_unit(field) for field in header), strict=True)
    if len(set(names)) < len(names):
        names, units = tuple(header), ("",) * len(header)
    for index, name in enumerate(names):
        if name in names[:index]:
            raise DataError(
                f"{path}: two columns are called {name!r} (columns {names.index(name) + 1} and "
                f"{index + 1}); rename one"
            )
    return names, units


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
