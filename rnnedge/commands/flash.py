"""rnnedge flash."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import (
    FOLDER,
    json_option,
    optimize_option,
    report,
    run_argument,
)


@click.command()
@run_argument
@click.option("--board", required=True, help="The board (rnnedge boards lists them).")
@click.option("--tool", help="The flash tool. [default: the first of the board's that is there]")
@click.option("--port", help="Its serial port. [default: the only one that can be it]")
@click.option("--drive", type=FOLDER, help="The drive that it shows. [default: by name]")
@click.option("--dry-run", is_flag=True, help="Build, check, print the command; do not call it.")
@click.option("--out", "--keep", "out", type=FOLDER, help="Leave the image in this folder.")
@optimize_option
@click.option("--verbose", is_flag=True, help="Show what the tool says.")
@json_option
def flash(run: Path, as_json: bool, verbose: bool, **options: Any) -> None:
    """Build the firmware of RUN for a board, see that it fits, and flash it.

    The program answers rnnedge verify RUN --board BOARD. The tool is the one that you would call
    yourself; its command is printed.
    """
    from rnnedge import api

    def say(line: str) -> None:
        click.echo(line, err=as_json)

    def listen(line: str) -> None:
        click.echo(line, err=True)

    document = api.flash(run, say=say, listen=listen if verbose else None, **options)
    report(document, as_json, _show)


def _show(document: dict[str, Any]) -> None:
    if document["image"] is not None:
        click.echo(f"image: {document['image']}, {document['image_bytes']:,} bytes")
    if document["project"] is not None:
        click.echo(f"project: {document['project']}")
    if document["flashed"]:
        click.echo(f"flashed {document['name']} to {document['board']}")
        return
    kept = document["image"] is not None or document["project"] is not None
    if document["optimize"] is not None:
        rest = "" if kept else "; --out FOLDER keeps the image"
        click.echo(f"dry run: nothing was flashed{rest}")
    else:
        tool = (document["before"] or document["command"])[0]
        rest = "" if kept else "; --out FOLDER keeps the project"
        click.echo(f"dry run: nothing was built, {tool} does that{rest}")
