"""rnnedge verify."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from rnnedge.commands.common import (
    CORES,
    FOLDER,
    json_option,
    optimize_option,
    report,
    run_argument,
    table,
    target_option,
)


@click.command()
@run_argument
@target_option("host", f"tflm; host, {CORES}")
@click.option(
    "--board",
    "boards",
    multiple=True,
    metavar="BOARD",
    help="Instead of targets: a board (rnnedge boards), over its serial line; may be repeated. "
    "Without --port its emulator takes its place.",
)
@click.option("--port", help="Serial port of the board, which has the run's firmware.")
@click.option("--export", "folder", type=FOLDER, help="Exported folder to verify as it stands.")
@click.option(
    "--windows",
    type=click.IntRange(min=1),
    help="Test windows. [default: host all, emulator 32, avr 4, tflm 16; board 8 and the golden "
    "ones]",
)
@optimize_option
@json_option
@click.pass_context
def verify(
    ctx: click.Context,
    run: Path,
    targets: tuple[str, ...],
    boards: tuple[str, ...],
    port: str | None,
    folder: Path | None,
    windows: int | None,
    optimize: str | None,
    as_json: bool,
) -> None:
    """Prove that a target or a board computes the simulator's bits.

    Compiles the exported C, runs real windows on each target and compares every state and score.
    The exit code is 1 if one value differs. The host's compiler is cc, or what CC names.

    The target tflm, which is not part of all, runs the .tflite files in TensorFlow Lite Micro and
    compares every output with a NumPy reference of its operators: those of --export as they stand,
    or else every form that the model can have.

    With --board the firmware runs on the board or its emulator, and the windows go over its serial
    line. Lost and damaged frames are sent again; a reset is noticed, and its window repeated.
    """
    from rnnedge import api

    _check(ctx, boards, port, folder)
    if optimize is not None and (port is not None or not boards):
        raise click.UsageError("--optimize is for a --board without --port")
    if boards:
        rows = api.verify_boards(
            run,
            boards,
            port=port,
            export_folder=folder,
            windows=windows,
            optimize=optimize,
            say=lambda line: click.echo(line, err=True),
            progress=_progress,
        )
        _fewer(rows, windows)
        report(rows, as_json, _show_boards)
    else:
        rows = api.verify(run, targets, export_folder=folder, windows=windows)
        _fewer(rows, windows)
        report(rows, as_json, _show)
    if any(row["differences"] for row in rows):
        raise SystemExit(1)


def _check(
    ctx: click.Context, boards: tuple[str, ...], port: str | None, folder: Path | None
) -> None:
    """Refuse options that exclude each other."""
    named = ctx.get_parameter_source("targets") is not ParameterSource.DEFAULT
    if boards and named:
        raise click.UsageError("--board and --target exclude each other")
    if port is not None and not boards:
        raise click.UsageError("--port needs a --board; rnnedge boards lists them")
    if port is not None and folder is not None:
        raise click.UsageError("--port and --export exclude each other: the board has its firmware")


def _fewer(rows: Sequence[dict[str, Any]], asked: int | None) -> None:
    """Say that a run keeps fewer windows than were asked for."""
    most = max((row["windows"] for row in rows), default=0)
    if asked is not None and most < asked:
        click.echo(f"note: the run keeps {most:,} test windows, not {asked:,}", err=True)


def _progress(done: int, count: int) -> None:
    """Count windows where somebody looks."""
    if sys.stderr.isatty():
        click.echo(f"{done} of {count} windows\r", err=True, nl=False)  # the next line covers it


def _show(rows: list[dict[str, Any]]) -> None:
    free = _any_free(rows)
    table(["target", *_titles(free)], [[_name(row), *_compared(row, free)] for row in rows])
    _show_differences(rows)


def _show_boards(rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _SIDE_BY_SIDE):
        some = rows[start : start + _SIDE_BY_SIDE]
        units = list(dict.fromkeys(row["unit"] for row in some if row["unit"])) or [""]
        free = _any_free(some)
        titles = [*_titles(free), *(f"{unit} a step".strip() for unit in units), *_BOARD_ROWS]
        columns = zip(*(_board_column(row, units, free) for row in some), strict=True)
        table(
            ["", *(row["board"] for row in some)],
            [[title, *values] for title, values in zip(titles, columns, strict=True)],
        )
    for note in dict.fromkeys(note for row in rows for note in row["notes"]):
        boards = [row["board"] for row in rows if note in row["notes"]]
        prefix = f"{', '.join(boards)}: " if len(boards) < len(rows) else ""
        click.echo(click.wrap_text(f"{prefix}{note}", 80))
    _show_differences(rows)


_BOARD_ROWS = ("latency", "headroom", "stack", "retries", "damaged frames", "resets")
_SIDE_BY_SIDE = 3


def _name(row: dict[str, Any]) -> str:
    return " ".join([row["target"], *([row["variant"]] if "variant" in row else [])])


def _any_free(rows: Sequence[dict[str, Any]]) -> bool:
    """Tell whether one of the models ran freely."""
    return any(row.get("free_steps") for row in rows)


def _titles(free: bool) -> list[str]:
    return ["windows", *(["free steps"] if free else []), "values compared", "differences"]


def _compared(row: dict[str, Any], free: bool) -> list[str]:
    ran = [f"{row.get('free_steps', 0):,}"] if free else []
    return [str(row["windows"]), *ran, f"{row['values_compared']:,}", f"{row['differences']:,}"]


def _board_column(row: dict[str, Any], units: Sequence[str], free: bool) -> list[str]:
    stack = f"{row['stack_bytes']:,} bytes" if row["stack_bytes"] else "not measured"
    line = [str(row[name]) for name in ("retries", "damaged", "resets")]
    return [*_compared(row, free), *_speed(row, units), stack, *line]


def _speed(row: dict[str, Any], units: Sequence[str]) -> list[str]:
    if row["per_step"] is None:
        return ["not measured"] * (len(units) + 2)
    spread = "" if row["per_step_min"] == row["per_step"] else f"{row['per_step_min']:,} to "
    counts = [f"{spread}{row['per_step']:,}" if unit == row["unit"] else "-" for unit in units]
    if not row["steady"]:
        return [*counts, "clock not steady", "-"]
    headroom = "rate unknown" if row["headroom"] is None else f"{row['headroom']:,.1f} times"
    return [*counts, f"{row['latency_ms']:.3g} ms", headroom]


def _show_differences(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["first_difference"]:
            click.echo(f"{_name(row)}: first difference: {row['first_difference']}", err=True)
