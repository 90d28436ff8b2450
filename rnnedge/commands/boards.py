"""rnnedge boards."""

from typing import Any

import click

from rnnedge.commands.common import json_option, report, table


@click.command()
@json_option
def boards(as_json: bool) -> None:
    """List the boards: chip, memory, emulator, flash tools, and what is measured of them."""
    from rnnedge import api

    report(api.boards(), as_json, _show)


def _show(rows: list[dict[str, Any]]) -> None:
    table(
        ["board", "chip", "core", "flash", "RAM", "emulator"],
        [
            [
                row["board"],
                row["chip"],
                row["core"],
                _size(row["flash_bytes"]),
                _size(row["ram_bytes"]),
                _emulator(row["emulator"]),
            ]
            for row in rows
        ],
    )
    table(
        ["board", "flashed by (--tool)"],
        [[row["board"], ", ".join(row["flash_tools"])] for row in rows],
    )
    for measured, text in (
        ("cycles", "verified under emulation, cycles exact"),
        ("instructions", "verified under emulation, instructions counted, not cycles"),
        (None, "only built here; on the board itself: rnnedge verify --board --port"),
    ):
        names = [row["board"] for row in rows if row["measured"] == measured]
        if names:
            click.echo(click.wrap_text(f"{text}: {', '.join(names)}", 80, subsequent_indent="  "))


def _emulator(program: str | None) -> str:
    return "none" if program is None else "QEMU" if program.startswith("qemu") else program


def _size(count: int) -> str:
    for unit, name in ((1 << 20, "MB"), (1 << 10, "kB")):
        if count >= unit:
            return f"{count / unit:.4g} {name}"
    return f"{count} bytes"
