"""The options that say how data files are to be read, shared by the commands that read them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rnnedge.commands.common import names, per_second

if TYPE_CHECKING:
    from rnnedge.run import DataFormat

_F = TypeVar("_F", bound=Callable[..., Any])


def _settings(
    ctx: click.Context,  # noqa: ARG001
    param: click.Parameter,  # noqa: ARG001
    value: str | None,
) -> dict[str, float]:
    """Read name=number pairs that are parted by commas."""
    found: dict[str, float] = {}
    for pair in (value or "").split(","):
        if not pair.strip():
            continue
        name, _, number = pair.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            raise click.BadParameter(f"{pair.strip()!r}: expected name=number") from None
    return found


_OPTIONS = (
    click.option("--label", default="label", show_default=True, help="Label column."),
    click.option("--group", help="Column never divided between the parts, such as a subject."),
    click.option("--recording", help="Column that numbers the recordings."),
    click.option(
        "--recording-rows",
        type=click.IntRange(min=1),
        help="Rows of a recording without separator.",
    ),
    click.option(
        "--channels", callback=names, help="Channel columns, by comma. [default: the rest]"
    ),
    click.option("--ignore", callback=names, help="Columns that are no channels, by comma."),
    click.option("--time", help="Column of time stamps. [default: found by its name and content]"),
    click.option(
        "--resample",
        callback=per_second,
        metavar="RATE",
        help="Samples per second to bring the recordings to, by time; 1/60 is one a minute.",
    ),
    click.option(
        "--missing",
        type=click.Choice(["refuse", "interpolate", "hold", "drop"]),
        default="refuse",
        show_default=True,
        help="What becomes of missing values.",
    ),
    click.option(
        "--decimal",
        type=click.Choice([".", ","]),
        default=".",
        show_default=True,
        help="Decimal mark of numbers in text.",
    ),
    click.option(
        "--text",
        type=click.Choice(["characters", "words"]),
        help="The data is text, read by these.",
    ),
    click.option(
        "--start", callback=names, help="Columns that a generated series starts from, by comma."
    ),
    click.option(
        "--mfcc",
        callback=_settings,
        metavar="NAME=NUMBER,...",
        help="Of sound: frame_ms, hop_ms, bands, coefficients, low, high, rate.",
    ),
    click.option(
        "--target", "targets", callback=names, help="Columns to forecast or map to, by comma."
    ),
)
_FIELDS = (
    *("label", "group", "recording", "recording_rows", "channels", "ignore", "time", "resample"),
    *("missing", "decimal", "text", "start", "targets", "mfcc"),
)


def data_options(command: _F) -> _F:
    """Add the options of the data format."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def taken_form(chosen: dict[str, Any]) -> "DataFormat":
    """Take the options of the data format out of those chosen.

    Args:
        chosen: the command's options by name; those of `data_options` are removed.
    """
    from rnnedge.run import DataFormat

    found = {name: chosen.pop(name) for name in _FIELDS}
    found["text"] = found["text"] or ""
    return DataFormat(**found)
