"""The training of a classifier of windows, and what its run keeps."""

from dataclasses import asdict

import numpy as np

from rnnedge.data.prepare import Prepared
from rnnedge.data.readers import Recordings
from rnnedge.data.remarks import cut_at_labels, remarks
from rnnedge.data.split import Split, split
from rnnedge.data.windows import automatic_window
from rnnedge.kerasbackend import keras
from rnnedge.run import KERAS_FILE, Channel, DataFormat, RunSpec, Windows
from rnnedge.train.checkpoint import Checkpoint
from rnnedge.train.classification import classification
from rnnedge.train.models import build, masked, normalization
from rnnedge.train.optimise import optimise
from rnnedge.train.options import TrainOptions
from rnnedge.train.progress import Progress
from rnnedge.train.tasks.whole import whole_recordings
from rnnedge.train.trained import Trained, described, happened, with_units

CALIBRATION_WINDOWS = 256
_TRAIN_HOPS = 8  # training windows begin at so many places of a window: more turns of the same


def train_classifier(
    ready: Prepared,
    test: Recordings | None,
    options: TrainOptions,
    form: DataFormat,
    progress: Progress,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train a classifier of windows.

    Args:
        ready: the recordings.
        test: those of the test part, or None.
        options: how to train.
        form: how the files were read.
        progress: follows the epochs.
        checkpoint: where each epoch is kept and the training goes on from; None: nowhere.

    Raises:
        DataError: the data cannot be used.
        ModelError: the training went astray.
    """
    data = ready.data
    guessed = cut_at_labels(data, form)
    every = (data,) if test is None else (data, test)
    window = options.window or automatic_window(*every, cut_at_labels=guessed)
    hop = options.hop or max(1, window // 2)
    parts = split(
        data,
        test,
        window=window,
        hop=hop,
        validation_fraction=options.validation_fraction,
        test_fraction=options.test_fraction,
        seed=options.seed if options.parts_seed is None else options.parts_seed,
        by=options.split,
        train_hop=options.hop or max(1, window // _TRAIN_HOPS),
        pad=not guessed,
    )
    for line in (*ready.notes, *remarks(data, parts, form)):
        progress.note(line)
    mean, std = normalization(parts.train.X, data.channels, parts.train.lengths)
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
    problem = classification(parts, options, mean, std, data.channels)
    fitted = model if parts.train.lengths is None else masked(model)
    history = optimise(fitted, problem, options, progress, checkpoint)
    channels = tuple(
        Channel(name=name, unit=unit, mean=float(mean[index]), std=float(std[index]))
        for index, (name, unit) in enumerate(zip(data.channels, data.units, strict=True))
    )
    spec = RunSpec(
        task="classify",
        window=window,
        hop=hop,
        channels=with_units(channels, options),
        classes=parts.classes,
        split=parts.statement,
        training=happened(
            options,
            history,
            batch_size=min(options.batch(parts.apart), len(parts.train)),
            updates=options.updates(parts.apart),
            augment=asdict(options.changes(parts.apart)),
        ),
        **described(options, form, ready.rate),
    )
    windows = _kept(parts, options.seed)
    return Trained(models={KERAS_FILE: model}, windows=windows, spec=spec, history=history)


def _kept(parts: Split, seed: int) -> Windows:
    """Return a choice of training windows, all test windows, and whole recordings of these."""
    count = min(CALIBRATION_WINDOWS, len(parts.train))
    rng = np.random.Generator(np.random.PCG64(seed))
    chosen = np.sort(rng.choice(len(parts.train), count, replace=False))
    lengths = parts.train.lengths
    return Windows(
        calibration=parts.train.X[chosen],
        X_test=parts.test.X[:],
        y_test=parts.test.y,
        lengths_calibration=None if lengths is None else lengths[chosen],
        lengths_test=parts.test.lengths,
        **whole_recordings(parts.test),
    )
