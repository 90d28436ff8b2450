"""rnnedge bench."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import json_option, report, run_argument, table, target_option


@click.command()
@run_argument
@target_option("cortex-m4", "cortex-m4")
@click.option("--optimize", type=click.Choice(["speed", "size"]), default="speed")
@json_option
def bench(run: Path, targets: tuple[str, ...], optimize: str, as_json: bool) -> None:
    """Count instructions per step under emulation and read sizes from the ELF.

    Instructions, not cycles. A step is all gates, activations and the update of quantised input,
    without the head.
    """
    from rnnedge import api

    report(api.bench(run, targets, optimize=optimize), as_json, _show)


def _show(rows: list[dict[str, Any]]) -> None:
    keys = [key for key in rows[0] if key != "target"]
    table(
        ["", *(row["target"] for row in rows)],
        [[key.replace("_", " "), *(row[key] for row in rows)] for key in keys],
    )
