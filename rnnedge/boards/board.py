"""The description of a board: the board.toml in its folder of firmware/boards.

This module depends on nothing but the errors, so that targets and packages can import it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from rnnedge.boards.fields import Fields
from rnnedge.errors import ToolError

DESCRIPTION = "board.toml"
MEMORY_LD = "memory.ld"
EMULATORS = ("qemu-system-arm", "qemu-system-riscv32", "simavr")
IMAGES = ("hex", "bin", "elf", "uf2")
PROJECTS = ("", "esp_idf", "zephyr")
_BOARDS = Path(str(resources.files("rnnedge.firmware"))) / "boards"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A memory of a chip.

    Attributes:
        origin: address of its first byte.
        size: bytes that a program may take.
    """

    origin: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """How a board is emulated.

    Attributes:
        program: "qemu-system-..." or "simavr".
        options: of QEMU: the machine; of simavr: its name of the chip.
        unit: what the board's counter counts there: "instructions" or "cycles".
        icount_shift: of QEMU: an instruction takes 2^this ns.
        ticks_per_instruction: of the board's counter, where it counts instructions.
    """

    program: str
    options: tuple[str, ...]
    unit: str
    icount_shift: int | None
    ticks_per_instruction: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashTool:
    """A program that writes an image to the board.

    Attributes:
        tool: its name; "copy": the image is copied to the drive that the board shows.
        image: what it takes, one of IMAGES.
        command: its words; {image}, {port}, {drive} and {project} are replaced.
        remark: what a user has to know or do, may be empty.
        drive: of "copy": name of the drive, may be empty.
        connect: of "copy": what makes the drive appear, if more than connecting the board.
        project: "esp_idf" or "zephyr": it writes what that build system makes of the package's
            example of this name; "": the image that CMake builds.
        build: of a project: the words of the command that builds it before, may be empty.
    """

    tool: str
    image: str
    command: tuple[str, ...]
    remark: str
    drive: str = ""
    connect: str = ""
    project: str = ""
    build: tuple[str, ...] = ()

    @property
    def needs_port(self) -> bool:
        """Whether the command names a serial port."""
        return any("{port}" in word for word in self.command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A board as its board.toml describes it.

    Attributes:
        name: of its folder, and on the command line.
        title: as its maker calls it.
        chip: the microcontroller.
        core: name of a core of rnnedge.targets.cores.
        clock_hz: of the core, as the firmware sets it up.
        flash: what a program may take, boot loaders left out.
        ram: all of it, the stack included.
        stack: bytes of RAM that are kept free for the stack.
        optimize: "speed" or "size": what CMake builds by itself; rnnedge flash takes speed wherever
            that fits.
        common: files of firmware/boards/common that belong to it.
        emulator: None: there is none.
        flash_tools: the preferred one first.
        usb: "vendor:product" of the USB interfaces that its serial port may be on.
        remarks: sentences for who uses it.
        listed: False: the machine of a target, no board that one can buy.
    """

    name: str
    title: str
    chip: str
    core: str
    clock_hz: int
    flash: Memory
    ram: Memory
    stack: int
    optimize: str
    common: tuple[str, ...]
    emulator: Emulator | None
    flash_tools: tuple[FlashTool, ...]
    usb: tuple[str, ...]
    remarks: tuple[str, ...]
    listed: bool

    @property
    def folder(self) -> Path:
        """Its folder in the shipped sources."""
        return _BOARDS / self.name

    @property
    def sources(self) -> list[Path]:
        """The C and assembler files that make a program run on it, its own first."""
        own = [path for path in sorted(self.folder.iterdir()) if path.suffix in (".c", ".S")]
        return own + [common_folder() / name for name in self.common]

    @property
    def definitions(self) -> tuple[str, ...]:
        """Macros that those files are compiled with."""
        return (f"BOARD_CLOCK={self.clock_hz}",)

    @property
    def linker_script(self) -> Path:
        """Its own sections.ld, or that of firmware/boards/common."""
        own = self.folder / "sections.ld"
        return own if own.is_file() else common_folder() / own.name

    def memory_ld(self) -> str:
        """Return memory.ld, which sections.ld includes.

        RAM ends where the stack's reserve begins: the linker says by how much a program is too
        large, that reserve included.
        """
        top = self.ram.origin + self.ram.size
        return (
            f"/* memory.ld -- GENERATED from {DESCRIPTION}. {self.title}. Do not edit. */\n"
            "MEMORY {\n"
            f"    FLASH (rx)  : ORIGIN = 0x{self.flash.origin:08X}, LENGTH = {self.flash.size}\n"
            f"    RAM   (rwx) : ORIGIN = 0x{self.ram.origin:08X}, "
            f"LENGTH = {self.ram.size - self.stack}\n"
            "}\n"
            f"_stack_size = {self.stack};\n"
            f"_stack_top = 0x{top:08X};\n"
        )


def common_folder() -> Path:
    """Return firmware/boards/common."""
    return _BOARDS / "common"


def read_board(name: str, text: str, where: str) -> Board:
    """Return the board that a board.toml describes.

    Args:
        name: of its folder.
        text: the file.
        where: its path, for errors.

    Raises:
        ToolError: not TOML, a field is missing, unknown or wrong.
    """
    try:
        fields = Fields(tomllib.loads(text), where)
    except tomllib.TOMLDecodeError as error:
        raise ToolError(f"{where}: not TOML ({error})") from None
    emulator = fields.optional_table("emulator")
    board = Board(
        name=name,
        title=fields.text("title"),
        chip=fields.text("chip"),
        core=fields.text("core"),
        clock_hz=fields.number("clock_hz", 1_000_000, 10**9),
        flash=_memory(fields.table("flash")),
        ram=_memory(fields.table("ram")),
        stack=fields.number("stack", 64, 1 << 20),
        optimize=fields.choice("optimize", ("speed", "size"), default="speed"),
        common=fields.texts("common"),
        emulator=None if emulator is None else _emulator(emulator),
        flash_tools=tuple(map(_tool, fields.tables("tool"))),
        usb=fields.texts("usb"),
        remarks=fields.texts("remarks"),
        listed=fields.flag("listed", default=True),
    )
    fields.finish()
    if board.stack >= board.ram.size:
        raise ToolError(f"{where}: stack is {board.stack}, more than the RAM has")
    return board


@cache
def _all() -> Mapping[str, Board]:
    boards = {}
    for path in sorted(_BOARDS.glob(f"*/{DESCRIPTION}")):
        name = path.parent.name
        boards[name] = read_board(name, path.read_text(), f"firmware/boards/{name}/{DESCRIPTION}")
    return boards


def find_board(name: str, *, unlisted: bool = False) -> Board:
    """Return a board by name.

    Args:
        name: of its folder.
        unlisted: whether it may be the machine of a target.

    Raises:
        ToolError: unknown; lists the known ones.
    """
    board = _all().get(name)
    if board is None or not (board.listed or unlisted):
        known = ", ".join(board.name for board in BOARDS)
        raise ToolError(f"board {name!r} is not known; there are {known}")
    return board


def _memory(fields: Fields) -> Memory:
    memory = Memory(
        origin=fields.number("origin", 0, 2**32 - 1), size=fields.number("size", 256, 1 << 30)
    )
    fields.finish()
    return memory


def _emulator(fields: Fields) -> Emulator:
    unit = fields.choice("unit", ("instructions", "cycles"))
    counts_instructions = unit == "instructions"
    emulator = Emulator(
        program=fields.choice("program", EMULATORS),
        options=fields.texts("options"),
        unit=unit,
        icount_shift=fields.number("icount_shift", 0, 10) if counts_instructions else None,
        ticks_per_instruction=fields.real("ticks_per_instruction") if counts_instructions else None,
    )
    fields.finish()
    return emulator


def _tool(fields: Fields) -> FlashTool:
    tool = FlashTool(
        tool=fields.text("name"),
        image=fields.choice("image", IMAGES),
        command=fields.texts("command"),
        remark=fields.text("remark", default=""),
        drive=fields.text("drive", default=""),
        connect=fields.text("connect", default=""),
        project=fields.choice("project", PROJECTS, default=""),
        build=fields.texts("build"),
    )
    fields.finish()
    return tool


BOARDS: tuple[Board, ...] = tuple(board for board in _all().values() if board.listed)
"""Every board that one can name, by name."""
