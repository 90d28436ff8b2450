"""A table of samples, whatever its file: typed columns, and where each field stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rnnedge.arrays import F32, F64, I64
from rnnedge.data.readers.cache import BLOCK, recoded, used
from rnnedge.data.readers.recordings import split_unit
from rnnedge.data.readers.stamps import iso_seconds
from rnnedge.errors import DataError

MISSING = ("", "nan", "na", "n/a", "null", "none", "?", "-nan", "#n/a")
"""Fields, in lower case, that stand for a value that is not known."""

_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """One column.

    Attributes:
        kind: "number", "stamp" (seconds since 1970) or "word".
        values: float64 (rows,) of numbers and stamps, NaN where missing; else empty. A float32
            column may be memory-mapped.
        codes: int64 (rows,) of words, an index into `words`; else empty.
        words: the different words.
        bad: the first row of a number or stamp column that holds something else, or None.
    """

    kind: str
    values: F64 | F32 = field(default_factory=lambda: np.empty(0))
    codes: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    words: tuple[str, ...] = ()
    bad: int | None = None


def word_column(codes: I64, words: Sequence[str]) -> Column:
    """Return a column of words, or of time stamps where all of them are ISO 8601.

    Args:
        codes: (rows,), an index into `words`.
        words: the different words.
    """
    try:
        stamps = np.array([iso_seconds(word) for word in words], np.float64)
    except (ValueError, OverflowError):
        return Column(kind="word", codes=codes, words=tuple(words))
    return Column(kind="stamp", values=stamps[codes])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """The columns of one file.

    Attributes:
        path: the file, for messages.
        names: column names without unit of measure.
        units: units of measure, "" where the header names none.
        columns: the columns.
        rows: number of rows.
        lines: int64 (rows,), 1-based line of each row in the file; None: one after the other.
        first_line: line of the first row.
        word: what a row is called in messages, "line" or "row".
        breaks: rows, other than the first, at which a new recording begins.
        notes: what was taken for granted.
        exact: returns the text of a field (row, column) as it stands in the file, or None.
    """

    path: Path
    names: tuple[str, ...]
    units: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: int
    lines: I64 | None = None
    first_line: int = 2
    word: str = "line"
    breaks: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    exact: Callable[[int, int], str] | None = None

    def find(self, name: str) -> int | None:
        """Return the position of a column, or None; a unit of measure in `name` is ignored."""
        for candidate in (name, split_unit(name)[0]):
            if candidate in self.names:
                return self.names.index(candidate)
        return None

    def needed(self, name: str) -> int:
        """Return the position of a column.

        Raises:
            DataError: there is none of this name.
        """
        index = self.find(name)
        if index is None:
            raise DataError(
                f"{self.path}: no column {name!r}; the columns are {', '.join(self.names)}"
            )
        return index

    def line(self, row: int) -> int:
        """Return the 1-based line of a row."""
        return int(self.lines[row]) if self.lines is not None else self.first_line + row

    def words(self, name: str, *, empty: bool = False) -> tuple[I64, tuple[str, ...]]:
        """Return a column of words as codes (rows,) and the word of each code.

        Args:
            name: the column.
            empty: whether a field may be empty; its code is then -1.

        Raises:
            DataError: no such column, an empty field in it, or lists instead of names.
        """
        index = self.needed(name)
        column = self.columns[index]
        if column.kind == "other":
            raise DataError(
                f"{self.path}: column {name!r} has no words or numbers, expected names; fill it "
                "in, or name another"
            )
        if column.kind != "word":
            found, codes = np.unique(column.values, return_inverse=True)
            return codes.astype(np.int64), tuple(f"{value:.12g}" for value in found)
        codes, words = column.codes, column.words
        if "" in words:
            code = words.index("")
            if not empty and code in used(codes, len(words)):
                row = int(np.argmax(codes == code))
                self.fail(row, index, "is empty, expected a name; fill it in")
            places = np.arange(len(words), dtype=np.int64)
            places[code] = -1
            codes = recoded(places, codes)
        return codes, words

    def numbers(self, indices: Sequence[int], *, holes: bool) -> F32:
        """Return columns as float32 (rows, columns).

        Args:
            indices: positions of the columns.
            holes: whether a value may be missing; it is then NaN.

        Raises:
            DataError: a field is empty, no number, not finite, or too large for float32.
        """
        values = np.empty((self.rows, len(indices)), np.float32)
        for place, index in enumerate(indices):
            column = self.columns[index]
            if column.kind != "number" or column.bad is not None:
                self._not_a_number(index)
            for start in range(0, self.rows, BLOCK):
                block = column.values[start : start + BLOCK]
                wrong = np.abs(block) > _FLOAT32_MAX
                if not holes:
                    wrong |= np.isnan(block)
                if wrong.any():
                    self._not_finite(start + int(np.argmax(wrong)), index)
                values[start : start + BLOCK, place] = block
        return values

    def fail(self, row: int, index: int, what: str) -> None:
        """Raise for one field.

        Raises:
            DataError: always.
        """
        raise DataError(
            f"{self.path} {self.word} {self.line(row)}: column {self.names[index]!r} {what}"
        )

    def field(self, row: int, index: int) -> str:
        """Return the text of a field, as exactly as it is still known."""
        if self.exact is not None:
            return self.exact(row, index)
        column = self.columns[index]
        if column.kind == "word":
            return column.words[int(column.codes[row])]
        return f"{column.values[row]:.9g}"

    def _not_a_number(self, index: int) -> None:
        column, name = self.columns[index], self.names[index]
        row = column.bad or 0
        if column.kind == "word":
            codes, words = column.codes, column.words
            texts = [c for c, word in enumerate(words) if word.lower() not in MISSING]
            row = int(np.argmax(np.isin(codes, texts)))
        text = self.field(row, index).strip()
        hint = f"if it is no channel: --ignore {name}, or name the others with --channels"
        if text.replace(",", "", 1).lstrip("+-").isdigit():
            hint = "write decimals with a point, or say --decimal ,"
        elif column.kind == "stamp":
            hint = f"if it is the time: --time {name}"
        self.fail(row, index, f"is {text[:40]!r}, expected a number; {hint}")

    def _not_finite(self, row: int, index: int) -> None:
        text, value = self.field(row, index).strip(), float(self.columns[index].values[row])
        if np.isnan(value):
            count = int(np.isnan(self.columns[index].values).sum())
            what = "is empty" if not text else f"is {text[:40]}"
            total = f"{count} of {self.rows} values are missing in this column"
            self.fail(
                row,
                index,
                f"{what}, expected a finite number ({total}); fill it in, or say what becomes of "
                "it with --missing interpolate, hold or drop",
            )
        if np.isfinite(value):
            self.fail(row, index, f"is {text}, too large for float32; scale the column")
        self.fail(row, index, f"is {text}, expected a finite number; repair or drop the row")
