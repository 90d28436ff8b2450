"""Cores on QEMU's boards: windows over the emulated UART, exact counts of instructions."""

from dataclasses import dataclass
from pathlib import Path

from rnnedge.arrays import F32, I16
from rnnedge.boards import Board
from rnnedge.errors import ToolError
from rnnedge.targets import counter
from rnnedge.targets.board import EXIT_CODES, build_verify, sizes
from rnnedge.targets.build import Toolchain
from rnnedge.targets.elf import read_elf
from rnnedge.targets.exported import Exported
from rnnedge.targets.stream import Answer, Request, parse, request
from rnnedge.targets.target import Measured, Sizes
from rnnedge.targets.tools import run


def qemu_command(board: Board) -> list[str]:
    """Return the command that emulates `board`, its UART on standard input and output."""
    if board.emulator is None:
        raise ToolError(f"{board.name}: this board has no emulator")
    return [
        *(board.emulator.program, *board.emulator.options),
        *("-semihosting-config", "enable=on,target=native"),  # how most programs end
        *("-display", "none", "-monitor", "none"),
        *("-chardev", "stdio,id=uart,signal=off", "-serial", "chardev:uart"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Qemu:
    """A core on one of QEMU's boards.

    Attributes:
        name: target name.
        board: emulated by QEMU.
        toolchain: for its core.
        windows: windows that verification runs unless told.
    """

    name: str
    board: Board
    toolchain: Toolchain
    unit: str = "instructions"
    windows: int | None = 32

    def compiler_version(self) -> str:
        """Return the compiler's name and version."""
        return self.toolchain.version()

    def build(self, exported: Exported, work: Path, optimize: str = "speed") -> Path:
        """Return the program for `exported`, built in the folder `work`."""
        return build_verify(self.board, self.toolchain, exported, work, optimize, self.name)

    def run(self, program: Path, x: F32 | I16 | Request) -> Answer:
        """Run windows (windows, steps, channels) and return every state and score."""
        return self._emulate(program, x, ())

    def sizes(self, program: Path) -> Sizes:
        """Return what runtime and model take in `program`."""
        return sizes(program)

    def measure(self, program: Path, x: F32 | I16 | Request) -> Measured:
        """Run windows and count the instructions of every step."""
        elf = read_elf(program)
        marks = counter.markers(elf, program)
        plugin = counter.plugin(program.parent, qemu_command(self.board)[0])
        option = (
            f"file={plugin},begin={marks.begin},end={marks.end},"
            f"steps={marks.steps},addresses={marks.addresses}"
        )
        answer = self._emulate(program, x, ("-plugin", option))
        return counter.measured(answer, marks, elf)

    def _emulate(self, program: Path, x: F32 | I16 | Request, options: tuple[str, ...]) -> Answer:
        output = run(
            [*qemu_command(self.board), "-kernel", program, *options],
            purpose=f"emulate {self.name}",
            data=request(x),
            timeout=60 + Request.of(x).size / 10_000,
            exit_codes=EXIT_CODES,
        )
        return parse(output, x, self.name)
