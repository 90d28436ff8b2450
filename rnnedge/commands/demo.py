"""rnnedge demo."""

from pathlib import Path

import click

from rnnedge.commands.common import FOLDER, json_option, report


@click.command()
@click.option("--out", required=True, type=FOLDER, help="Folder to work in.")
@json_option
def demo(out: Path, as_json: bool) -> None:
    """Do the whole road with a simulated sensor, through the other commands."""
    from rnnedge.demo import run_demo, show

    report(run_demo(out), as_json, show)
