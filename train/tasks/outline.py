"""From recordings to the series of a task: what is read, what is answered, what it is called."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F32, I64
from rnnedge.data.readers import Recording, Recordings
from rnnedge.data.tasks import NORMAL
from rnnedge.errors import DataError
from rnnedge.spec import MOST_UNITS
from rnnedge.train.tasks.series import Series

END = "<end>"

Names = tuple[tuple[str, str], ...]
"""Names and units of measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What goes into a streaming task and what comes out.

    Attributes:
        task: one of rnnedge.spec.TASKS, not "classify".
        channels: names and units of the numbers of a sample.
        ids: number of ids, where samples are ids; else 0.
        silent: id whose row is zero, as before the first answer of a free run; or -1.
        classes: names of the outputs.
        targets: of a regression name and unit of each output; else empty.
        horizons: steps ahead of each output of a forecast; else empty.
        features: names and units of what it starts from; or empty.
        encoder: names and units of the numbers of the sequence before it; or empty.
        encoder_ids: number of ids of that sequence; or 0.
        text: "characters" or "words", where the outputs are those; else "".
        normal: of anomalies: the class of rows that are none, or -1 where rows have no class.
    """

    task: str
    channels: Names
    ids: int = 0
    silent: int = -1
    classes: tuple[str, ...]
    targets: Names = ()
    horizons: tuple[int, ...] = ()
    features: Names = ()
    encoder: Names = ()
    encoder_ids: int = 0
    text: str = ""
    normal: int = -1

    @property
    def lasting(self) -> bool:
        """True if a series is one whole, from a first state of its own."""
        return bool(self.features or self.encoder)


def outline(
    task: str, data: Recordings, targets: Sequence[str], horizons: Sequence[int]
) -> Outline:
    """Describe a task on recordings.

    Args:
        task: one of rnnedge.spec.TASKS, not "classify".
        data: all recordings.
        targets: names of channels to forecast; empty: the target columns, else every channel.
        horizons: steps ahead.

    Raises:
        DataError: the data lacks what the task needs, or has more outputs than the firmware counts.
    """
    shape = _outline(task, data, targets, horizons)
    if len(shape.classes) > MOST_UNITS:
        cure = "words keep the most frequent: --text words" if data.text else "choose fewer"
        raise DataError(
            f"{data.items[0].file}: {len(shape.classes)} outputs, the firmware counts to "
            f"{MOST_UNITS}; {cure}"
        )
    return shape


def _outline(
    task: str, data: Recordings, targets: Sequence[str], horizons: Sequence[int]
) -> Outline:
    channels = tuple(zip(data.channels, data.units, strict=True))
    if task == "translate":
        return _translation(data, channels)
    if task == "next":
        if not data.text:
            raise _lacks(data, task, "text", "give a text file, with --text characters or words")
        return Outline(
            task=task, channels=(("id", ""),), ids=len(data.classes), classes=data.classes,
            text=data.text,
        )  # fmt: skip
    if data.text:
        raise _lacks(data, task, "values; it is text", "say --task next")
    if task == "label":
        labelled = any(item.label is not None or item.row_labels is not None for item in data.items)
        if not labelled or len(data.classes) < 2:
            raise _lacks(data, task, "two classes or more", "name the column with --label")
        return Outline(task=task, channels=channels, classes=data.classes)
    if task == "map":
        if not data.target_names:
            raise _lacks(data, task, "target columns", "name them with --target")
        names = data.target_names
        return Outline(
            task=task, channels=channels, classes=tuple(name for name, _ in names), targets=names
        )
    if task in ("anomaly", "generate"):
        chosen = channels
        ahead: tuple[int, ...] = (1,)
    else:
        chosen, ahead = _forecast_targets(data, channels, targets), tuple(horizons) or (1,)
    names = tuple((name, unit) for _ in ahead for name, unit in chosen)
    steps = tuple(step for step in ahead for _ in chosen)
    return Outline(
        task=task,
        channels=channels,
        classes=tuple(f"{name} +{step}" for (name, _), step in zip(names, steps, strict=True)),
        targets=names,
        horizons=steps,
        features=data.start_names if task == "generate" else (),
        normal=_normal(data) if task == "anomaly" else -1,
    )


def series(shape: Outline, data: Recordings) -> list[Series]:
    """Return the series of every recording; one too short to answer anything is left out."""
    made = [_one(shape, data, item) for item in data.items]
    return [item for item in made if len(item.x)]


def _one(shape: Outline, data: Recordings, item: Recording) -> Series:
    values = np.asarray(item.values, np.float32)
    if shape.task == "next":
        return Series(x=values[:-1], y=values[1:, 0].astype(np.int64))
    if shape.task == "translate":
        return _reply(shape, item, values)
    if shape.task == "label":
        return Series(x=values, y=_row_classes(data, item))
    if shape.task == "map":
        return Series(x=values, y=_targets(item))
    if shape.features:
        if item.start is None:
            raise DataError(f"{item.source}: has no start features")
        x = np.concatenate([np.full_like(values[:1], np.nan), values[:-1]])  # the first: no value
        return Series(x=x, y=values, start=item.start)
    return _ahead(shape, data, item, values)


def _ahead(shape: Outline, data: Recordings, item: Recording, values: F32) -> Series:
    """Return a forecast: the values some steps later."""
    places = {name: index for index, name in enumerate(data.channels)}
    given = {name: index for index, (name, _) in enumerate(data.target_names)}
    y = np.full((len(values), len(shape.targets)), np.nan, np.float32)
    for output, ((name, _), step) in enumerate(zip(shape.targets, shape.horizons, strict=True)):
        column = _targets(item)[:, given[name]] if name in given else values[:, places[name]]
        y[: max(len(values) - step, 0), output] = column[step:]
    normal = None
    if shape.normal >= 0:
        normal = _row_classes(data, item) == shape.normal
        y[:-1][~normal[1:]] = np.nan
    known = len(values) if shape.task != "generate" else len(values) - 1
    return Series(x=values[:known], y=y[:known], normal=normal)


def _reply(shape: Outline, item: Recording, values: F32) -> Series:
    """Return the reply, of which each step follows from the one before and from the sequence."""
    if item.reply is None or not len(item.reply):
        raise DataError(f"{item.source}: has no reply to be translated to")
    reply = np.asarray(item.reply, np.float32)
    if not shape.ids:
        x = np.concatenate([np.full_like(reply[:1], np.nan), reply[:-1]])
        return Series(x=x, y=reply, encoder=values)
    ids = reply[:, 0].astype(np.int64)
    if len(ids) > 1 and ids[0] == shape.silent:
        ids = ids[1:]  # what begins a reply is its first input, and no answer
    if ids[-1] != shape.silent:
        ids = np.append(ids, shape.silent)
    before = np.append(shape.silent, ids[:-1])
    return Series(x=before[:, None].astype(np.float32), y=ids, encoder=values)


def without_holes(parts: Sequence[Series], mean: npt.NDArray[np.floating]) -> list[Series]:
    """Put the mean where there is no value before the first: normalised, it is 0."""
    found = []
    for item in parts:
        x = np.where(np.isnan(item.x), mean.astype(np.float32), item.x) if mean.size else item.x
        found.append(replace(item, x=np.asarray(x, np.float32)))
    return found


def _translation(data: Recordings, channels: Names) -> Outline:
    if any(item.reply is None for item in data.items):
        raise _lacks(data, "translate", "a reply to every recording", "give pairs of sequences")
    encoder = (("id", ""),) if data.text else channels
    encoder_ids = len(data.classes) if data.text else 0
    if not data.reply_classes:
        return Outline(
            task="translate", channels=data.reply_names,
            classes=tuple(name for name, _ in data.reply_names), targets=data.reply_names,
            encoder=encoder, encoder_ids=encoder_ids,
        )  # fmt: skip
    classes = data.reply_classes if END in data.reply_classes else (*data.reply_classes, END)
    return Outline(
        task="translate", channels=(("id", ""),), ids=len(classes), silent=classes.index(END),
        classes=classes, encoder=encoder, encoder_ids=encoder_ids, text=data.text or "words",
    )  # fmt: skip


def _forecast_targets(data: Recordings, channels: Names, targets: Sequence[str]) -> Names:
    """Return name and unit of what is to be forecast."""
    known = dict(channels) | dict(data.target_names)
    if not targets:
        return data.target_names or channels
    for name in targets:
        if name not in known:
            raise DataError(
                f"{data.items[0].file}: target {name!r} is no channel; there are {', '.join(known)}"
            )
    return tuple((name, known[name]) for name in targets)


def _row_classes(data: Recordings, item: Recording) -> I64:
    if item.row_labels is not None:
        return item.row_labels
    label = -1 if item.label is None else data.classes.index(item.label)
    return np.full(len(item.values), label, np.int64)


def _targets(item: Recording) -> F32:
    if item.targets is None:
        raise DataError(f"{item.source}: has no target values")
    return np.asarray(item.targets, np.float32)


def _normal(data: Recordings) -> int:
    """Return the class of rows without anomaly: by its name, else the most frequent."""
    if not data.classes:
        return -1
    for index, name in enumerate(data.classes):
        if name.strip().lower() in NORMAL:
            return index
    rows = np.concatenate([_row_classes(data, item) for item in data.items])
    return int(np.bincount(rows[rows >= 0], minlength=len(data.classes)).argmax())


def _lacks(data: Recordings, task: str, what: str, cure: str) -> DataError:
    return DataError(f"{data.items[0].file}: the task {task} needs {what}; {cure}")
