"""rnnedge simulate."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import DATA, json_option, report, run_argument, table


@click.command()
@run_argument
@click.argument("data", nargs=-1, required=True, type=DATA)
@json_option
def simulate(run: Path, data: tuple[Path, ...], as_json: bool) -> None:
    """Predict DATA with the integer simulator: what the device will answer. Needs no labels."""
    from rnnedge import api

    report(api.predict(run, data), as_json, _show)


def _show(document: dict[str, Any]) -> None:
    rows = [
        [window["source"], window["row"], window["class"], f"{max(window['scores']):.3f}"]
        for window in document["windows"]
    ]
    table(["source", "first row", "class", "score"], rows)
    if document["short_recordings"]:
        click.echo(f"{document['short_recordings']} recordings are shorter than a window", err=True)
