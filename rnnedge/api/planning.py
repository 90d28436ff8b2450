"""The training that fits data: how it is to be read, its window, and whether it would begin."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rnnedge.data.parts import parted
from rnnedge.data.prepare import prepare
from rnnedge.data.readers import Recordings
from rnnedge.data.remarks import cut_at_labels
from rnnedge.data.split import split
from rnnedge.data.timeline import rate_of, round_rate
from rnnedge.data.windows import automatic_window
from rnnedge.errors import DataError
from rnnedge.run import DataFormat
from rnnedge.train.options import TrainOptions
from rnnedge.train.tasks.outline import outline

STREAMING = ("label", "forecast", "anomaly", "map")
"""Tasks of a state that runs on, from one piece of a recording to the next."""

_SHORTEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a training would say before its first epoch.

    Attributes:
        window: time steps.
        own: whether it takes them by itself, without being told.
        why: they are so many, for people; "" if they are as asked.
        refused: why it would not begin; "" if it would.
    """

    window: int
    own: bool = False
    why: str = ""
    refused: str = ""


def planned(document: Mapping[str, Any], form: DataFormat) -> DataFormat:
    """Return how data is to be read so that it can be trained on.

    Args:
        document: of rnnedge.data.describe.describe.
        form: how it was read.
    """
    still = tuple(
        row["name"] for row in document["channels"] if row["constant"] or not row["count"]
    )
    holes = any(row["missing"] for row in document["channels"])
    uneven = form.resample is None and document["rate"] and document["uneven"]
    return replace(
        form,
        ignore=form.ignore if form.channels else (*form.ignore, *still),
        missing="interpolate" if holes and form.missing == "refuse" else form.missing,
        resample=rate_of(round_rate(document["rate"])) if uneven else form.resample,
    )


def trial(data: Recordings, form: DataFormat, task: str, window: int) -> Trial:
    """Prepare and divide data as a training does, with a shorter window if it must be one.

    Args:
        data: the recordings.
        form: how they are to be filled and resampled.
        task: one of rnnedge.spec.TASKS.
        window: time steps, for what does not take the recordings as they are.
    """
    try:
        ready = prepare(data if form.missing == "refuse" else _left(data, form), form).data
        guessed = cut_at_labels(ready, form)
        found, why = _own_window(ready, guessed) if task == "classify" else (0, "")
        if task in STREAMING:
            outline(task, ready, form.targets, TrainOptions().horizons)
    except DataError as error:
        return Trial(window=window, refused=str(error))
    refused, size = "", found or window
    while True:
        try:
            if task == "classify":
                _divide_windows(ready, size, not guessed)
            elif task in STREAMING:
                _divide(ready, size)
        except DataError as error:
            refused = refused or str(error)
            size //= 2
            if found or size < _SHORTEST:
                return Trial(window=found or window, own=bool(found), why=why, refused=refused)
            why = "a longer one leaves too little for each part"
        else:
            return Trial(window=size, own=bool(found), why=why)


def _divide_windows(data: Recordings, window: int, pad: bool) -> None:
    """Cut windows and divide them as usual.

    Raises:
        DataError: it cannot be done.
    """
    options = TrainOptions()
    split(
        data, None, window=window, hop=max(1, window // 2), pad=pad, seed=options.seed,
        validation_fraction=options.validation_fraction, test_fraction=options.test_fraction,
    )  # fmt: skip


def _divide(data: Recordings, window: int) -> None:
    """Divide recordings as usual.

    Raises:
        DataError: it cannot be done.
    """
    options = TrainOptions()
    parts = parted(
        data, None, by=options.split, gap=window, seed=options.seed,
        validation_fraction=options.validation_fraction, test_fraction=options.test_fraction,
    )  # fmt: skip
    for name, part in (("train", parts.train), ("validation", parts.validation)):
        if max(len(item.values) for item in part.items) < 2:
            raise DataError(
                f"{data.items[0].file}: no recording of the {name} part has two rows or more; "
                "record longer ones"
            )


def _left(data: Recordings, form: DataFormat) -> Recordings:
    """Leave out channels that are ignored now: one without any value could not be filled."""
    gone = [index for index, name in enumerate(data.channels) if name in form.ignore]
    if not gone:
        return data
    kept = [index for index in range(len(data.channels)) if index not in gone]
    return replace(
        data,
        items=tuple(replace(item, values=item.values[:, kept]) for item in data.items),
        channels=tuple(data.channels[index] for index in kept),
        units=tuple(data.units[index] for index in kept),
    )


def _own_window(data: Recordings, guessed: bool) -> tuple[int, str]:
    """Return the window that needs no --window, and why; 0 where there is none."""
    try:
        rows = automatic_window(data, cut_at_labels=guessed)
    except DataError:
        return 0, ""
    if len({len(item.values) for item in data.items}) == 1:
        return rows, "all recordings have this length"
    return rows, "the longest recording; shorter ones are padded"
