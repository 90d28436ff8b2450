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

_AGREEING = 0.99


@click.command()
@run_argument
@click.argument("data", nargs=-1, type=DATA)
@json_option
def evaluate(run: Path, data: tuple[Path, ...], as_json: bool) -> None:
    """Compare float, int8 and TFLite Micro.

    On the test part, or on labelled DATA of the same form.
    """
    from rnnedge import api

    document = api.evaluate(run, data)
    disagreement(document)
    report(document, as_json, _show)


def disagreement(document: dict[str, Any]) -> None:
    """Say on standard error that int8 and float decide too many windows differently, and the cure.

    Args:
        document: of api.fit or api.evaluate.
    """
    agreement = document["variants"]["int8"]["agreement"]
    if agreement >= _AGREEING:
        return
    cure = (
        "try --input-bits 16"
        if document["input_bits"] == 8
        else "its input has 16 bits already, the rest is its int8 weights'"
    )
    click.echo(
        f"note: int8 agrees with float on only {100 * agreement:.1f} % of {document['windows']:,} "
        f"windows; {cure}",
        err=True,
    )


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
