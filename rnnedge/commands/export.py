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
    """Write C and TFLite files of a run.

    C arrays, the runtime, golden vectors with a self-test, a CMakeLists.txt that needs no Python,
    the TFLite Micro model and its C array. Files of an earlier export are replaced.
    """
    from rnnedge import api

    report(api.export(run, out), as_json, _show)


def _show(document: dict[str, Any]) -> None:
    for name in document["files"]:
        click.echo(f"{document['out']}/{name}")
    click.echo(
        f"model {document['name']}: {document['const_bytes']:,} bytes of constants, "
        f"{document['ram_bytes']:,} of RAM; TFLite {document['tflite_bytes']:,}, arena "
        f"{document['arena_bytes']:,}"
    )
    click.echo(
        f"test it: cmake -S {document['out']} -B build && cmake --build build && "
        "ctest --test-dir build"
    )
