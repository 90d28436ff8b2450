"""A streaming task, ready to be trained: parts, network, problem, and what the run will keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnedge.arrays import F64
from rnnedge.data.parts import Parts, parted
from rnnedge.data.readers import Recordings
from rnnedge.errors import DataError
from rnnedge.kerasbackend import keras
from rnnedge.run import Channel, Windows
from rnnedge.train.augment import Augmentation
from rnnedge.train.models import normalization
from rnnedge.train.options import TrainOptions
from rnnedge.train.problem import Problem, known_squares
from rnnedge.train.rotation import axis_groups
from rnnedge.train.tasks.kept import kept_share, kept_windows
from rnnedge.train.tasks.lanes import Lanes, chunk_count, lane_count
from rnnedge.train.tasks.network import Front, Shape, embedding_width, kept_models, network
from rnnedge.train.tasks.outline import Outline, outline, series, without_holes
from rnnedge.train.tasks.series import Scale, Series, balanced
from rnnedge.train.tasks.wholes import Wholes, validation_batch

_STEPS = 64
_LABEL_STEPS = 128  # what is told of a step may lie long before it
_RESTARTED = ("label", "forecast", "anomaly", "map")  # their series have no beginning of their own
_RESTART = 0.1
_LEAST_STD = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """What `train_run` needs of a streaming task.

    Attributes:
        outline: what goes in and comes out.
        parts: the recordings.
        shape: of the network.
        network: untrained.
        problem: its training.
        channels: of a sample, with their normalisation.
        targets: of the outputs of a regression.
        features: of a start.
        encoder_channels: of an encoder.
        window: steps of the windows that the run keeps.
        encoder_window: steps of the longest encoder sequence; 0: none.
        steps: of a stretch of truncated back-propagation.
        lanes: rows of a batch.
        series: of the parts train, validation, test.
        windows: what the run keeps.
        augment: changes of the training part, or None.
    """

    outline: Outline
    parts: Parts
    shape: Shape
    network: Any
    problem: Problem
    channels: tuple[Channel, ...]
    targets: tuple[Channel, ...]
    features: tuple[Channel, ...]
    encoder_channels: tuple[Channel, ...]
    window: int
    encoder_window: int
    steps: int
    lanes: int
    series: dict[str, list[Series]]
    windows: Windows
    augment: Augmentation | None

    def models(self) -> dict[str, Any]:
        """Return the trained models that the run keeps, each a keras.Sequential."""
        return kept_models(self.network, self.shape)

    @property
    def statement(self) -> dict[str, Any]:
        """State the parts, for run.json."""
        found: dict[str, Any] = {"method": self.parts.method}
        for name, part in (
            ("train", self.parts.train),
            ("validation", self.parts.validation),
            ("test", self.parts.test),
        ):
            found[name] = {
                "files": sorted({item.file for item in part.items}),
                "recordings": len(part.items),
                "rows": sum(len(item.x) for item in self.series[name]),
            }
        found["test"]["kept"] = kept_share(self.windows, self.series["test"])
        return found


def plan(
    task: str,
    data: Recordings,
    test: Recordings | None,
    targets: Sequence[str],
    options: TrainOptions,
) -> Plan:
    """Prepare a streaming task.

    Args:
        task: one of rnnedge.spec.TASKS, not "classify".
        data: recordings without holes.
        test: recordings of the test part, or None.
        targets: names of what is to be forecast; empty: by the task.
        options: how to train.

    Raises:
        DataError: the data lacks what the task needs, or is too little.
    """
    steps = options.steps or options.window or (_LABEL_STEPS if task == "label" else _STEPS)
    shape_of = outline(task, data, targets, options.horizons)
    parts = parted(
        data, test, by=options.split, gap=options.window or steps,
        validation_fraction=options.validation_fraction, test_fraction=options.test_fraction,
        seed=options.seed if options.parts_seed is None else options.parts_seed,
    )  # fmt: skip
    made = {
        "train": series(shape_of, parts.train),
        "validation": series(shape_of, parts.validation),
        "test": series(shape_of, parts.test),
    }
    for name, items in made.items():
        if not items:
            raise DataError(
                f"{data.items[0].file}: no recording of the {name} part has two rows or more; "
                "record longer ones"
            )
        if name != "test" or shape_of.normal < 0:
            _check_answers(shape_of, data.items[0].file, name, items, options.burn_in)
    mean, std = _measured(shape_of, made["train"], parts.train)
    made = {name: without_holes(items, mean) for name, items in made.items()}
    scale = _scale(shape_of, made["train"], mean, std, options)
    features = _features(made["train"], shape_of)
    encoder = _encoder(made["train"], shape_of)
    shape = Shape(
        cell=options.cell,
        units=options.units,
        layers=options.layers,
        reset_after=options.reset_after,
        dropout=options.dropout,
        front=_front(shape_of.ids, mean, std, shape_of.silent),
        outputs=len(shape_of.classes),
        classes=not shape_of.targets,
        start=None if features is None else Front(mean=features[0], std=features[1]),
        encoder=None if encoder is None else _front(shape_of.encoder_ids, *encoder, -1),
    )
    longest = max(len(item.x) for items in made.values() for item in items)
    batches: Lanes | Wholes
    if shape_of.lasting:
        steps = max(len(item.x) for item in made["train"])
        size = options.lanes or options.batch(len(made["train"]))
        batches = Wholes(series=made["train"], scale=scale, lanes=size, seed=options.seed)
    else:
        steps = min(steps, max(len(item.x) for item in made["train"]))
        size = lane_count(made["train"], steps, options.lanes or options.batch_size)
        chunks = chunk_count(made["train"], steps)
        batches = Lanes(
            series=made["train"], scale=scale, steps=steps, lanes=size, burn_in=options.burn_in,
            seed=options.seed, mean=mean, std=std, restart=_RESTART * (task in _RESTARTED),
            augment=None if shape_of.ids else options.changes(chunks, task),
            groups=axis_groups([name for name, _ in shape_of.channels], options.rotate_groups),
        )  # fmt: skip
    window = min(options.window or (longest if shape_of.lasting else steps), longest)
    channels = _channels(shape_of.channels, mean, std)
    keras().utils.set_random_seed(options.seed)
    return Plan(
        outline=shape_of,
        parts=parts,
        shape=shape,
        network=network(shape, size),
        problem=_problem(batches, made["validation"], scale, options),
        channels=channels,
        targets=_channels(shape_of.targets, scale.mean, scale.std),
        features=() if features is None else _channels(shape_of.features, *features),
        encoder_channels=() if encoder is None else _channels(shape_of.encoder, *encoder),
        window=window,
        encoder_window=max(
            (0 if item.encoder is None else len(item.encoder))
            for items in made.values() for item in items
        ),
        steps=steps,
        lanes=size,
        series=made,
        windows=kept_windows(shape_of, made, window, options.seed),
        augment=batches.augment if isinstance(batches, Lanes) else None,
    )  # fmt: skip


def _check_answers(
    shape: Outline, file: str, part: str, items: Sequence[Series], burn_in: int
) -> None:
    """Refuse a part in which the right answer of an output is never known.

    Raises:
        DataError: names the output and the part.
    """
    later = [item.y[burn_in:] for item in items]
    if not shape.targets:
        if not any((y >= 0).any() for y in later):
            raise DataError(
                f"{file}: no step of the {part} part has a class behind the first {burn_in} "
                "steps; label more of them, or give a smaller --burn-in"
            )
        return
    known = np.any([(~np.isnan(y)).any(axis=0) for y in later], axis=0)
    if not known.all():
        name = shape.classes[int(np.argmin(known))]
        raise DataError(
            f"{file}: no recording of the {part} part is long enough to know {name!r}; give longer "
            "recordings, or a smaller --horizon or --burn-in"
        )


def _problem(
    batches: Lanes | Wholes, held: Sequence[Series], scale: Scale, options: TrainOptions
) -> Problem:
    classes = batches.series[0].y.dtype.kind == "i"
    return Problem(
        batches=batches.batches,
        updates=batches.updates,
        validation=validation_batch(held, scale, options.burn_in),
        loss="sparse_categorical_crossentropy" if classes else known_squares,
        weighted_metrics=("accuracy",) if classes else (),
    )


def _measured(shape: Outline, train: Sequence[Series], part: Recordings) -> tuple[F64, F64]:
    """Return mean and deviation of the channels; of ids nothing."""
    if shape.ids:
        return np.zeros(0), np.ones(0)
    rows = [item.x[~np.isnan(item.x).any(axis=1)] for item in train]
    if shape.task == "anomaly":
        rows = [
            item.x if item.normal is None else item.x[item.normal[: len(item.x)]] for item in train
        ]
    names = [name for name, _ in shape.channels]
    if not len(flat := np.concatenate(rows)):
        raise DataError(f"{part.items[0].file}: no normal rows in the training part")
    every = len({*shape.targets}) == len(names) > 1
    return normalization(flat[None], names, targets=[n for n, _ in shape.targets if not every])


def _scale(
    shape: Outline, train: Sequence[Series], mean: F64, std: F64, options: TrainOptions
) -> Scale:
    """Return the scale of the outputs: a channel's own, where one is forecast."""
    if not shape.targets:
        y = np.concatenate([item.y for item in train]).astype(np.int64)
        wanted = options.class_weights == "balanced"
        return Scale(weights=balanced(y, len(shape.classes)) if wanted else None)
    known = {name: index for index, (name, _) in enumerate(shape.channels)}
    flat = np.concatenate([item.y for item in train]).astype(np.float64)
    found = []
    for output, (name, _) in enumerate(shape.targets):
        if name in known and shape.task != "map":
            found.append((mean[known[name]], std[known[name]]))
            continue
        values = flat[:, output][np.isfinite(flat[:, output])]
        if values.size == 0 or values.std() < _LEAST_STD:
            raise DataError(f"target {name!r} never changes in the training part; leave it out")
        found.append((values.mean(), values.std()))
    columns = np.array(found, np.float64).T
    return Scale(mean=columns[0], std=columns[1])


def _features(train: Sequence[Series], shape: Outline) -> tuple[F64, F64] | None:
    if not shape.features:
        return None
    rows = np.stack([item.start for item in train if item.start is not None])
    return normalization(rows[None], [name for name, _ in shape.features])


def _encoder(train: Sequence[Series], shape: Outline) -> tuple[F64, F64] | None:
    if not shape.encoder:
        return None
    if shape.encoder_ids:
        return np.zeros(0), np.ones(0)
    rows = np.concatenate([item.encoder for item in train if item.encoder is not None])
    return normalization(rows[None], [name for name, _ in shape.encoder])


def _front(ids: int, mean: F64, std: F64, silent: int) -> Front:
    if ids:
        return Front(ids=ids, width=embedding_width(ids), silent=silent)
    return Front(mean=mean, std=std)


def _channels(names: Sequence[tuple[str, str]], mean: F64, std: F64) -> tuple[Channel, ...]:
    """Return channels; those of ids have no normalisation."""
    if not mean.size:
        return tuple(Channel(name=name, unit=unit, mean=0.0, std=1.0) for name, unit in names)
    return tuple(
        Channel(name=name, unit=unit, mean=float(mean[index]), std=float(std[index]))
        for index, (name, unit) in enumerate(names)
    )
