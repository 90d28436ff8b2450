"""One reader per file format; `read` chooses."""

from collections.abc import Sequence
from pathlib import Path

from rnnedge.errors import DataError
from rnnedge.run import DataFormat
from rnnedge.train.readers.delimited import read_delimited
from rnnedge.train.readers.npz import read_npz
from rnnedge.train.readers.recordings import TEST, TRAIN, Recording, Recordings, class_names

__all__ = ["TEST", "TRAIN", "Recording", "Recordings", "read"]


def read(
    paths: Sequence[Path],
    form: DataFormat,
    *,
    labelled: bool = True,
    channels: Sequence[str] = (),
) -> Recordings:
    """Read CSV files, folders of CSV files, or .npz files of one sensor.

    A CSV has a label column, or there are several CSV files (or a folder of them) and the name
    of each is its class. An .npz holds windows (rnnedge.train.readers.npz).

    Args:
        paths: files and folders.
        form: names of the columns, and how recordings are told apart.
        labelled: False: labels are optional (a label is then None, or may name no known class).
        channels: the channels to take, by name and in this order, whatever else is in the files;
            empty: those of `form`, else all columns without another role.

    Raises:
        DataError: names file, line and column of what cannot be used, and what to do.
    """
    if not paths:
        raise DataError("no data file is given; name a CSV, a folder of CSVs or an .npz")
    files: list[Path] = []
    for path in paths:
        files += _csvs(path) if path.is_dir() else [path]
    windows = [path for path in files if path.suffix.lower() == ".npz"]
    if not windows:
        stems = len(files) > 1 or any(path.is_dir() for path in paths)
        return read_delimited(files, form, labelled=labelled, channels=channels, stems=stems)
    if len(windows) < len(files):
        raise DataError(f"{windows[0]}: an .npz among CSV files; give one kind")
    return _joined(
        [read_npz(path, form, labelled=labelled, channels=channels) for path in windows], windows
    )


def _csvs(folder: Path) -> list[Path]:
    """Return the CSV files of a folder, sorted by name."""
    files = sorted(
        path for path in folder.iterdir() if path.suffix.lower() == ".csv" and path.is_file()
    )
    if not files:
        raise DataError(f"{folder}: no .csv file in this folder; name the files instead")
    return files


def _joined(sets: Sequence[Recordings], paths: Sequence[Path]) -> Recordings:
    """Join the windows of several .npz files."""
    first = sets[0]
    for path, other in zip(paths, sets, strict=True):
        if (other.channels, other.units) != (first.channels, first.units):
            raise DataError(
                f"{path}: channels {', '.join(other.channels)}; {paths[0]} has "
                f"{', '.join(first.channels)} (or other units of measure)"
            )
    items = tuple(item for part in sets for item in part.items)
    order = tuple(dict.fromkeys(name for part in sets for name in part.classes))
    named = order if len(sets) == 1 else ()
    return Recordings(
        items=items,
        channels=first.channels,
        units=first.units,
        classes=class_names((item.label for item in items), named),
    )
