"""rnnedge demo."""

from pathlib import Path

import click

from rnnedge.commands.common import FOLDER, json_option, report


@click.command()
@click.option("--out", required=True, type=FOLDER, help="Folder to work in.")
@json_option
def demo(out: Path, as_json: bool) -> None:
    """Do all of it on a simulated sensor.

    Runs the other commands as a user would and collects the figures in result.json.
    """
    from rnnedge.demo import run_demo, show

    report(run_demo(out), as_json, show)
