"""rnnedge data."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import DATA, FILE, json_option, report, table
from rnnedge.commands.dataoptions import data_options, taken_form
from rnnedge.commands.trainline import train_line
from rnnedge.plaintext import counted

_BLOCKS = "▁▂▃▄▅▆▇█"
_BARS = 12
_MOST_CLASSES = 30


@click.command()
@click.argument("data", nargs=-1, required=True, type=DATA)
@data_options
@click.option("--plot", type=FILE, help="Draw the data into a .png or .svg.")
@json_option
def data(data: tuple[Path, ...], plot: Path | None, as_json: bool, **chosen: Any) -> None:
    """Show what is in sensor data, and what is wrong with it, before any training.

    DATA and its options are those of `rnnedge train`. Nothing is changed.
    """
    from rich.console import Console
    from rich.progress import Progress

    from rnnedge import api

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("reading", total=1.0)
        form = taken_form(chosen)
        document = api.describe_data(
            data,
            form,
            plot=plot,
            tell=lambda share: bar.update(task, completed=share),
        )
    document["command"] = train_line(document, form, data)
    report(document, as_json, _show)


def _show(document: dict[str, Any]) -> None:
    lengths = document["lengths"]
    click.echo(
        f"{counted(document['recordings'], 'recording')}, {counted(document['rows'], 'row')}"
        + (
            f"; a recording has {lengths['min']:,} to {lengths['max']:,} rows, the median "
            f"{lengths['median']:,.0f}"
            if document["recordings"] > 1
            else ""
        )
    )
    if document["time"]:
        _show_time(document)
    if document["groups"]:
        click.echo(f"groups: {document['groups']}")
    if document["parts"]:
        parts = ", ".join(f"{name} {count}" for name, count in document["parts"].items())
        click.echo(f"parts that the files name, in recordings: {parts}")
    if document["text"]:
        click.echo(
            f"text of {document['text']['by']}: {document['text']['vocabulary']:,} different ones"
        )
    if document["channels"]:
        table(
            ["channel", "min", "mean", "std", "max", "missing", "spread"],
            [
                [
                    f"{row['name']} [{row['unit']}]" if row["unit"] else row["name"],
                    *(_short(row[key]) for key in ("min", "mean", "std", "max")),
                    f"{row['missing']:,}",
                    sparkline(row["histogram"]),
                ]
                for row in document["channels"]
            ],
        )
    if document["classes"]:
        _show_classes(document)
    task, window = document["task"], document["window"]
    click.echo(f"suggested: --task {task['name']} ({task['reason']})")
    if document["recording_rows"]:
        rows, reason = document["recording_rows"]["rows"], document["recording_rows"]["reason"]
        click.echo(f"suggested: --recording-rows {rows} ({reason})")
    if window and window["own"]:
        click.echo(f"window: {window['rows']}, without --window ({window['reason']})")
    elif window:
        click.echo(f"suggested: --window {window['rows']} ({window['reason']})")
    if document["command"]:
        click.echo(f"to train it: {document['command']}")
    elif document["refused"]:
        click.echo(f"it cannot be trained so: {document['refused']}")
    for line in document["notes"]:
        click.echo(line if line.startswith("note: ") else f"note: {line}")
    for line in document["warnings"]:
        click.echo(f"warning: {line}")
    if document["plot"]:
        click.echo(f"plot {document['plot']}")


def _show_time(document: dict[str, Any]) -> None:
    time, rate, seconds = document["time"], document["rate"], document["seconds"]
    click.echo(
        f"time: a sample each {time['step']:g} s"
        + (f" ({rate:.6g} per second)" if rate else "")
        + f", jitter {100 * time['jitter']:.2g} %, {counted(time['gaps'], 'gap')}, "
        f"{counted(time['backwards'], 'step')} backwards, "
        f"{counted(time['duplicates'], 'time stamp')} twice, "
        f"{counted(time['changes'], 'change')} of the step"
        + ("" if seconds is None else f"; {duration(seconds)} in all")
    )


def _show_classes(document: dict[str, Any]) -> None:
    rows, total = document["classes"], sum(row["rows"] for row in document["classes"])
    table(
        ["class", "recordings", "rows", "share", ""],
        [
            [
                row["name"],
                f"{row['recordings']:,}",
                f"{row['rows']:,}",
                f"{100 * row['rows'] / max(1, total):.1f} %",
                "█" * round(20 * row["rows"] / max(1, *(other["rows"] for other in rows))),
            ]
            for row in rows[:_MOST_CLASSES]
        ],
    )
    if len(rows) > _MOST_CLASSES:
        click.echo(f"and {len(rows) - _MOST_CLASSES} more classes")


def sparkline(shares: list[float] | tuple[float, ...]) -> str:
    """Draw shares as one line of blocks; a dot where there is nothing.

    >>> sparkline([0.0, 0.1, 0.8, 0.1])
    '·▂█▂'
    """
    step = max(1, len(shares) // _BARS)
    bars = [sum(shares[start : start + step]) for start in range(0, len(shares), step)]
    top = max(bars, default=0) or 1
    return "".join(
        _BLOCKS[int((len(_BLOCKS) - 1) * bar / top + 0.5)] if bar else "·" for bar in bars
    )


def duration(seconds: float) -> str:
    """Say a duration in the unit that fits.

    >>> [duration(seconds) for seconds in (12.34, 600, 86400 * 3)]
    ['12.3 s', '10 min', '3 days']
    """
    for size, unit in ((86400 * 2, "days"), (7200, "h"), (300, "min")):
        if seconds >= size:
            return f"{seconds / {'days': 86400, 'h': 3600, 'min': 60}[unit]:.3g} {unit}"
    return f"{seconds:.3g} s"


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
