"""The cores that models are compiled for: compiler, flags and kernel of each."""

from dataclasses import dataclass

from rnnedge.errors import ToolError
from rnnedge.targets.build import Toolchain

ARM_GCC = "arm-none-eabi-gcc"
_HARD = ("-mfloat-abi=hard",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """A core and its compiler.

    Attributes:
        name: as in the description of a board.
        title: as people say it.
        kernel: the one that the compiler chooses (firmware/include/rnnedge.h).
        toolchain: compiler and flags, without linker script; None: another build system has them.
    """

    name: str
    title: str
    kernel: str
    toolchain: Toolchain | None

    def with_clang(self) -> Toolchain | None:
        """Return clang for the C files of an Arm core, with gcc's linker and libraries."""
        gcc = self.toolchain
        if gcc is None or gcc.compiler != ARM_GCC:
            return None
        return Toolchain(
            compiler="clang",
            flags=(
                *("--target=arm-none-eabi", *(x for x in gcc.flags if x.startswith("-m"))),
                "-ffreestanding",
            ),
            linker=gcc.compiler,
            link_flags=(*gcc.flags, *gcc.link_flags),
        )


def _arm(name: str, title: str, kernel: str, *flags: str) -> Core:
    return Core(
        name=name,
        title=title,
        kernel=kernel,
        toolchain=Toolchain(
            compiler=ARM_GCC,
            flags=(f"-mcpu={name}", "-mthumb", *flags, "--specs=nano.specs"),
            link_flags=("-nostartfiles",),
        ),
    )


CORES: dict[str, Core] = {
    core.name: core
    for core in (
        _arm("cortex-m0", "Cortex-M0", "quad"),
        _arm("cortex-m0plus", "Cortex-M0+", "quad"),
        _arm("cortex-m3", "Cortex-M3", "quad"),
        _arm("cortex-m4", "Cortex-M4F", "dsp", *_HARD, "-mfpu=fpv4-sp-d16"),
        _arm("cortex-m7", "Cortex-M7", "dsp", *_HARD, "-mfpu=fpv5-sp-d16"),
        _arm("cortex-m33", "Cortex-M33", "dsp", *_HARD, "-mfpu=fpv5-sp-d16"),
        _arm("cortex-m55", "Cortex-M55", "mve", *_HARD),
        Core(
            name="rv32",
            title="RV32IMC",
            kernel="quad",
            toolchain=Toolchain(
                compiler="riscv64-unknown-elf-gcc",
                # without a C library even <stdint.h> is the compiler's only where it is told so
                flags=("-march=rv32imc", "-mabi=ilp32", "-ffreestanding"),
                link_flags=("-nostdlib", "-lgcc"),
            ),
        ),
        Core(
            name="avr",
            title="AVR",
            kernel="avr",
            toolchain=Toolchain(compiler="avr-gcc", flags=("-mmcu=atmega328p", "-mrelax")),
        ),
        Core(name="xtensa", title="Xtensa LX6", kernel="rows", toolchain=None),
    )
}


def find_core(name: str) -> Core:
    """Return a core by name.

    Raises:
        ToolError: unknown; lists the known ones.
    """
    if name not in CORES:
        raise ToolError(f"core {name!r} is not known; there are {', '.join(CORES)}")
    return CORES[name]
