"""A delimited text file of plain rows, read fast; whatever is unusual is left to `scan`."""

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnedge.data.readers.cache import large
from rnnedge.data.readers.dialect import Dialect, number
from rnnedge.data.readers.request import Request
from rnnedge.data.readers.stamps import iso_seconds
from rnnedge.data.readers.table import MISSING, Column
from rnnedge.errors import DataError

_BLOCK = 1 << 24
_BLANKS = (b"\n\n", b"\n\r\n", b"\n#")


def quick_columns(
    path: Path, dialect: Dialect, text: Sequence[str], want: Request
) -> list[Column] | None:
    """Read a file whose lines are all rows of the same fields.

    Args:
        path: the file.
        dialect: its layout.
        text: names of the columns that hold words, whatever they look like.
        want: decimal point and progress.

    Returns:
        The columns, or None where anything is unusual.

    Raises:
        DataError: the file is binary.
    """
    ragged = len(dialect.sample) != len(dialect.names)
    if ragged or dialect.counted or not _plain(path, dialect):
        return None
    import pyarrow as pa
    from pyarrow import csv as pacsv

    kinds = [_kind(field, want.form.decimal) for field in dialect.sample]
    kinds = [
        "word" if name in text else kind for name, kind in zip(dialect.names, kinds, strict=True)
    ]
    types = {"number": pa.float64(), "stamp": pa.timestamp("us"), "word": pa.string()}
    keys = [str(index) for index in range(len(kinds))]
    null = sorted({form for word in MISSING for form in (word, word.upper(), word.title(), "NaN")})
    size, done = path.stat().st_size, 0
    parts: list[list[Any]] = [[] for _ in keys]
    try:
        reader = pacsv.open_csv(
            path,
            read_options=pacsv.ReadOptions(
                skip_rows=dialect.first - 1, column_names=keys, block_size=_BLOCK
            ),
            parse_options=pacsv.ParseOptions(delimiter=dialect.delimiter),
            convert_options=pacsv.ConvertOptions(
                column_types={key: types[kind] for key, kind in zip(keys, kinds, strict=True)},
                null_values=null,
                decimal_point=want.form.decimal,
                strings_can_be_null=False,
            ),
        )
        for batch in reader:
            for part, kind, values in zip(parts, kinds, batch.columns, strict=True):
                part.append(_block(kind, values))
            done += _BLOCK
            want.progress(done / max(size, 1))
    except pa.ArrowInvalid:
        return None
    columns = [_column(kind, part) for kind, part in zip(kinds, parts, strict=True)]
    if len(columns) > 1 and _empty_row(columns):
        return None
    named = zip(dialect.names, columns, strict=True)
    return [column for name, column in named if name is not None]


def _empty_row(columns: Sequence[Column]) -> bool:
    """Tell whether a row has no field at all, as programs write an empty line."""
    empty: npt.NDArray[np.bool_] | None = None
    for column in columns:
        if column.kind == "word":
            hollow = column.codes == (column.words.index("") if "" in column.words else -1)
        else:
            hollow = np.isnan(column.values)
        empty = hollow if empty is None else empty & hollow
        if not empty.any():
            return False
    return True


def _plain(path: Path, dialect: Dialect) -> bool:
    """Tell whether no empty and no comment line stands among the rows."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        if raw.find(b"\0") >= 0:
            raise DataError(f"{path}: a binary file, expected CSV text")
        end = len(raw)
        while end and raw[end - 1] in b" \t\r\n":
            end -= 1
        start = 0
        for _ in range(dialect.first - 1):
            start = raw.find(b"\n", start, end) + 1
            if not start:
                return False  # lines that end otherwise
        return all(raw.find(blank, start, end) < 0 for blank in _BLANKS)


def _kind(field: str, decimal: str) -> str:
    try:
        number(field, decimal)
    except ValueError:
        pass
    else:
        return "number"
    try:
        iso_seconds(field)
    except ValueError:
        return "word"
    return "stamp"


def _block(kind: str, values: Any) -> Any:
    """Return one block of a column as NumPy array, or (codes, words)."""
    if kind == "number":
        return values.to_numpy(zero_copy_only=False)
    if kind == "stamp":
        return values.cast("int64").to_numpy(zero_copy_only=False).astype(np.float64) / 1e6
    coded = values.fill_null("").dictionary_encode()
    return coded.indices.to_numpy(zero_copy_only=False), coded.dictionary.to_pylist()


def _column(kind: str, blocks: Sequence[Any]) -> Column:
    """Join the blocks of a column."""
    if kind != "word":
        return Column(kind=kind, values=np.concatenate(blocks) if blocks else np.empty(0))
    return coded_column(blocks)


def coded_column(blocks: Sequence[tuple[Any, Sequence[str | None]]]) -> Column:
    """Join blocks of words, each with codes of its own.

    Args:
        blocks: codes (rows,) and the word of each code, None for a missing one.
    """
    order: dict[str, int] = {}
    joined = large(sum(len(indices) for indices, _ in blocks), np.int64)
    row = 0
    for indices, words in blocks:
        places = [order.setdefault((word or "").strip(), len(order)) for word in words]
        joined[row : row + len(indices)] = np.array(places or [0], dtype=np.int64)[indices]
        row += len(indices)
    return Column(kind="word", codes=joined, words=tuple(order))
