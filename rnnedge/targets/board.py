"""The boards of firmware/boards: how a program for one is built, and what it takes there."""

import re
from dataclasses import dataclass
from pathlib import Path

from rnnedge.errors import ToolError
from rnnedge.targets.build import Toolchain, build, firmware
from rnnedge.targets.elf import read_elf
from rnnedge.targets.exported import Exported
from rnnedge.targets.target import Sizes

EXIT_CODES = {
    1: "the program refuses the model or its input",
    3: "the program crashed",
    4: "the stack ran into the data: the model needs more RAM than the board has",
}
"""What the exit codes of the firmware say."""

_FULL = re.compile(
    "will not fit in region .(FLASH|RAM)|region .(FLASH|RAM). overflow|RAM is full|"
    "size of array .* is too large"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A folder of firmware/boards with its compiler.

    Attributes:
        folder: name of the folder.
        common: files of firmware/boards/common that belong to it.
        toolchain: compiler and flags, without the linker script.
    """

    folder: str
    common: tuple[str, ...]
    toolchain: Toolchain

    def build(self, exported: Exported, work: Path, optimize: str, name: str) -> Path:
        """Return the program for `exported`, built in the folder `work`.

        Raises:
            ToolError: the compiler is missing or refuses a file, or the program does not fit.
        """
        own, common = (firmware(f"boards/{name}") for name in (self.folder, "common"))
        tools = self.toolchain
        toolchain = Toolchain(
            compiler=tools.compiler,
            flags=(*tools.flags, "-ffunction-sections", "-fdata-sections"),
            linker=tools.linker,
            link_flags=(
                *tools.link_flags,
                *(f"-L{common}", f"-T{own / 'board.ld'}", "-Wl,--gc-sections"),
            ),
        )
        sources = [path for path in sorted(own.iterdir()) if path.suffix in (".c", ".S")]
        sources += [common / file for file in self.common]
        try:
            return build(exported, toolchain, sources, work, optimize, name=name.replace(":", "-"))
        except ToolError as error:
            full = _FULL.search(str(error))
            if full is None:
                raise
            memory = "RAM" if "RAM" in full.group() else "flash"
            raise ToolError(
                f"{name}: the model does not fit into the {memory} of {self.folder}; "
                "take fewer units, or another target"
            ) from None

    def sizes(self, program: Path) -> Sizes:
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
