"""A board's emulator behind a serial port."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnedge.boards.board import Board
from rnnedge.boards.bridge import Bridge
from rnnedge.boards.uno import BOOT_BYTES, boot_address, uno_command
from rnnedge.targets.board import EXIT_CODES
from rnnedge.targets.elf import read_elf
from rnnedge.targets.qemu import qemu_command
from rnnedge.targets.tools import require


@contextmanager
def emulated(board: Board, elf: Path) -> Iterator[str]:
    """Emulate a board with a program in it, while the block runs; give the path of its port.

    Raises:
        ToolError: there is no emulator for it, it is not installed, or it ended by itself.
    """
    with emulated_board(board, elf) as bridge:
        yield bridge.port


@contextmanager
def emulated_board(board: Board, elf: Path) -> Iterator[Bridge]:
    """As `emulated`, but give the board: it can be restarted.

    Raises:
        ToolError: as `emulated`.
    """
    with tempfile.TemporaryDirectory(prefix="rnnedge-") as work:
        if board.emulator is not None and board.emulator.program == "simavr":
            command = _simavr(board, elf, Path(work))
        else:
            command = _qemu(board, elf)
        with Bridge(command, name=f"emulated {board.name}", exit_codes=EXIT_CODES) as bridge:
            yield bridge


def qemu_words(board: Board) -> list[str]:
    """Return the command that emulates a board on standard input and output, its counter going.

    Raises:
        ToolError: QEMU is missing.
    """
    program, *options = qemu_command(board)
    shift = board.emulator.icount_shift if board.emulator is not None else None
    counting = [] if shift is None else ["-icount", f"shift={shift}"]
    return [require(program, f"emulate {board.name}"), *options, *counting]


def _qemu(board: Board, elf: Path) -> list[str | Path]:
    read_elf(elf)  # QEMU would take any file
    return [*qemu_words(board), "-kernel", elf.absolute()]


def _simavr(board: Board, elf: Path, work: Path) -> list[str | Path]:
    """Write a flash with the program and without boot loader; return the command that runs it."""
    program = read_elf(elf).segments
    flash = bytearray(b"\xff" * (boot_address(board) + BOOT_BYTES))
    for address, data in program:
        flash[address : address + len(data)] = data
    path = work / "flash.bin"
    path.write_bytes(flash)
    return uno_command(board, path, work, boot=0, fast=True)
