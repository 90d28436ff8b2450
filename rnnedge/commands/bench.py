"""rnnedge bench."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import CORES, json_option, report, run_argument, table, target_option


@click.command()
@run_argument
@target_option("cortex-m4", CORES)
@click.option("--optimize", type=click.Choice(["speed", "size"]), default="speed")
@json_option
def bench(run: Path, targets: tuple[str, ...], optimize: str, as_json: bool) -> None:
    """Count instructions (on AVR cycles) and bytes on a target.

    They are counted under emulation, sizes read from the ELF; instructions are not cycles. A step
    is all gates, activations and the update of quantised input, without the head.
    """
    from rnnedge import api

    report(api.bench(run, targets, optimize=optimize), as_json, _show)


def _show(rows: list[dict[str, Any]]) -> None:
    columns = [_column(row) for row in rows]
    table(
        ["target", *(row["target"] for row in rows)],
        [[name, *(column[name] for column in columns)] for name in columns[0]],
    )


def _column(row: dict[str, Any]) -> dict[str, str]:
    return {
        "compiler": f"{row['compiler']}, for {row['optimize']}",
        "model": f"{row['cell']}, {row['units']} units, {row['inputs']} inputs",
        "per step": f"{row['per_step']:,} {row['unit']}",
        "per multiply-add": f"{row['per_mac']:.2f} {row['unit']}",
        "flash": f"{row['code_bytes'] + row['const_bytes']:,} bytes",
        "  code": f"{row['code_bytes']:,}",
        "  tables, weights, constants": f"{row['const_bytes']:,}",
        "RAM, state and scratch": f"{row['ram_bytes']:,} bytes",
        "stack, peak": f"{row['stack_bytes']:,} bytes",
    }
