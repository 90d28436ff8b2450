"""rnnedge verify."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import (
    CORES,
    FOLDER,
    json_option,
    report,
    run_argument,
    table,
    target_option,
)


@click.command()
@run_argument
@target_option("host", f"host, {CORES}")
@click.option("--export", "folder", type=FOLDER, help="Exported folder to verify as it stands.")
@click.option(
    "--windows",
    type=click.IntRange(min=1),
    help="Test windows. [default: host all, emulator 32, avr 4]",
)
@json_option
def verify(
    run: Path, targets: tuple[str, ...], folder: Path | None, windows: int | None, as_json: bool
) -> None:
    """Prove that a target computes the simulator's bits.

    Compiles the exported C, runs real windows on each target and compares every state and score.
    The exit code is 1 if one value differs. The host's compiler is cc, or what CC names.
    """
    from rnnedge import api

    rows = api.verify(run, targets, export_folder=folder, windows=windows)
    report(rows, as_json, _show)
    if any(row["differences"] for row in rows):
        raise SystemExit(1)


def _show(rows: list[dict[str, Any]]) -> None:
    table(
        ["target", "windows", "values compared", "differences"],
        [
            [
                row["target"],
                row["windows"],
                f"{row['values_compared']:,}",
                f"{row['differences']:,}",
            ]
            for row in rows
        ],
    )
    for row in rows:
        if row["first_difference"]:
            click.echo(f"{row['target']}: first difference: {row['first_difference']}", err=True)
