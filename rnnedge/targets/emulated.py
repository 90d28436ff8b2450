"""The targets that are emulated: a core on one of the boards that have an emulator."""

from dataclasses import replace

from rnnedge.boards import find_board
from rnnedge.targets.build import Toolchain
from rnnedge.targets.cores import find_core
from rnnedge.targets.qemu import Qemu
from rnnedge.targets.simavr import Simavr

_BOARDS = {
    "cortex-m0": "microbit",
    "cortex-m3": "mps2_an385",
    "cortex-m4": "mps2_an386",
    "cortex-m7": "mps2_an500",
    "cortex-m33": "mps2_an505",
    "cortex-m55": "mps3_an547",
    "rv32": "riscv_virt",
}
_AVR_BAUD = "-DBOARD_BAUD=2000000"  # as fast as its UART goes


def _qemu(core: str, board: str) -> Qemu:
    return Qemu(name=core, board=find_board(board, unlisted=True), toolchain=_toolchain(core))


def _simavr() -> Simavr:
    tools = _toolchain("avr")
    return Simavr(
        name="avr",
        chip="atmega328p",
        board=find_board("arduino_uno"),
        toolchain=replace(tools, flags=(*tools.flags, _AVR_BAUD)),
    )


def _toolchain(core: str) -> Toolchain:
    found = find_core(core).toolchain
    if found is None:
        raise ValueError(core)
    return found


EMULATED: tuple[Qemu | Simavr, ...] = (
    *(_qemu(core, board) for core, board in _BOARDS.items()),
    _simavr(),
)


def with_clang(target: Qemu | Simavr) -> Qemu | None:
    """Return an Arm target whose C files clang compiles, under another name; else None."""
    clang = find_core(target.name).with_clang()
    if clang is None or not isinstance(target, Qemu):
        return None
    return replace(target, name=f"{target.name}:clang", toolchain=clang)
