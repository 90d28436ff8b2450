"""AVR in simavr: windows over the emulated UART, exact counts of cycles."""

from dataclasses import dataclass
from pathlib import Path

from rnnedge.arrays import F32, I16
from rnnedge.boards import Board
from rnnedge.targets import counter
from rnnedge.targets.board import EXIT_CODES, build_verify, sizes
from rnnedge.targets.build import Toolchain
from rnnedge.targets.elf import Elf, read_elf
from rnnedge.targets.exported import Exported
from rnnedge.targets.stream import Answer, Request, parse, request
from rnnedge.targets.target import Measured, Sizes
from rnnedge.targets.tools import run

_RUNNER = Path(__file__).with_name("simavr_runner.c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Simavr:
    """An AVR in simavr.

    simavr is GPL: it runs in a process of its own, which is compiled from simavr_runner.c.

    Attributes:
        name: target name.
        chip: simavr's name of it.
        board: one with that chip.
        toolchain: for its core.
        windows: windows that verification runs unless told.
    """

    name: str
    chip: str
    board: Board
    toolchain: Toolchain
    unit: str = "cycles"
    windows: int | None = 4

    def compiler_version(self) -> str:
        """Return the compiler's name and version."""
        return self.toolchain.version()

    def build(self, exported: Exported, work: Path, optimize: str = "speed") -> Path:
        """Return the program for `exported`, built in the folder `work`."""
        return build_verify(self.board, self.toolchain, exported, work, optimize, self.name)

    def run(self, program: Path, x: F32 | I16 | Request) -> Answer:
        """Run windows (windows, steps, channels) and return every state and score."""
        return self._emulate(program, x, read_elf(program), ())

    def sizes(self, program: Path) -> Sizes:
        """Return what runtime and model take in `program`."""
        return sizes(program)

    def measure(self, program: Path, x: F32 | I16 | Request) -> Measured:
        """Run windows and count the cycles of every step."""
        elf = read_elf(program)
        marks = counter.markers(elf, program)
        counting = (str(marks.begin), str(marks.end), str(marks.steps), str(marks.addresses))
        answer = self._emulate(program, x, elf, counting)
        return counter.measured(answer, marks, elf)

    def _emulate(
        self, program: Path, x: F32 | I16 | Request, elf: Elf, counting: tuple[str, ...]
    ) -> Answer:
        image = program.with_suffix(".bin")
        flash = bytearray()
        for address, data in elf.segments:
            flash[address:] = data.rjust(len(data) + max(address - len(flash), 0), b"\xff")
        image.write_bytes(flash)
        output = run(
            [_runner(program.parent), self.chip, image, *counting],
            purpose=f"emulate {self.name}",
            data=request(x),
            timeout=60 + Request.of(x).size / 100,
            exit_codes=EXIT_CODES,
        )
        return parse(output, x, self.name)


def _runner(work: Path) -> Path:
    """Compile the runner into `work` and return it.

    Raises:
        ToolError: no C compiler, or no simavr.
    """
    program = work / "simavr_runner"
    if not program.exists():
        command: list[str | Path] = ["cc", "-O2", _RUNNER, "-o", program, "-lsimavr"]
        run(command, purpose="compile the runner of simavr")
    return program
