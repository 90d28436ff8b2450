"""Delimited text files (CSV, TSV, semicolons) as tables."""

import bz2
import csv
import gzip
import lzma
import shutil
import zlib
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from rnnedge.data.readers.cache import scratch_file
from rnnedge.data.readers.dialect import Dialect, find_dialect
from rnnedge.data.readers.quick import quick_columns
from rnnedge.data.readers.request import Request
from rnnedge.data.readers.scan import Scan
from rnnedge.data.readers.table import Column, Table
from rnnedge.errors import DataError

COMPRESSED: dict[str, Callable[..., IO[Any]]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}


def read_table(path: Path, want: Request) -> Table:
    """Read a delimited text file, also a compressed one.

    The delimiter (comma, semicolon or tab) is the one that divides the header into most fields.
    Without header the columns are c0, c1 and so on. Lines that begin with # are left out; empty
    lines, lines with a row count alone and repeated headers end a recording. Where every row has
    one field more than the header, the first is a row number and is dropped.

    Args:
        path: the file.
        want: roles of the columns, decimal point and progress.

    Raises:
        DataError: the file is missing, binary, damaged, empty, without rows, or ragged.
    """
    plain = unpacked(path)
    dialect = _named(path, plain, lambda: find_dialect(plain, want.form.decimal))
    form = want.form
    asked = {name for name in (form.label, form.group, form.recording) if name is not None}
    text = [
        name
        for name, raw in zip(dialect.names, _raw(dialect), strict=True)
        if name is not None and (name in asked or raw in asked)
    ]
    columns = _named(path, plain, lambda: quick_columns(plain, dialect, text, want))
    named = tuple(name for name in dialect.names if name is not None)
    notes = list(dialect.notes)
    table = Table(
        path=path,
        names=named,
        units=dialect.units,
        columns=tuple(columns or ()),
        rows=0,
        first_line=dialect.first,
    )
    if columns is None:
        scan = _named(path, plain, lambda: Scan(plain, dialect, text=text, decimal=form.decimal))
        lines = np.frombuffer(scan.lines, np.int64) if scan.lines else np.empty(0, np.int64)
        rows = len(lines)
        table = replace(
            table,
            columns=tuple(builder.column() for builder in scan.columns),
            lines=lines,
            breaks=tuple(row for row in scan.breaks if row < rows),
        )
        if scan.comments:
            notes.append(f"{path.name}: {scan.comments} comment lines are left out")
        if table.breaks:
            notes.append(
                f"{path.name}: {len(table.breaks) + 1} recordings, divided by empty lines, row "
                "counts or headers"
            )
    rows = len(table.columns[0].values) or len(table.columns[0].codes)
    want.progress(1.0)
    exact = _exact(plain, dialect, table)
    return _without_row_numbers(replace(table, rows=rows, notes=tuple(notes), exact=exact))


def unpacked(path: Path) -> Path:
    """Return the file, or a scratch copy of what a compressed file holds.

    Raises:
        DataError: missing or damaged.
    """
    opened = COMPRESSED.get(path.suffix.lower())
    if opened is None:
        return path
    plain = scratch_file(path.stem)
    try:
        with opened(path, "rb") as source, plain.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path}: the file is damaged ({error}); write it again") from None
    return plain


def _named(path: Path, plain: Path, call: Callable[[], Any]) -> Any:
    """Call; name the file itself in messages, not its scratch copy."""
    try:
        return call()
    except DataError as error:
        if path == plain:
            raise
        raise DataError(str(error).replace(str(plain), str(path))) from None


def _raw(dialect: Dialect) -> list[str]:
    """Return the header of each field with its unit of measure."""
    header = list(dialect.header) or [str(name) for name in dialect.names]
    missing = len(dialect.names) - len(header)
    return [""] * missing + header if dialect.names[0] is None else header + [""] * missing


def _exact(plain: Path, dialect: Dialect, table: Table) -> Callable[[int, int], str]:
    kept = [index for index, name in enumerate(dialect.names) if name is not None]

    def field(row: int, index: int) -> str:
        with plain.open(encoding="utf-8-sig", newline="") as file:
            line = next(islice(file, table.line(row) - 1, None), "")
        fields = next(csv.reader([line], delimiter=dialect.delimiter), [])
        return fields[kept[index]] if len(fields) > kept[index] else ""

    return field


def _without_row_numbers(table: Table) -> Table:
    """Drop a first column without name that counts the rows, and empty ones without name."""
    dropped = [
        index
        for index, (name, column) in enumerate(zip(table.names, table.columns, strict=True))
        if not name and (_hollow(column) or (index == 0 and _counts(column)))
    ]
    if not dropped:
        return table
    kept = [index for index in range(len(table.names)) if index not in dropped]
    exact = table.exact
    return replace(
        table,
        names=tuple(table.names[index] for index in kept),
        units=tuple(table.units[index] for index in kept),
        columns=tuple(table.columns[index] for index in kept),
        exact=None if exact is None else lambda row, index: exact(row, kept[index]),
    )


def _hollow(column: Column) -> bool:
    if column.kind == "word":
        return column.words == ("",)
    return column.bad is None and bool(np.isnan(column.values).all())


def _counts(column: Column) -> bool:
    whole = column.kind == "number" and column.bad is None and len(column.values) > 1
    return whole and bool((np.diff(column.values) == 1).all())
