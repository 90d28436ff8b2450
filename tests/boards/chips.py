"""The program chip.c on every board: built, emulated, spoken to."""

import struct
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from rnnedge.boards import Board, find_board
from rnnedge.boards.board import BOARDS, MEMORY_LD, common_folder
from rnnedge.targets.build import OPTIMIZE, STRICT, Toolchain, firmware
from rnnedge.targets.cores import find_core
from rnnedge.targets.simavr import _runner
from rnnedge.targets.tools import require, run

CHIP = Path(__file__).with_name("chip.c")
BARE = [board for board in BOARDS if find_core(board.core).toolchain is not None]
BARE += [find_board("riscv_virt", unlisted=True)]
EMULATED = [board for board in BARE if board.emulator is not None]
QEMU = [board for board in EMULATED if board.core != "avr"]
SEMIHOSTING = ("-semihosting-config", "enable=on,target=native")
END = b"x\0"


def name(value: object) -> str:
    return value.name if isinstance(value, Board) else str(value)


def build(board: Board, work: Path, *, compiler: str = "gcc", optimize: str = "speed") -> Path:
    """Compile chip.c for a board under every warning."""
    core = find_core(board.core)
    tools = core.toolchain if compiler == "gcc" else core.with_clang()
    assert tools is not None
    (work / MEMORY_LD).write_text(board.memory_ld())
    link(board, work, compile_all(board, work, tools, optimize), tools)
    return work / "chip.elf"


def compile_all(board: Board, work: Path, tools: Toolchain, optimize: str) -> list[str]:
    includes = [f"-I{path}" for path in (firmware("app"), common_folder(), board.folder)]
    defines = [f"-D{definition}" for definition in board.definitions]
    sections = ["-ffunction-sections", "-fdata-sections"]
    objects = []
    for source in (CHIP, *board.sources):
        objects.append(f"app_{source.parent.name}_{source.name}.o")
        flags = [*OPTIMIZE[optimize].split(), *tools.flags, *STRICT, *includes, *defines, *sections]
        run(
            [tools.compiler, *flags, "-c", source, "-o", objects[-1]],
            purpose="compile a board",
            folder=work,
        )
    return objects


def link(board: Board, work: Path, objects: Sequence[str], tools: Toolchain) -> None:
    run(
        [
            *(tools.linker or tools.compiler, *(() if tools.linker else tools.flags), *objects),
            *(*tools.link_flags, f"-L{work}", f"-L{common_folder()}", f"-T{board.linker_script}"),
            *("-Wl,--gc-sections", "-o", "chip.elf"),
        ],
        purpose="link a board",
        folder=work,
    )


def command(board: Board, program: Path, *options: str) -> list[str | Path]:
    """Return the command that emulates `program`, its serial line on stdin and stdout."""
    assert board.emulator is not None
    if board.core == "avr":
        image = program.with_suffix(".bin")
        run(["avr-objcopy", "-O", "binary", program, image], purpose="make an image")
        return [_runner(program.parent), *board.emulator.options, image]
    return [
        *(require(board.emulator.program, "emulate boards"), *board.emulator.options),
        *("-display", "none", "-monitor", "none", "-kernel", program),
        *("-chardev", "stdio,id=uart,signal=off", "-serial", "chardev:uart", *options),
    ]


@contextmanager
def emulated(
    board: Board, program: Path, *options: str
) -> Iterator[tuple["subprocess.Popen[bytes]", BinaryIO, BinaryIO]]:
    """Emulate a program: the process, what goes into its serial line, what comes out."""
    words = command(board, program, *options)
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    late = threading.Timer(120, process.kill)
    late.start()
    try:
        with process:
            yield process, cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
            process.kill()
    finally:
        late.cancel()
        process.kill()


def talk(board: Board, program: Path, commands: bytes, *options: str, code: int = 0) -> bytes:
    """Run commands, which end with exit code `code`, and return the answers.

    As on a board, what is sent before it says that it is there may be lost (the runner of simavr,
    though, holds it and answers in the end).
    """
    with emulated(board, program, *SEMIHOSTING, *options) as (process, _, output):
        word = b"" if board.core == "avr" else output.read(4)
        answer, _ = process.communicate(commands)
        assert process.returncode == code
    assert (word + answer)[:4] == b"boot"
    return (word + answer)[4:]


def icount(board: Board) -> tuple[str, ...]:
    """Return the options under which an instruction takes a time, the same each."""
    assert board.emulator is not None
    shift = board.emulator.icount_shift
    return () if shift is None else ("-icount", f"shift={shift}")


def number(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)
