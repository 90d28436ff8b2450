"""The firmware of a board, built by CMake out of an exported package.

CMake and Ninja come with pip, as rnnedge itself: the compiler is all that a user has to install.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rnnedge.boards.board import Board
from rnnedge.boards.fit import lacking
from rnnedge.boards.overflow import overflow
from rnnedge.errors import FitError, ModelError, ToolError
from rnnedge.targets.cores import find_core
from rnnedge.targets.elf import read_elf
from rnnedge.targets.exported import open_exported
from rnnedge.targets.tools import ToolFailedError, require, run, telling

FIRMWARE_FOLDER = "extras/firmware"
OPTIMIZE = ("speed", "size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """A program for a board.

    Attributes:
        board: what it is for.
        name: of the model in it.
        elf: the program; hex and bin are its images.
        flash_bytes: code, constants and initial values.
        ram_bytes: variables, without stack.
        optimize: "speed" or "size".
        remark: why it was built for size, or nothing.
    """

    board: Board
    name: str
    elf: Path
    hex: Path
    bin: Path
    flash_bytes: int
    ram_bytes: int
    optimize: str
    remark: str = ""

    @property
    def choice(self) -> str:
        """What it was built for, as a sentence."""
        flag = {"speed": "-O3", "size": "-Os"}[self.optimize]
        return f"built for {self.optimize} ({flag}){self.remark}"


def build(
    board: Board,
    package: Path,
    work: Path,
    *,
    optimize: str | None = None,
    app: str = "serial",
) -> Firmware:
    """Build the firmware of `board`, as its user would: with CMake and the package alone.

    Args:
        board: one whose core has a compiler here.
        package: a folder of rnnedge export with the format cmake; it is only read.
        work: folder of the build, made if it is not there.
        optimize: "speed" or "size"; None: what CMake takes by itself, of board.toml.
        app: a file of extras/firmware/app.

    Raises:
        ModelError: no such package.
        ToolError: another build system has this board, or a tool is missing or fails.
        FitError: the program is too large.
    """
    toolchain = find_core(board.core).toolchain
    if toolchain is None:
        raise ToolError(" ".join([f"{board.name}: has no firmware of its own.", *board.remarks]))
    exported = open_exported(package)
    source = package / FIRMWARE_FOLDER
    if not (source / "CMakeLists.txt").is_file():
        raise ModelError(
            f"{source}: no firmware in this package; export it with --format cmake or all"
        )
    optimize = optimize or board.optimize
    purpose = f"build the firmware of {board.name}"
    compiler = require(toolchain.compiler, purpose)
    require(f"{toolchain.compiler.removesuffix('gcc')}objcopy", purpose)
    cmake, ninja = require("cmake", purpose), require("ninja", purpose)
    defined = {
        "CMAKE_MAKE_PROGRAM": ninja,
        "BOARD": board.name,
        "BOARD_CC": compiler,
        "APP": app,
        "RNNEDGE_OPTIMIZE": optimize,
    }
    words = [f"-D{key}={value}" for key, value in defined.items()]
    _cmake(board, [cmake, "-G", "Ninja", "-S", source, "-B", work, *words], purpose)
    _cmake(board, [cmake, "--build", work], purpose)
    elf = work / f"{exported.name}-{board.name}.elf"
    sizes = read_elf(elf)
    return Firmware(
        board=board,
        name=exported.name,
        elf=elf,
        hex=elf.with_suffix(".hex"),
        bin=elf.with_suffix(".bin"),
        flash_bytes=sizes.flash_bytes,
        ram_bytes=sizes.ram_bytes,
        optimize=optimize,
    )


def build_fastest(
    board: Board, package: Path, work: Path, *, optimize: str | None = None
) -> Firmware:
    """Build the firmware of `board` for speed or, where that does not fit, for size.

    Args:
        board: as for `build`.
        package: as for `build`.
        work: as for `build`.
        optimize: "speed" or "size": that, and no other.

    Raises:
        RnnedgeError: as `build`.
    """
    try:
        return build(board, package, work, optimize=optimize or "speed")
    except FitError as error:
        if optimize is not None or "flash" not in error.over:  # variables stay as large
            raise
        remark = f"; for speed it is {lacking(error.over)}"
    return replace(build(board, package, work, optimize="size"), remark=remark)


def _cmake(board: Board, command: Sequence[str | Path], purpose: str) -> None:
    try:
        run(command, purpose=purpose)
    except ToolFailedError as error:
        over = overflow(error.output)
        if over:
            raise FitError(_too_large(board, over), over) from None
        said = telling(error.output)
        line = f"cmake: failed to {purpose}: {said}" if said else str(error)
        raise ToolError(line) from None


def _too_large(board: Board, over: Mapping[str, int]) -> str:
    parts = [f"{count:,} bytes of {name}" if count else name for name, count in over.items()]
    return (
        f"{board.name}: the program does not fit: it lacks {' and '.join(parts)}; "
        "take fewer units, or another board"
    )
