"""Emulated Arm boards: qemu-system-arm, windows over the emulated UART, exact counts."""

import re
from dataclasses import dataclass
from pathlib import Path

from rnnedge.arrays import F32, I16
from rnnedge.errors import ToolError
from rnnedge.targets import counter
from rnnedge.targets.build import Toolchain, build, firmware
from rnnedge.targets.exported import Exported
from rnnedge.targets.stream import Answer, parse, request
from rnnedge.targets.target import Measured, Sizes
from rnnedge.targets.tools import run

_TRIPLE = "arm-none-eabi-"


@dataclass(frozen=True, slots=True, kw_only=True)
class QemuArm:
    """An Arm core on one of QEMU's boards.

    Attributes:
        name: target name.
        machine: QEMU machine.
        board: folder of firmware/boards.
        flags: core flags of gcc.
        windows: windows that verification runs unless told.
    """

    name: str
    machine: str
    board: str
    flags: tuple[str, ...]
    windows: int | None = 32

    def build(self, exported: Exported, work: Path, optimize: str = "speed") -> Path:
        """Return the program for `exported`, built in the folder `work`."""
        board = firmware(f"boards/{self.board}")
        toolchain = Toolchain(
            compiler=f"{_TRIPLE}gcc",
            flags=(*self.flags, "-ffunction-sections", "-fdata-sections", "--specs=nano.specs"),
            link_flags=("-nostartfiles", f"-T{board / 'board.ld'}", "-Wl,--gc-sections"),
        )
        return build(exported, toolchain, [board / "board.c"], work, optimize)

    def run(self, program: Path, x: F32 | I16) -> Answer:
        """Run windows (windows, steps, channels) and return every state and score."""
        return self._emulate(program, x, ())

    def compiler(self) -> str:
        """Return the compiler's name and version."""
        version = run([f"{_TRIPLE}gcc", "-dumpfullversion"], purpose="tell its version")
        return f"{_TRIPLE}gcc {version.decode().strip()}"

    def sizes(self, program: Path) -> Sizes:
        """Return what runtime and model take in `program`.

        Raises:
            ToolError: the ELF lacks the sections that firmware/boards keeps apart.
        """
        text = run([f"{_TRIPLE}size", "-A", program], purpose="read sizes").decode(errors="replace")
        rows = [line.split() for line in text.splitlines()]
        try:
            sections = {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[0][0] == "."}
            symbols = self._symbols(program)
            return Sizes(
                code_bytes=sections[".rnnedge_code"],
                const_bytes=sections[".rnnedge_const"],
                ram_bytes=symbols["app_state"][1] + symbols["app_scratch"][1],
            )
        except (KeyError, ValueError) as error:
            raise ToolError(
                f"{_TRIPLE}size: unexpected answer for {program.name}: {error}"
            ) from None

    def measure(self, program: Path, x: F32 | I16) -> Measured:
        """Run windows and count the instructions of every step."""
        symbols = self._symbols(program)
        markers = [symbols.get(name, (0,))[0] for name in ("app_count_begin", "app_count_end")]
        if not all(markers):
            raise ToolError(f"{_TRIPLE}nm: finds no marker functions in {program.name}")
        plugin = counter.plugin(program.parent)
        counts = program.parent / "counts.txt"
        option = f"file={plugin},begin={markers[0]},end={markers[1]},out={counts}"
        answer = self._emulate(program, x, ("-plugin", option))
        return Measured(answer=answer, instructions=counter.read(counts))

    def _symbols(self, program: Path) -> dict[str, tuple[int, int]]:
        """Return {name: (address, size)} of the program's symbols."""
        text = run([f"{_TRIPLE}nm", "-S", program], purpose="read symbols").decode(errors="replace")
        rows = [line.split() for line in text.splitlines()]
        numbers = re.compile("[0-9a-f]+")
        # bit 0 of a function's address says Thumb
        return {
            row[3]: (int(row[0], 16) & ~1, int(row[1], 16))
            for row in rows
            if len(row) == 4 and numbers.fullmatch(row[0]) and numbers.fullmatch(row[1])
        }

    def _emulate(self, program: Path, x: F32 | I16, options: tuple[str, ...]) -> Answer:
        command: list[str | Path] = [
            *("qemu-system-arm", "-M", self.machine, "-kernel", program),
            *("-display", "none", "-monitor", "none"),
            *("-chardev", "stdio,id=uart,signal=off", "-serial", "chardev:uart"),
            *("-semihosting-config", "enable=on,target=native"),
        ]
        output = run(
            [*command, *options],
            purpose=f"emulate {self.name}",
            data=request(x),
            timeout=60 + x.size / 10_000,
        )
        return parse(output, x.shape[0], x.shape[1], self.name)


CORTEX_M4 = QemuArm(
    name="cortex-m4",
    machine="mps2-an386",
    board="mps2_an386",
    flags=("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
)
