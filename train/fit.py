"""The training: read, find the task, train it, write the run folder."""

from collections.abc import Sequence
from pathlib import Path

from rnnedge.data.prepare import prepare
from rnnedge.data.readers import Recordings, read
from rnnedge.data.tasks import Found, read_for
from rnnedge.errors import DataError, OutputError
from rnnedge.run import DataFormat, RunSpec
from rnnedge.spec import rate_error
from rnnedge.train.checkpoint import Checkpoint
from rnnedge.train.classify import CALIBRATION_WINDOWS, train_classifier
from rnnedge.train.models import check_cell
from rnnedge.train.options import TrainOptions
from rnnedge.train.progress import Progress, Silent, Tell
from rnnedge.train.tasks.training import train_task

__all__ = ["CALIBRATION_WINDOWS", "TrainOptions", "train_run"]


def train_run(
    data: Sequence[Path],
    test: Sequence[Path],
    options: TrainOptions,
    form: DataFormat,
    folder: Path,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> RunSpec:
    """Train a model and leave model.keras, run.json, windows.npz and history.csv in `folder`.

    The same data, options and library versions give the same weights.

    Args:
        data: files and folders to train on (rnnedge.data.readers.read).
        test: files of the test part; empty: what `data` names as its test part, or a share of it.
        options: how to train.
        form: how the files are to be read.
        folder: an existing, empty folder.
        progress: follows the epochs.
        checkpoint: where each epoch is kept and the training goes on from; None: nowhere.

    Raises:
        DataError: the data cannot be used.
        UnsupportedLayerError: an unknown cell.
        ModelError: the training went astray.
        OutputError: `folder` does not exist or cannot be written.
    """
    progress = progress or Silent()
    if not folder.is_dir():
        raise OutputError(f"{folder}: no such folder to write the run to; make it first")
    check_cell(options.cell)
    with progress.stage("reading") as tell:
        found, tested = _read(data, test, options, form, tell)
        task, recordings = found.task, found.data
        form = recordings.as_read(form)
        ready = prepare(recordings, form)
        recordings, tested = ready.data, None if tested is None else prepare(tested, form).data
    wrong = rate_error(options.rate or ready.rate)
    if wrong is not None:
        raise DataError(f"{data[0]}: by the time stamps the {wrong}; say it with --rate")
    if found.reason and task != "classify":
        progress.note(f"task {task}: {found.reason}; --task names another one")
    for name in options.channel_units:
        if name not in recordings.channels:
            raise DataError(
                f"unit of {name!r}: there is no such channel, only {', '.join(recordings.channels)}"
            )
    if task == "classify":
        made = train_classifier(ready, tested, options, form, progress, checkpoint)
    else:
        made = train_task(task, ready, tested, options, form, progress, checkpoint)
    made.save(folder)
    return made.spec


def _read(
    data: Sequence[Path],
    test: Sequence[Path],
    options: TrainOptions,
    form: DataFormat,
    tell: Tell,
) -> tuple[Found, Recordings | None]:
    """Read the data, and the test data as the same channels; find the task."""
    twice = {path.resolve() for path in data} & {path.resolve() for path in test}
    if twice:
        raise DataError(f"{min(twice)}: given both as training and as test data; name other data")
    found = read_for(options.task, data, form, tell)
    recordings, how = found.data, dict(found.how)
    if not test:
        return found, None
    if recordings.text:
        how |= {"vocabulary": recordings.classes, "reply_vocabulary": recordings.reply_classes}
    else:
        how |= {"channels": recordings.channels}
    tested = read(test, recordings.as_read(form), tell=tell, **how)
    for name, unit, other in zip(recordings.channels, recordings.units, tested.units, strict=True):
        if unit != other and unit and other:
            raise DataError(
                f"{test[0]}: channel {name!r} is in [{other}], the training data in [{unit}]; "
                "convert one of them"
            )
    return found, tested
