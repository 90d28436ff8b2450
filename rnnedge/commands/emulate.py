"""rnnedge emulate."""

import signal
import threading
from pathlib import Path

import click

from rnnedge.commands.common import FOLDER


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

    Prints the port. It is used like the real one: arduino_uno has its boot loader, so avrdude and
    rnnedge flash write to it, and opening the port resets it; microbit runs what is copied to its
    drive; the others hold the program that you name.
    """
    from rnnedge.boards import find_board
    from rnnedge.boards.flashable import flashable

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with flashable(find_board(board), program, flash=flash, drive=drive) as bridge:
        click.echo(bridge.port)
        while not ended.wait(0.2) and bridge.running:
            pass
