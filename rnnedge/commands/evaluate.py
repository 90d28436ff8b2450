"""rnnedge evaluate."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import (
    DATA,
    confusion,
    json_option,
    left_out,
    report,
    run_argument,
    table,
)


@click.command()
@run_argument
@click.argument("data", nargs=-1, type=DATA)
@json_option
def evaluate(run: Path, data: tuple[Path, ...], as_json: bool) -> None:
    """Compare float, int8 and TFLite Micro.

    On the test part, or on labelled DATA of the same form.
    """
    from rnnedge import api

    report(api.evaluate(run, data), as_json, _show)


def _show(document: dict[str, Any]) -> None:
    rows = [
        [
            name,
            f"{variant['accuracy']:.4f}",
            f"{variant['macro_f1']:.4f}",
            f"{variant['agreement']:.4f}" if "agreement" in variant else "",
        ]
        for name, variant in document["variants"].items()
    ]
    title = f"{document['task']}, {document['windows']} windows"
    table(["variant", "accuracy", "macro F1", "agrees with float"], rows, title)
    confusion(document["variants"]["int8"], document["classes"], "confusion of int8, in windows")
    left_out(document)
