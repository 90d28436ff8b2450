"""rnnedge bench."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import CORES, FOLDER, json_option, report, table, target_option


@click.command()
@click.argument("run", required=False, type=FOLDER)
@target_option("cortex-m4", CORES)
@click.option("--cell", help="Instead of RUN: random weights; gru, lstm or rnn. [default: gru]")
@click.option("--units", type=click.IntRange(1, 4096), help="[default: 32]")
@click.option("--inputs", type=click.IntRange(1, 4096), help="Channels, 8 bits. [default: 9]")
@click.option("--layers", type=click.IntRange(1, 8), help="[default: 1]")
@click.option("--reset-before", is_flag=True, help="The other GRU form.")
@click.option(
    "--optimize",
    type=click.Choice(["speed", "size"]),
    default="speed",
    show_default=True,
    help="-O3 or -Os.",
)
@click.option("--keep", type=FOLDER, help="Leave the programs in this folder, TARGET.elf.")
@json_option
def bench(
    run: Path | None,
    targets: tuple[str, ...],
    optimize: str,
    keep: Path | None,
    as_json: bool,
    reset_before: bool,
    **shape: Any,
) -> None:
    """Count instructions (on AVR cycles) and bytes on a target.

    Of RUN, or without one of a model of the given shape. They are counted under emulation, sizes
    read from the ELF; instructions are not cycles. A step is all gates, activations and the update
    of quantised input, without the head: what runs between app_count_begin and app_count_end.
    """
    from rnnedge import api

    given = {key: value for key, value in shape.items() if value is not None}
    if run is not None and (given or reset_before):
        options = ", ".join(f"--{name}" for name in given) or "--reset-before"
        raise click.UsageError(f"RUN has a shape of its own; leave {options} out, or RUN")
    wanted = {"cell": "gru", "units": 32, "inputs": 9, "layers": 1} | given
    document = api.bench(
        run, targets, optimize=optimize, keep=keep, reset_after=not reset_before, **wanted
    )
    report(document, as_json, _show)


def _show(rows: list[dict[str, Any]]) -> None:
    first = rows[0]
    units = {row["unit"] for row in rows}
    counted = units.pop() if len(units) == 1 else "instructions, on avr cycles,"
    table(
        ["target", "compiler", "per step", "per MAC", "code", "const", "RAM", "stack"],
        [
            [
                row["target"],
                # arm-none-eabi-gcc 12.2.1
                row["compiler"].split("-")[-1],
                f"{row['per_step']:,}",
                f"{row['per_mac']:.2f}",
                f"{row['code_bytes']:,}",
                f"{row['const_bytes']:,}",
                f"{row['ram_bytes']:,}",
                f"{row['stack_bytes']:,}",
            ]
            for row in rows
        ],
        f"{first['cell']}, {first['units']} units, {first['inputs']} inputs, "
        f"{first['layers']} recurrent layer{'s' * (first['layers'] > 1)}, for {first['optimize']}: "
        f"{counted} per step, bytes",
    )
