"""rnnedge simulate."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import DATA, json_option, left_out, report, run_argument, table


@click.command()
@run_argument
@click.argument("data", nargs=-1, required=True, type=DATA)
@json_option
def simulate(run: Path, data: tuple[Path, ...], as_json: bool) -> None:
    """Predict DATA with the integer simulator.

    This is what the device will answer. Labels are not needed, and not used.
    """
    from rnnedge import api

    report(api.predict(run, data), as_json, _show)


def _show(document: dict[str, Any]) -> None:
    rows = [
        [window["file"], window["line"], window["class"], f"{window['probability']:.3f}"]
        for window in document["windows"]
    ]
    table(["file", "first line", "class", "probability"], rows)
    left_out(document)
