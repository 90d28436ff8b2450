"""The options of `rnnedge train` about the model, the training and its random changes."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from rnnedge.commands.common import FOLDER, per_second, repeated
from rnnedge.errors import RnnedgeError
from rnnedge.tasks import TASKS

_F = TypeVar("_F", bound=Callable[..., Any])


def _pairs(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(item.partition("=")[::2] for item in value)
    if not all(name and unit for name, unit in pairs.items()):
        raise click.BadParameter("expected CHANNEL=UNIT, such as ax=g")
    return pairs


def _steps(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    try:
        found = [int(word) for word in value.split(",")]
    except ValueError:
        raise click.BadParameter(f"{value!r}: expected steps ahead, such as 1,24") from None
    twice = repeated(found)
    if twice is not None:
        raise click.BadParameter(f"{value!r}: {twice} named twice")
    return tuple(sorted(found))


def _changes(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> Mapping[str, float] | None:
    from rnnedge.train.augment import parse

    if value is None:
        return None
    try:
        return parse(value)
    except RnnedgeError as error:
        raise click.BadParameter(str(error)) from None


def _groups(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> tuple[tuple[str, ...], ...] | None:
    groups = tuple(tuple(name.strip() for name in group.split(",")) for group in value)
    if groups == (("none",),):
        return ()
    if any(len(group) != 3 or not all(group) for group in groups):
        raise click.BadParameter("expected three channels by comma, such as ax,ay,az, or none")
    twice = repeated([name for group in groups for name in group])
    if twice is not None:
        raise click.BadParameter(f"{twice} named twice; an axis is one of one sensor")
    return groups or None


_MODEL = (
    click.option(
        "--task",
        type=click.Choice(TASKS),
        help="What the model is for. [default: found from the data]",
    ),
    click.option("--cell", default="gru", show_default=True, help="gru, lstm or rnn."),
    click.option("--units", default=32, show_default=True, type=click.IntRange(1, 4096)),
    click.option(
        "--layers",
        default=1,
        show_default=True,
        type=click.IntRange(1, 8),
        help="Recurrent layers.",
    ),
    click.option("--reset-after/--reset-before", default=True, show_default=True, help="GRU form."),
    click.option(
        "--window",
        type=click.IntRange(1, 65535),
        help="Time steps of a window. [default: a recording's]",
    ),
    click.option(
        "--hop",
        type=click.IntRange(min=1),
        help="Steps between windows. [default: half a window, an eighth in training]",
    ),
    click.option(
        "--horizon",
        "horizons",
        callback=_steps,
        metavar="STEPS",
        help="Steps ahead of a forecast, by comma. [default: 1]",
    ),
)
_STREAM = (
    click.option(
        "--steps",
        type=click.IntRange(min=1),
        help="Steps through which errors are followed back, where the state runs on. "
        "[default: by the data]",
    ),
    click.option(
        "--lanes",
        type=click.IntRange(min=1),
        help="Recordings trained side by side, where the state runs on. [default: by the data]",
    ),
    click.option(
        "--burn-in",
        type=click.IntRange(min=0),
        help="First steps of a recording whose answers do not count. [default: 0]",
    ),
)
_TRAINING = (
    click.option(
        "--rate",
        callback=per_second,
        metavar="RATE",
        help="Samples per second; 1/60 is one a minute. [default: by the time stamps]",
    ),
    click.option(
        "--unit",
        "units_of_measure",
        multiple=True,
        callback=_pairs,
        metavar="CHANNEL=UNIT",
        help="Unit of measure of a channel; may be repeated.",
    ),
    click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1)),
    click.option(
        "--seeds",
        type=click.IntRange(1, 1000),
        help="Trainings, of seed, seed + 1, ...; that of the best validation is kept, mean, "
        "deviation and worst are told. [default: 1]",
    ),
    click.option("--epochs", type=click.IntRange(1, 10**6), help="[default: by the data]"),
    click.option(
        "--batch-size", type=click.IntRange(1, 10**6), help="[default: by the amount of data]"
    ),
    click.option(
        "--learning-rate",
        type=float,
        help="Of Adam at the start; decays along a cosine. [default: 0.005]",
    ),
    click.option(
        "--patience",
        type=click.IntRange(min=1),
        help="Epochs without improvement before stopping. [default: a third of all]",
    ),
    click.option(
        "--dropout", type=float, help="Share of the cell's inputs dropped in training. [default: 0]"
    ),
    click.option(
        "--class-weights",
        type=click.Choice(["none", "balanced"]),
        help="balanced: every class weighs the same, however rare. [default: none]",
    ),
    click.option(
        "--augment",
        callback=_changes,
        metavar="CHANGE=NUMBER,...",
        help="Random changes of the training windows: jitter, scale, rotate (degrees), drift, "
        "shift, warp, drop, mix; or none. [default: by the data; those named are as said]",
    ),
    click.option(
        "--rotate-groups",
        multiple=True,
        callback=_groups,
        metavar="X,Y,Z",
        help="Channels of a three-axis sensor, turned together; may be repeated; or none. "
        "[default: found by their names]",
    ),
    click.option(
        "--test-fraction",
        type=float,
        help="Share held out where there is no --test. [default: 0.2]",
    ),
    click.option(
        "--validation-fraction",
        type=float,
        help="Share of the rest for early stopping. [default: 0.15]",
    ),
    click.option(
        "--tensorboard",
        type=FOLDER,
        metavar="DIR",
        help="Write TensorBoard's logs of the training there.",
    ),
)
_RESULT = (
    click.option(
        "--input-bits",
        type=click.Choice(["8", "16"]),
        help="Of the first layer. [default: 16 where 8 lose calibration windows]",
    ),
    click.option("--name", help="Name of the model in C. [default: of the run folder]"),
    click.option("--out", required=True, type=FOLDER, help="Run folder to make."),
    click.option("--force", is_flag=True, help="Replace an existing run."),
    click.option(
        "--resume", is_flag=True, help="Go on with an interrupted training, to the same result."
    ),
    click.option("--quiet", is_flag=True, help="No progress, only the result."),
)


def train_options(command: _F) -> _F:
    """Add the options of the model and of its training."""
    for option in reversed(_MODEL + _STREAM + _TRAINING + _RESULT):
        command = option(command)
    return command
