"""The Arduino Uno with its boot loader, in simavr: what a flash tool sees of the real one.

Optiboot is compiled from the source in Debian's arduino-core-avr: the image in that package is
larger than the 512 bytes that the chip has for it. It is GPL, as is simavr: the one is a program on
the emulated chip, the other runs in a process of its own.
"""

import tempfile
from pathlib import Path

from rnnedge.boards.board import Board
from rnnedge.boards.images import Image
from rnnedge.errors import ToolError
from rnnedge.output import write_file
from rnnedge.parts import optiboot
from rnnedge.targets.tools import run

_RUNNER = Path(__file__).with_name("uno_runner.c")
BOOT_BYTES = 512
_ERASED = b"\xff"


def boot_address(board: Board) -> int:
    """Return where the boot loader begins: behind what a program may take."""
    return board.flash.origin + board.flash.size


def boot_loader(board: Board, work: Path) -> bytes:
    """Compile Optiboot and return its 512 bytes.

    Args:
        board: the Uno.
        work: an existing folder.

    Raises:
        ToolError: the Arduino core or avr-gcc is missing, or Optiboot is too large.
    """
    source = optiboot()
    if source is None:
        raise ToolError(
            "Optiboot, the Uno's boot loader, is not installed; "
            "install it: sudo apt-get install arduino-core-avr"
        )
    boot = boot_address(board)
    command: list[str | Path] = [
        *("avr-gcc", f"-mmcu={_chip(board)}", "-w", "-Os", "-mrelax", "-Wl,--relax"),
        *("-fno-split-wide-types", "-fno-inline-small-functions", "-nostartfiles", "-nostdlib"),
        *(f"-DF_CPU={board.clock_hz}L", "-DBAUD_RATE=115200", f"-I{source.parent}"),
        f"-Wl,--section-start=.text={boot:#x}",
        f"-Wl,--section-start=.version={boot + BOOT_BYTES - 2:#x}",
        *(source, "-o", work / "optiboot.elf"),
    ]
    run(command, purpose="compile Optiboot")
    sections = ("-j", ".text", "-j", ".version", "--set-section-flags", ".version=alloc,load")
    copy: list[str | Path] = ["avr-objcopy", "-O", "binary", *sections]
    run([*copy, work / "optiboot.elf", work / "optiboot.bin"], purpose="compile Optiboot")
    code = (work / "optiboot.bin").read_bytes()
    if len(code) != BOOT_BYTES:
        raise ToolError(f"Optiboot takes {len(code)} bytes here, expected {BOOT_BYTES}")
    return code


def new_flash(board: Board, path: Path, program: Image | None = None) -> None:
    """Write a file with the whole flash: the program, if there is one, and the boot loader.

    A file that is there already is kept, but for the program.

    Raises:
        ToolError: the boot loader cannot be built, or the file is no such flash.
        OutputError: the file cannot be written.
    """
    boot = boot_address(board)
    if path.exists():
        flash = bytearray(path.read_bytes())
        if len(flash) != boot + BOOT_BYTES:
            raise ToolError(
                f"{path}: has {len(flash):,} bytes, no flash of {board.title}, which has "
                f"{boot + BOOT_BYTES:,}; name another file"
            )
    else:
        with tempfile.TemporaryDirectory(prefix="rnnedge-") as work:
            flash = bytearray(_ERASED * boot + boot_loader(board, Path(work)))
    if program is not None:
        if program.start < board.flash.origin or program.end > boot:
            raise ToolError(
                f"the program takes addresses {program.start:#x} to {program.end:#x}, "
                f"{board.title} has {board.flash.size:,} bytes for it"
            )
        flash[:boot] = _ERASED * boot
        for address, data in program.segments:
            flash[address : address + len(data)] = data
    write_file(path, bytes(flash))


def uno_command(
    board: Board, flash: Path, work: Path, *, boot: int | None = None, fast: bool = False
) -> list[str | Path]:
    """Return the command that emulates the board from a reset, with the flash in a file.

    It speaks through standard input and output; the chip's own writes go to the file at once.

    Args:
        board: the Uno.
        flash: the file.
        work: an existing folder, for the runner.
        boot: address where the chip starts; None: the boot loader's.
        fast: as fast as it goes, not at the pace of the chip.

    Raises:
        ToolError: no C compiler, or no simavr.
    """
    runner = work / "uno_runner"
    if not runner.exists():
        command: list[str | Path] = ["cc", "-O2", _RUNNER, "-o", runner, "-lsimavr"]
        run(command, purpose="compile the runner of simavr")
    start = boot_address(board) if boot is None else boot
    return [runner, _chip(board), flash, str(start), *(["fast"] if fast else [])]


def _chip(board: Board) -> str:
    if board.emulator is None or board.emulator.program != "simavr":
        raise ToolError(f"{board.name}: is not emulated by simavr")
    return board.emulator.options[0]
