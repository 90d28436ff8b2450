"""One reader per file format; `read` chooses."""

from collections.abc import Callable, Sequence
from pathlib import Path

from rnnedge.data.readers.columns import read_tables
from rnnedge.data.readers.delimited import read_table
from rnnedge.data.readers.edge import read_edge
from rnnedge.data.readers.files import files_of, kind
from rnnedge.data.readers.npy import read_npy
from rnnedge.data.readers.npz import read_npz
from rnnedge.data.readers.parquet import read_parquet
from rnnedge.data.readers.recordings import (
    TEST,
    TRAIN,
    Recording,
    Recordings,
    cut_at_labels,
    joined,
)
from rnnedge.data.readers.request import File, Request
from rnnedge.data.readers.text import is_text, read_text
from rnnedge.data.readers.ts import read_ts
from rnnedge.data.readers.wave import read_wave
from rnnedge.errors import DataError
from rnnedge.run import DataFormat

__all__ = ["TEST", "TRAIN", "Recording", "Recordings", "cut_at_labels", "read"]


def read(
    paths: Sequence[Path],
    form: DataFormat,
    *,
    labelled: bool = True,
    channels: Sequence[str] = (),
    rows: bool = False,
    keep_targets: bool = False,
    vocabulary: Sequence[str] = (),
    reply_vocabulary: Sequence[str] = (),
    tell: Callable[[float], None] | None = None,
) -> Recordings:
    """Read the recordings of one sensor, or text, in any format that docs/data.md lists.

    The format is that of the file's name and content. A folder stands for its files; a folder in
    it is a class. A CSV with a column "file" lists files.

    Args:
        paths: files and folders.
        form: names of the columns, and how recordings are told apart.
        labelled: False: labels are optional (a label is then None, or may name no known class).
        channels: the channels to take, by name and in this order, whatever else is in the files;
            empty: those of `form`, else all columns without another role.
        rows: each row keeps its class (`Recording.row_labels`) and a label that changes ends no
            recording; `cut_at_labels` does that afterwards.
        keep_targets: the columns of `form.targets` stay channels, too, as a forecast needs them.
        vocabulary: of text, the words or characters in the order of their ids, as a run knows
            them; empty: those found.
        reply_vocabulary: the same of the replies.
        tell: called with the share that is read, 0 to 1.

    Raises:
        DataError: names file, line and column of what cannot be used, and what to do.
    """
    if not paths:
        raise DataError("no data file is given; name a CSV, a folder of CSVs or an .npz")
    want = Request(
        form=form,
        labelled=labelled,
        channels=tuple(channels),
        rows=rows,
        keep_targets=keep_targets,
        vocabulary=tuple(vocabulary),
        reply_vocabulary=tuple(reply_vocabulary),
        tell=tell,
    )
    files = files_of(paths, form)
    found = kind(files[0].path)
    if found == "txt" or form.text:
        found = "text" if form.text or is_text(files[0].path) else "csv"
    if form.mfcc and found != "wav":
        where = files[0].path
        raise DataError(f"{where}: no .wav, which --mfcc is for; leave it out, or give sound")
    return _READERS[found](files, want)


def _delimited(files: Sequence[File], want: Request) -> Recordings:
    return read_tables(files, want, read_table)


def _parquet(files: Sequence[File], want: Request) -> Recordings:
    return read_tables(files, want, read_parquet)


def _npz(files: Sequence[File], want: Request) -> Recordings:
    return joined([read_npz(file, want) for file in files], [file.path for file in files])


_READERS: dict[str, Callable[[Sequence[File], Request], Recordings]] = {
    "csv": _delimited,
    "npz": _npz,
    "npy": read_npy,
    "parquet": _parquet,
    "ts": read_ts,
    "edge": read_edge,
    "wav": read_wave,
    "text": read_text,
}
