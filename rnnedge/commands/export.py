"""rnnedge export."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import FOLDER, json_option, report, run_argument


@click.command()
@run_argument
@click.option("--out", required=True, type=FOLDER, help="Folder to write into.")
@json_option
def export(run: Path, out: Path, as_json: bool) -> None:
    """Write C arrays, runtime, golden vectors, CMake file and TFLite model of RUN."""
    from rnnedge import api

    report(api.export(run, out), as_json, _show)


def _show(document: dict[str, Any]) -> None:
    for name in document["files"]:
        click.echo(f"{document['out']}/{name}")
    click.echo(
        f"model {document['name']}; TFLite {document['tflite_bytes']} bytes, "
        f"arena {document['arena_bytes']} bytes"
    )
