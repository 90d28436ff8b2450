"""The cores that models run on: machine, board, compiler and flags of each."""

from dataclasses import replace

from rnnedge.targets.board import Board
from rnnedge.targets.build import Toolchain
from rnnedge.targets.qemu import Qemu
from rnnedge.targets.simavr import Simavr

_HARD = ("-mfloat-abi=hard",)


def _arm(name: str, machine: str, *flags: str) -> Qemu:
    core = (f"-mcpu={name}", "-mthumb", *flags)
    return Qemu(
        name=name,
        emulator="qemu-system-arm",
        options=("-M", machine, "-semihosting-config", "enable=on,target=native"),
        board=Board(
            folder=machine.replace("-", "_"),
            common=("cortex_m.c", "start.c", "port.c"),
            toolchain=Toolchain(
                compiler="arm-none-eabi-gcc",
                flags=(*core, "--specs=nano.specs"),
                link_flags=("-nostartfiles",),
            ),
        ),
    )


_RV32 = Qemu(
    name="rv32",
    emulator="qemu-system-riscv32",
    options=("-M", "virt", "-bios", "none"),
    board=Board(
        folder="riscv_virt",
        common=("start.c", "port.c", "memory.c"),
        toolchain=Toolchain(
            compiler="riscv64-unknown-elf-gcc",
            # without a C library even <stdint.h> is the compiler's only where it is told so
            flags=("-march=rv32imc", "-mabi=ilp32", "-ffreestanding"),
            link_flags=("-nostdlib", "-lgcc"),
        ),
    ),
)

_AVR = Simavr(
    name="avr",
    chip="atmega328p",
    board=Board(
        folder="atmega328p",
        common=("port.c",),
        toolchain=Toolchain(compiler="avr-gcc", flags=("-mmcu=atmega328p", "-mrelax")),
    ),
)

CORES: tuple[Qemu | Simavr, ...] = (
    _arm("cortex-m0", "microbit"),
    _arm("cortex-m3", "mps2-an385"),
    _arm("cortex-m4", "mps2-an386", *_HARD, "-mfpu=fpv4-sp-d16"),
    _arm("cortex-m7", "mps2-an500", *_HARD, "-mfpu=fpv5-sp-d16"),
    _arm("cortex-m33", "mps2-an505", *_HARD, "-mfpu=fpv5-sp-d16"),
    _arm("cortex-m55", "mps3-an547", *_HARD),
    _RV32,
    _AVR,
)


def with_clang(core: Qemu | Simavr) -> Qemu | None:
    """Return an Arm core with clang for the C files and gcc's linker and libraries; else None."""
    gcc = core.board.toolchain
    if gcc.compiler != "arm-none-eabi-gcc" or not isinstance(core, Qemu):
        return None
    clang = Toolchain(
        compiler="clang",
        flags=(
            *("--target=arm-none-eabi", *(flag for flag in gcc.flags if flag.startswith("-m"))),
            "-ffreestanding",
        ),
        linker=gcc.compiler,
        link_flags=(*gcc.flags, *gcc.link_flags),
    )
    return replace(core, name=f"{core.name}:clang", board=replace(core.board, toolchain=clang))
