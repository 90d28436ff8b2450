"""The training: read, cut, divide, build, fit, write the run folder."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import rnnedge
from rnnedge.data.prepare import prepare
from rnnedge.data.readers import Recordings, read
from rnnedge.data.remarks import cut_at_labels, remarks
from rnnedge.data.split import Split, split
from rnnedge.data.tasks import Found, read_for
from rnnedge.data.windows import automatic_window
from rnnedge.errors import DataError, OutputError
from rnnedge.kerasbackend import keras, quiet
from rnnedge.plaintext import counted
from rnnedge.run import HISTORY_FILE, KERAS_FILE, Channel, DataFormat, RunSpec, Windows
from rnnedge.spec import rate_error
from rnnedge.train.checkpoint import Checkpoint
from rnnedge.train.classification import classification
from rnnedge.train.models import build, check_cell, masked, normalization
from rnnedge.train.optimise import History, optimise
from rnnedge.train.options import TrainOptions
from rnnedge.train.progress import Progress, Silent, Tell
from rnnedge.train.tasks.training import save_models, train_task
from rnnedge.train.tasks.whole import whole_recordings

__all__ = ["CALIBRATION_WINDOWS", "TrainOptions", "train_run"]

CALIBRATION_WINDOWS = 256
_TRAIN_HOPS = 8  # training windows begin at so many places of a window: more turns of the same


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
    if task != "classify":
        made, spec, history = train_task(task, ready, tested, options, form, progress, checkpoint)
        with _writing(folder):
            save_models(made, folder)
            made.windows.save(folder)
            spec.save(folder)
            _write_history(folder, history)
        return spec
    guessed = cut_at_labels(recordings, form)
    every = (recordings,) if tested is None else (recordings, tested)
    window = options.window or automatic_window(*every, cut_at_labels=guessed)
    hop = options.hop or max(1, window // 2)
    parts = split(
        recordings,
        tested,
        window=window,
        hop=hop,
        validation_fraction=options.validation_fraction,
        test_fraction=options.test_fraction,
        seed=options.seed if options.parts_seed is None else options.parts_seed,
        by=options.split,
        train_hop=options.hop or max(1, window // _TRAIN_HOPS),
        pad=not guessed,
    )
    for line in (*ready.notes, *remarks(recordings, parts, form)):
        progress.note(line)
    mean, std = normalization(parts.train.X, recordings.channels, parts.train.lengths)
    keras().utils.set_random_seed(options.seed)
    model = build(
        cell=options.cell,
        units=options.units,
        layers=options.layers,
        reset_after=options.reset_after,
        dropout=options.dropout,
        window=window,
        classes=len(parts.classes),
        mean=mean,
        std=std,
    )
    problem = classification(parts, options, mean, std, recordings.channels)
    fitted = model if parts.train.lengths is None else masked(model)
    history = optimise(fitted, problem, options, progress, checkpoint)
    progress.note(
        f"trained {counted(len(history.epochs), 'epoch')}, kept the weights of {history.best + 1}"
    )
    units = dict(zip(recordings.channels, recordings.units, strict=True)) | dict(
        options.channel_units
    )
    spec = RunSpec(
        name=options.name,
        task="classify",
        cell=options.cell,
        units=options.units,
        layers=options.layers,
        reset_after=options.reset_after,
        window=window,
        hop=hop,
        rate=options.rate or ready.rate,
        channels=tuple(
            Channel(name=name, unit=units[name], mean=float(mean[index]), std=float(std[index]))
            for index, name in enumerate(recordings.channels)
        ),
        classes=parts.classes,
        data_format=form,
        split=parts.statement,
        training=_statement(options, parts, history),
        rnnedge=rnnedge.__version__,
    )
    with _writing(folder):
        _write(folder, model, spec, parts, options.seed)
        _write_history(folder, history)
    return spec


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error})") from None


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


def _statement(options: TrainOptions, parts: Split, history: History) -> dict[str, Any]:
    """State what happened, for run.json."""
    best = history.best
    return {
        "seed": options.seed,
        "epochs": len(history.epochs),
        "best_epoch": best + 1,
        "batch_size": min(options.batch(parts.apart), len(parts.train)),
        "updates": options.updates(parts.apart),
        "learning_rate": options.learning_rate,
        "dropout": options.dropout,
        "augment": asdict(options.changes(parts.apart)),
        "rate_said": options.rate is not None,
        **history.epochs[best],
        "keras": keras().__version__,
    }


def _write(folder: Path, model: Any, spec: RunSpec, parts: Split, seed: int) -> None:
    """Write model and windows of a classifier."""
    with quiet():
        model.save(folder / KERAS_FILE)
    spec.save(folder)
    count = min(CALIBRATION_WINDOWS, len(parts.train))
    rng = np.random.Generator(np.random.PCG64(seed))
    chosen = np.sort(rng.choice(len(parts.train), count, replace=False))
    lengths = parts.train.lengths
    Windows(
        calibration=parts.train.X[chosen],
        X_test=parts.test.X[:],
        y_test=parts.test.y,
        lengths_calibration=None if lengths is None else lengths[chosen],
        lengths_test=parts.test.lengths,
        **whole_recordings(parts.test),
    ).save(folder)


def _write_history(folder: Path, history: History) -> None:
    """Write history.csv."""
    with (folder / HISTORY_FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["epoch", *history.epochs[0]])
        for epoch, figures in enumerate(history.epochs, 1):
            writer.writerow([epoch, *(f"{value:.6g}" for value in figures.values())])
