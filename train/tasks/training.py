"""The training of a streaming task."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from rnnedge.data.prepare import Prepared
from rnnedge.data.readers import Recordings
from rnnedge.errors import DataError
from rnnedge.plaintext import counted, visible
from rnnedge.run import (
    ENCODER_FILE,
    KERAS_FILE,
    START_FILE,
    Channel,
    DataFormat,
    RunSpec,
)
from rnnedge.train.checkpoint import Checkpoint
from rnnedge.train.optimise import optimise
from rnnedge.train.options import TrainOptions
from rnnedge.train.progress import Progress
from rnnedge.train.tasks.baselines import linear_model
from rnnedge.train.tasks.kept import kept_share
from rnnedge.train.tasks.network import START_SHIFT
from rnnedge.train.tasks.plan import Plan, plan
from rnnedge.train.trained import Trained, described, happened, with_units

_FILES = {"model": KERAS_FILE, "start": START_FILE, "encoder": ENCODER_FILE}
_DETECTOR = {"smoothing": 4, "warmup": 64, "share": 0.9999, "margin": 1.25}
_MOST_NAMES = 12


def train_task(
    task: str,
    ready: Prepared,
    test: Recordings | None,
    options: TrainOptions,
    form: DataFormat,
    progress: Progress,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train a streaming task.

    Args:
        task: one of rnnedge.spec.TASKS, not "classify".
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
    made = plan(task, ready.data, test, form.targets, options)
    if task == "anomaly":
        _check_normal(made, ready.data.items[0].file)
    for line in (*ready.notes, *_remarks(made)):
        progress.note(line)
    history = optimise(made.network, made.problem, options, progress, checkpoint)
    outline = made.outline
    spec = RunSpec(
        task=task,
        window=made.window,
        hop=made.window,
        channels=with_units(made.channels, options),
        classes=outline.classes,
        every=1,
        targets=with_units(made.targets, options),
        horizons=outline.horizons,
        features=made.features,
        encoder_channels=made.encoder_channels,
        encoder_window=made.encoder_window,
        encoder_classes=ready.data.classes if outline.encoder_ids else (),
        text=outline.text,
        start_shift=START_SHIFT if options.cell == "lstm" and made.features else 0,
        detector=dict(_DETECTOR) if task == "anomaly" else {},
        split=made.statement,
        training=happened(options, history, **_stated(made, options)),
        **described(options, form, ready.rate),
    )
    models = {_FILES[name]: model for name, model in made.models().items()}
    return Trained(models=models, windows=made.windows, spec=spec, history=history)


def _check_normal(made: Plan, file: str) -> None:
    """Refuse data that a threshold cannot be found in, before it is trained on.

    Raises:
        DataError: no normal recording of the validation part is longer than the warm-up.
    """
    ends, warmup = made.windows.normal_ptr, int(_DETECTOR["warmup"])
    if ends is None or not (np.diff(ends) > warmup).any():
        raise DataError(
            f"{file}: the threshold needs a normal recording of more than {warmup} rows in the "
            "validation part; record more, or give a larger --validation-fraction"
        )


def _remarks(made: Plan) -> Iterator[str]:
    """Yield one line each on channels, outputs and parts."""
    yield f"task: {made.outline.task}"
    yield f"channels: {', '.join(_named(channel) for channel in made.channels)}"
    names = made.outline.classes
    shown = ", ".join(map(visible, names[:_MOST_NAMES]))
    yield f"outputs: {shown}{f' and {len(names) - _MOST_NAMES} more' * (len(names) > _MOST_NAMES)}"
    for name, items in made.series.items():
        rows = sum(len(item.x) for item in items)
        yield f"{name}: {counted(len(items), 'recording')}, {counted(rows, 'step')}"
    if made.outline.text and (unseen := _unseen(made)):
        shown = ", ".join(repr(name) for name in unseen[:_MOST_NAMES])
        yield (
            f"note: {len(unseen)} of {len(made.outline.classes)} {made.outline.text} are not in "
            f"the training part, only in the others: {shown}; the vocabulary is that of all the "
            "files, a test part given with --test does not count"
        )
    if part := kept_share(made.windows, made.series["test"]):
        yield f"note: of the test part the run keeps {part}: rnnedge evaluate is of these"
    yield (
        f"batches: {made.lanes} whole sequences of up to {made.steps} steps"
        if made.outline.lasting
        else f"batches: {made.lanes} lanes of {made.steps} steps, the state runs on"
    )


def _unseen(made: Plan) -> list[str]:
    """Return the words or characters that only validation and test part hold."""
    count = len(made.outline.classes)
    seen, there = np.zeros(count, bool), np.zeros(count, bool)
    for name, items in made.series.items():
        for item in items:
            ids = np.concatenate([item.x[:, 0], item.y]).astype(np.int64)
            there[ids[ids >= 0]] = True
            if name == "train":
                seen[ids[ids >= 0]] = True
    return [made.outline.classes[index] for index in np.flatnonzero(there & ~seen)]


def _named(channel: Channel) -> str:
    return f"{channel.name} [{channel.unit}]" if channel.unit else channel.name


def _stated(made: Plan, options: TrainOptions) -> dict[str, Any]:
    """State how it was trained, for run.json."""
    stated: dict[str, Any] = {
        "lanes": made.lanes,
        "steps": made.steps,
        "burn_in": options.burn_in,
        "updates": made.problem.updates,
        **({} if made.augment is None else {"augment": asdict(made.augment)}),
    }
    if made.outline.task in ("label", "next") or (made.outline.task == "translate"
                                                  and not made.targets):  # fmt: skip
        y = np.concatenate([item.y for item in made.series["train"]]).astype(np.int64)
        stated["occurrences"] = np.bincount(y[y >= 0], minlength=len(made.outline.classes)).tolist()
    if made.outline.task in ("forecast", "anomaly"):
        stated["linear"] = linear_model(made.series["train"], made.channels, made.targets)
    return stated
