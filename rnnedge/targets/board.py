"""The verify program for a board: how it is built, and what it takes there."""

from pathlib import Path

from rnnedge.boards import Board
from rnnedge.boards.board import MEMORY_LD, common_folder
from rnnedge.boards.overflow import overflow
from rnnedge.errors import ToolError
from rnnedge.targets.build import Toolchain, build
from rnnedge.targets.elf import read_elf
from rnnedge.targets.exported import Exported
from rnnedge.targets.target import Sizes
from rnnedge.targets.tools import ToolFailedError

EXIT_CODES = {
    1: "the program refuses the model or its input",
    3: "the program crashed",
    4: "the stack ran into the data: the model needs more RAM than the board has",
}
"""What the exit codes of the firmware say."""


def build_verify(
    board: Board, toolchain: Toolchain, exported: Exported, work: Path, optimize: str, name: str
) -> Path:
    """Return the verify program of `exported` for `board`, built in the folder `work`.

    Raises:
        ToolError: the compiler is missing or refuses a file, or the program does not fit.
    """
    (work / MEMORY_LD).write_text(board.memory_ld())
    tools = Toolchain(
        compiler=toolchain.compiler,
        flags=(
            *toolchain.flags,
            *("-ffunction-sections", "-fdata-sections"),
            *(f"-D{definition}" for definition in board.definitions),
        ),
        linker=toolchain.linker,
        link_flags=(
            *toolchain.link_flags,
            *(f"-L{work.resolve()}", f"-L{common_folder()}", f"-T{board.linker_script}"),
            "-Wl,--gc-sections",
        ),
    )
    try:
        return build(exported, tools, board.sources, work, optimize, name=name.replace(":", "-"))
    except ToolFailedError as error:
        over = overflow(error.output)
        if not over:
            raise
        raise ToolError(
            f"{name}: the model does not fit into the {next(iter(over))} of {board.name}; "
            "take fewer units, or another target"
        ) from None


def sizes(program: Path) -> Sizes:
    """Return what runtime and model take in `program`.

    Raises:
        ToolError: the ELF lacks what the linker scripts and the application keep apart.
    """
    elf = read_elf(program)
    try:
        return Sizes(
            code_bytes=elf.sections[".rnnedge_code"],
            const_bytes=elf.sections[".rnnedge_const"],
            ram_bytes=elf.symbols["app_state"].size + elf.symbols["app_scratch"].size,
            program_flash_bytes=elf.flash_bytes,
            program_ram_bytes=elf.ram_bytes,
        )
    except KeyError as error:
        raise ToolError(f"{program.name}: the program has no {error}") from None
