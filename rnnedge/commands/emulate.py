"""rnnedge emulate."""

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnedge.commands.common import FOLDER

if TYPE_CHECKING:
    from rnnedge.boards import Board


@click.command()
@click.option("--board", required=True, help="A board with an emulator (rnnedge boards).")
@click.option("--elf", "--hex", "program", type=FOLDER, help="A program that it holds at first.")
@click.option(
    "--image", "flash", type=FOLDER, help="Of a board with a boot loader: keep its flash here."
)
@click.option(
    "--drive",
    type=FOLDER,
    help="Of a board that shows a drive: this folder stands for it; what is copied there runs.",
)
def emulate(board: str, program: Path | None, flash: Path | None, drive: Path | None) -> None:
    """Emulate a board behind a serial port, until Ctrl-C.

    Prints the port, and on standard error what can be done with it. It is used like the real one:
    arduino_uno has its boot loader, so avrdude and rnnedge flash write to it, and opening the port
    resets it; microbit runs what is copied to its drive; the others hold the program that you name.
    """
    from rnnedge.boards import find_board
    from rnnedge.boards.flashable import flashable

    found = find_board(board)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())

    def say(line: str) -> None:
        click.echo(line, err=True)

    with flashable(found, program, flash=flash, drive=drive, say=say) as bridge:
        click.echo(bridge.port)
        for line in _advice(found, bridge.port, drive):
            click.echo(line, err=True)
        while not ended.wait(0.2) and bridge.running:
            pass


def _advice(board: "Board", port: str, drive: Path | None) -> list[str]:
    """Return what a user of an emulated board does next, and has to know."""
    commands = [f"rnnedge verify RUN --board {board.name} --port {port}"]
    notes = []
    if drive is not None:
        commands.insert(0, f"rnnedge flash RUN --board {board.name} --drive {drive}")
    elif board.emulator is not None and board.emulator.program == "simavr":
        commands.insert(0, f"rnnedge flash RUN --board {board.name} --port {port}")
        notes.append("avrdude's message about TIOCMGET is harmless: this port has no modem lines.")
    if board.emulator is not None and board.emulator.unit == "instructions":
        notes.append("What verify shows of this port are ticks of an emulated clock, not cycles.")
    return ["next, in another terminal (Ctrl-C ends this):", *(f"  {c}" for c in commands), *notes]
