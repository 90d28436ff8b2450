"""Parquet files as tables, row group by row group: memory does not grow with the file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.arrays import F32
from rnnedge.data.readers.cache import forget, large, scratch_file
from rnnedge.data.readers.quick import coded_column
from rnnedge.data.readers.recordings import split_unit
from rnnedge.data.readers.request import Request
from rnnedge.data.readers.stamps import TIME_NAME
from rnnedge.data.readers.table import Column, Table
from rnnedge.errors import DataError

_BATCH = 1 << 16
_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParquetTable(Table):
    """A table whose numbers are read when they are asked for, into a memory-mapped file.

    Attributes:
        source: the file, opened.
        fields: name in the file of each column.
        want: to whom progress is told.
    """

    source: Any
    fields: tuple[str, ...]
    want: Request

    def numbers(self, indices: Sequence[int], *, holes: bool) -> F32:
        """Return columns as memory-mapped float32 (rows, columns).

        Args:
            indices: positions of the columns.
            holes: whether a value may be missing; it is then NaN.

        Raises:
            DataError: a value is missing, no number, not finite, or too large for float32.
        """
        for index in indices:
            if self.columns[index].kind != "number":
                kind = self.source.schema_arrow.field(self.fields[index]).type
                raise DataError(
                    f"{self.path}: column {self.names[index]!r} is of type {kind}, expected "
                    f"numbers; if it is no channel: --ignore {self.names[index]}"
                )
        out = scratch_file("values.npy")
        shape = (self.rows, len(indices))
        values = np.lib.format.open_memmap(out, mode="w+", dtype=np.float32, shape=shape)
        wanted = [self.fields[index] for index in indices]
        row = 0
        for batch in _batches(self.path, self.source, wanted):
            for place, name in enumerate(wanted):
                block = _floats(batch.column(batch.schema.get_field_index(name)))
                self._check(block, row, indices[place], holes)
                with np.errstate(invalid="ignore"):  # a signalling NaN is a missing value, too
                    values[row : row + len(block), place] = block
            row += batch.num_rows
            forget(values)
            self.want.progress(row / self.rows)
        values.flush()
        forget(values)
        del values
        mapped: F32 = np.load(out, mmap_mode="r")
        return mapped

    def _check(self, block: Any, row: int, index: int, holes: bool) -> None:
        wrong = np.abs(block) > _FLOAT32_MAX
        if not holes:
            wrong |= np.isnan(block)
        if not wrong.any():
            return
        place = int(np.argmax(wrong))
        value = float(block[place])
        hint = "repair or drop the row"
        if np.isnan(value):
            hint = "say what becomes of it with --missing interpolate, hold or drop"
        elif np.isfinite(value):
            hint = "too large for float32; scale the column"
        self.fail(row + place, index, f"is {value:.9g}, expected a finite number; {hint}")


def read_parquet(path: Path, want: Request) -> Table:
    """Open a Parquet file; only columns that are no channels are read at once.

    Args:
        path: the file.
        want: roles of the columns and progress.

    Raises:
        DataError: missing, damaged, or without rows.
    """
    import pyarrow as pa
    from pyarrow import parquet as papq

    try:
        source = papq.ParquetFile(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error, "no Parquet file, or damaged") from None
    rows = int(source.metadata.num_rows)
    schema = source.schema_arrow
    if not rows or not schema.names:
        raise DataError(f"{path}: no rows, expected samples")
    fields = [name for name in schema.names if not name.startswith("__index_level_")]
    parts = [split_unit(name) for name in fields]
    if len({name for name, _ in parts}) < len(parts):
        parts = [(name, "") for name in fields]
    for name in fields:
        if schema.names.count(name) > 1:
            raise DataError(f"{path}: two columns are called {name!r}; rename one")
    form = want.form
    asked = {form.label, form.group, form.recording}
    try:
        columns = tuple(
            _column(
                path,
                source,
                name,
                words=not asked.isdisjoint({name, part[0]}),
                time=form.time in (name, part[0]) or bool(TIME_NAME.fullmatch(part[0])),
            )
            for name, part in zip(fields, parts, strict=True)
        )
    except pa.ArrowException as error:
        raise _damaged(path, error) from None
    return ParquetTable(
        path=path,
        names=tuple(name for name, _ in parts),
        units=tuple(unit for _, unit in parts),
        columns=columns,
        rows=rows,
        first_line=0,
        word="row",
        source=source,
        fields=tuple(fields),
        want=want,
    )


def _column(path: Path, source: Any, name: str, *, words: bool, time: bool) -> Column:
    """Return a column; numbers that have no other role are left where they are."""
    import pyarrow as pa

    kind = source.schema_arrow.field(name).type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    numeric = numeric or pa.types.is_boolean(kind)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _filled(path, source, name, "stamp")
    if numeric and not words:
        return _filled(path, source, name, "number") if time else Column(kind="number")
    if not numeric and not pa.types.is_string(kind) and not pa.types.is_large_string(kind):
        return Column(kind="other")
    return coded_column([_coded(batch) for batch in _batches(path, source, [name])])


def _coded(batch: Any) -> tuple[Any, list[str]]:
    """Return the words of a batch of one column as codes and what they stand for."""
    import pyarrow as pa
    from pyarrow import compute

    text = compute.cast(batch.column(0), pa.string())
    coded = compute.dictionary_encode(compute.fill_null(text, ""))
    codes = coded.indices.to_numpy(zero_copy_only=False)
    small = len(coded.dictionary) < 128
    return codes.astype(np.int8) if small else codes, coded.dictionary.to_pylist()


def _filled(path: Path, source: Any, name: str, kind: str) -> Column:
    """Return a column of numbers, or of stamps in seconds."""
    import pyarrow as pa
    from pyarrow import compute

    values = large(int(source.metadata.num_rows), np.float64)
    row = 0
    for batch in _batches(path, source, [name]):
        block = batch.column(0)
        if kind == "stamp":
            block = compute.cast(compute.cast(block, pa.timestamp("us")), pa.int64())
        found = _floats(block)
        values[row : row + len(found)] = found / 1e6 if kind == "stamp" else found
        row += len(found)
        forget(values)
    return Column(kind=kind, values=values)


def _batches(path: Path, source: Any, names: Sequence[str]) -> Iterator[Any]:
    """Yield batches, one row group after the other: pyarrow else keeps what it has read.

    Raises:
        DataError: a page of the file is damaged.
    """
    import pyarrow as pa

    try:
        for group in range(source.num_row_groups):
            yield from source.iter_batches(_BATCH, row_groups=[group], columns=list(names))
    except (pa.ArrowException, OSError) as error:  # of reading, not of who works on a batch
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception, what: str = "damaged") -> DataError:
    told = str(error).splitlines()[0].rstrip(".") if str(error) else "unreadable"
    return DataError(f"{path}: {what} ({told}); write it again")


def _floats(values: Any) -> Any:
    """Return an Arrow array of numbers as float64, NaN where there is none."""
    import pyarrow as pa
    from pyarrow import compute

    return compute.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
