"""A delimited text file line by line: exact about what is wrong, in memory of the numbers alone."""

import csv
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from rnnedge.data.readers.dialect import Dialect, number
from rnnedge.data.readers.stamps import iso_seconds
from rnnedge.data.readers.table import Column
from rnnedge.errors import DataError

_COMMENT = "#"


class Builder:
    """One column, filled field by field; its first field that is not missing decides its kind."""

    def __init__(self, *, text: bool, decimal: str) -> None:
        self.kind = "word" if text else ""
        self._decimal = decimal
        self._values = array("d")
        self._codes = array("q")
        self._words: dict[str, int] = {}
        self._bad: int | None = None

    def add(self, field: str) -> None:
        """Add the next row's field."""
        if self.kind == "word":
            word = field.strip()
            self._codes.append(self._words.setdefault(word, len(self._words)))
            return
        try:
            if self.kind == "stamp":
                value = iso_seconds(field) if field.strip() else float("nan")
            else:
                value = number(field, self._decimal)
        except (ValueError, OverflowError):
            self._odd(field)
            return
        if not self.kind and value == value:
            self.kind = "number"
        self._values.append(value)

    def _odd(self, field: str) -> None:
        """Take a field that is no number (or no time stamp)."""
        if self.kind:
            self._bad = len(self._values) if self._bad is None else self._bad
            self._values.append(float("nan"))
            return
        try:
            self._values.append(iso_seconds(field))
            self.kind = "stamp"
        except (ValueError, OverflowError):
            if len(self._values):
                self.kind = "number"
                self._odd(field)
            else:
                self.kind = "word"
                self.add(field)

    def column(self) -> Column:
        """Return what was added."""
        if self.kind == "word":
            codes = np.frombuffer(self._codes, np.int64)
            return Column(kind="word", codes=codes, words=tuple(self._words))
        values = np.frombuffer(self._values, np.float64)
        return Column(kind=self.kind or "number", values=values, bad=self._bad)


class Scan:
    """The rows of one file.

    Attributes:
        columns: one a name of the dialect that is not None.
        lines: line number of each row.
        breaks: rows at which a new recording begins, by an empty line, a row count or a header.
        comments: lines left out.
    """

    def __init__(self, path: Path, dialect: Dialect, *, text: Sequence[str], decimal: str) -> None:
        """Read the file.

        Args:
            path: the file.
            dialect: its layout.
            text: names of the columns that hold words, whatever they look like.
            decimal: "." or ",".

        Raises:
            DataError: names the line that is ragged, not UTF-8, or whose quotes are wrong.
        """
        self.columns = [
            Builder(text=n in text, decimal=decimal) for n in dialect.names if n is not None
        ]
        self.lines = array("q")
        self.breaks: list[int] = []
        self.comments = 0
        self._path, self._dialect = path, dialect
        self._count: tuple[int, int] | None = None
        self._read()

    def _read(self) -> None:
        kept = [index for index, name in enumerate(self._dialect.names) if name is not None]
        width = len(self._dialect.names)
        pairs = list(zip(kept, (builder.add for builder in self.columns), strict=True))
        for line, row in _rows(self._path, self._dialect):
            if len(row) == width and any(field.strip() for field in row):
                if line < self._dialect.first or self._is_header(row):
                    self._divide(line, None)
                elif self._dialect.comments and row[0].startswith(_COMMENT):
                    self.comments += 1
                else:
                    self.lines.append(line)
                    for index, add in pairs:
                        add(row[index])
            else:
                self._other(line, row, width)
        self._divide(0, None)

    def _is_header(self, row: Sequence[str]) -> bool:
        header = self._dialect.header
        return (
            row[0].strip() == (header[0] if header else None)
            and tuple(field.strip() for field in row) == header
        )

    def _other(self, line: int, row: Sequence[str], width: int) -> None:
        """Take a line that is no row: a comment, an empty line, a row count."""
        filled = [field.strip() for field in row if field.strip()]
        if filled and self._dialect.comments and filled[0].startswith(_COMMENT):
            self.comments += 1
        elif not filled:
            self._divide(line, None)
        elif len(filled) == 1 and filled[0].isdigit() and width > 1:
            self._divide(line, int(filled[0]))
        elif line >= self._dialect.first:
            raise DataError(
                f"{self._path} line {line}: {len(row)} fields, expected {width}"
                f"{' as in the header' if self._dialect.header else ''}; repair or drop the line"
            )

    def _divide(self, line: int, count: int | None) -> None:
        """End a recording; check a row count against the rows behind or before it."""
        rows = len(self.lines)
        since = rows - (self.breaks[-1] if self.breaks else 0)
        if self._count is not None and (since or not line or count is not None):
            if self._count[1] != since:
                raise DataError(
                    f"{self._path} line {self._count[0]}: a row count of {self._count[1]}, but "
                    f"{since or 'no'} rows follow it; repair or drop the line"
                )
            self._count = None
        elif count is not None and since == count:
            count = None  # it stands behind its rows
        if rows and since:
            self.breaks.append(rows)
        if count is not None:
            self._count = (line, count)


def _rows(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of every line, and its number."""
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=dialect.delimiter, strict=True)
            for row in reader:
                yield line, row
                line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path} line {line}: {error}; repair the quotes of this line") from None
    except UnicodeDecodeError:
        number, byte = _not_utf8(path)
        raise DataError(
            f"{path} line {number}: not UTF-8 (byte 0x{byte:02x}); save it as UTF-8"
        ) from None


def _not_utf8(path: Path) -> tuple[int, int]:
    """Return line and value of the first byte that is not UTF-8."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return number, line[error.start]
    return 0, 0
