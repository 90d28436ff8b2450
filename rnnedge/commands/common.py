"""What the commands share: option types, JSON on standard output, tables."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rnnedge.plaintext import counted, visible

_F = TypeVar("_F", bound=Callable[..., Any])
_T = TypeVar("_T")

_MOST_CLASSES = 12
_PAIRS = 12


class _Path(click.Path):
    """A path; an empty one would be the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path.

        Raises:
            click.BadParameter: it is empty.
        """
        if value == "":
            self.fail("the path is empty; the current folder is .", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = DATA = FILE = _Path(path_type=Path)


def json_option(command: _F) -> _F:
    """Add --json."""
    return click.option(
        "--json", "as_json", is_flag=True, help="One JSON document on standard output."
    )(command)


def run_argument(command: _F) -> _F:
    """Add the run folder."""
    return click.argument("run", type=FOLDER)(command)


CORES = "cortex-m0, cortex-m3, cortex-m4, cortex-m7, cortex-m33, cortex-m55, rv32, avr"


def target_option(default: str, known: str) -> Callable[[_F], _F]:
    """Add --target, which may be repeated."""
    return click.option(
        "--target",
        "targets",
        multiple=True,
        default=[default],
        show_default=True,
        metavar="TARGET",
        help=f"{known}, or all; may be repeated. A suffix :clang takes clang instead of gcc "
        "(host and Cortex-M).",
    )


def optimize_option(command: _F) -> _F:
    """Add --optimize of a board's firmware."""
    return click.option(
        "--optimize",
        type=click.Choice(["speed", "size"]),
        help="How it is built. [default: for speed or, where that does not fit, for size]",
    )(command)


def names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Read names that are parted by commas."""
    if value is None:
        return ()
    found = tuple(name.strip() for name in value.split(",") if name.strip())
    if not found:
        raise click.BadParameter(f"{value!r}: expected names parted by commas")
    twice = repeated(found)
    if twice is not None:
        raise click.BadParameter(f"{value!r}: {twice} named twice")
    return found


def repeated(values: Sequence[_T]) -> _T | None:
    """Return the first value that is there twice, or None.

    >>> repeated(["a", "b", "a"]), repeated([1, 24])
    ('a', None)
    """
    return next((value for place, value in enumerate(values) if value in values[:place]), None)


def numbers(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    """Read numbers that are parted by commas."""
    if value is None:
        return None
    try:
        return tuple(float(word) for word in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r}: expected numbers parted by commas") from None


def per_second(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Read a rate: a number, or one divided by another as in 1/60."""
    if value is None:
        return None
    from rnnedge.data.timeline import rate_of

    try:
        return rate_of(value)
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter(
            f"{value!r}: expected samples per second, such as 50 or 1/60"
        ) from None


def report(document: Any, as_json: bool, show: Callable[[Any], None]) -> None:
    """Print `document` as JSON, or let `show` print it for people."""
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        show(document)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a table; numbers and text as they are, right-aligned but for the first column."""
    if title:
        click.echo(title)
    texts = [[str(cell) for cell in row] for row in rows]
    console = Console(soft_wrap=False)
    # words stay whole where there is room for the longest of each column
    words = [_longest_word(column, *cells) for column, *cells in zip(columns, *texts, strict=False)]
    roomy = sum(words) + 3 * len(words) + 1 <= console.width
    drawn = Table(header_style="bold")
    for index, column in enumerate(columns):
        first = index == 0
        drawn.add_column(
            Text(column),
            justify="left" if first else "right",
            overflow="fold",
            no_wrap=first,
            min_width=words[index] if roomy else None,
        )
    for text in texts:
        drawn.add_row(*map(Text, text))
    console.print(drawn)


def _longest_word(*texts: str) -> int:
    return max((len(word) for text in texts for word in text.split()), default=0)


def left_out(document: dict[str, Any]) -> None:
    """Say on standard error how many recordings gave no window."""
    if document.get("short_recordings"):
        count = document["short_recordings"]
        what = counted(count, "recording")
        click.echo(f"left out: {what} shorter than a window", err=True)


def confusion(variant: dict[str, Any], classes: Sequence[str], title: str) -> None:
    """Print a confusion matrix, true classes down, predicted across; of many the worst pairs."""
    if len(classes) > _MOST_CLASSES:
        _worst_pairs(variant, classes, title)
        return
    rows = [
        [f"{index} {visible(name)}", *counts]
        for index, (name, counts) in enumerate(zip(classes, variant["confusion"], strict=True))
    ]
    table(["true \\ predicted", *map(str, range(len(classes)))], rows, title)


def _worst_pairs(variant: dict[str, Any], classes: Sequence[str], title: str) -> None:
    """Print the pairs of classes that are taken for each other most often."""
    wrong = [
        (count, sum(counts), visible(name), visible(other))
        for name, counts in zip(classes, variant["confusion"], strict=True)
        for other, count in zip(classes, counts, strict=True)
        if count and other != name
    ]
    wrong.sort(key=lambda pair: -pair[0])
    rows = [
        [name, other, f"{count:,}", f"{100 * count / total:.1f} %"]
        for count, total, name, other in wrong[:_PAIRS]
    ]
    more = f", the worst {_PAIRS} of {len(wrong)} pairs" if len(wrong) > _PAIRS else ""
    table(["true", "predicted", "times", "of this class"], rows, f"{title}{more}")
