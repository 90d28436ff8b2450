"""Every board's own C: start-up, serial line, counter, stack, faults."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rnnedge.boards import Board, find_board
from rnnedge.targets.elf import read_elf
from tests.boards.chips import EMULATED, END, QEMU, build, emulated, icount, name, number, talk

COUNTING = [board for board in EMULATED if board.name != "riscv_virt"]


@pytest.mark.parametrize("board", EMULATED, ids=name)
def test_the_serial_line_loses_nothing_in_either_direction(board: Board, tmp_path: Path) -> None:
    sent = np.random.default_rng(1).integers(0, 256, 1 << 16, np.uint8)
    answer = talk(board, build(board, tmp_path), b"e" + number(sent.size) + sent.tobytes() + END)
    assert answer == (~sent).tobytes()


TURNS = 10_000, 60_000


@pytest.mark.parametrize("board", COUNTING, ids=name)
def test_the_counter_counts_at_its_rate(board: Board, tmp_path: Path) -> None:
    """A loop of known length, under -icount: instructions take time only there."""
    assert board.emulator is not None
    short, long = TURNS
    commands = b"c" + number(short) + b"c" + number(long) + END
    program = build(board, tmp_path, optimize="size")
    answer = talk(board, program, commands, *icount(board))
    hz, first, again, second = struct.unpack("<4I", answer)
    assert hz == again == board.clock_hz
    per_turn = (second - first) / (long - short)
    per_instruction = board.emulator.ticks_per_instruction
    ticks = 4 if per_instruction is None else 2 * per_instruction
    assert per_turn == pytest.approx(ticks, abs=2 / (long - short))


@pytest.mark.parametrize("board", COUNTING, ids=name)
def test_the_counter_runs_upwards(board: Board, tmp_path: Path) -> None:
    program = build(board, tmp_path)
    answer = talk(board, program, b"m" * 20 + END, *icount(board))
    counted = np.frombuffer(answer, "<u4").astype(np.uint32)
    steps = np.diff(counted)
    assert counted.size == 20 * 256
    assert np.all(steps < board.clock_hz // 10)
    assert np.count_nonzero(steps) > counted.size // 2


@pytest.mark.parametrize("board", EMULATED, ids=name)
def test_the_stack_is_measured_and_its_end_is_watched(board: Board, tmp_path: Path) -> None:
    program = build(board, tmp_path)
    answer = talk(board, program, b"s" + number(16) + b"s" + number(256) + b"s" + number(16) + END)
    few, many, again = struct.unpack("<3I", answer)
    assert few == again
    assert 16 <= few < 100
    assert 220 <= many - few <= 260
    talk(board, program, b"o", code=4)


@pytest.mark.parametrize("board", EMULATED, ids=name)
def test_a_board_ends_with_its_code_and_a_fault_with_3(board: Board, tmp_path: Path) -> None:
    program = build(board, tmp_path)
    for commands, code in ((b"x\7", 7), (b"x\0", 0), (b"f", 3)):
        assert talk(board, program, commands, code=code) == b""


@pytest.mark.parametrize("commands", [b"f", b"x\7", b"o"], ids=["fault", "exit", "overflow"])
@pytest.mark.parametrize("board", [x for x in QEMU if x.name != "riscv_virt"], ids=name)
def test_where_nobody_serves_semihosting_a_board_starts_again(
    board: Board, commands: bytes, tmp_path: Path
) -> None:
    """As on a desk: twice, so the second life is as good as the first."""
    program = build(board, tmp_path)
    with emulated(board, program, "-semihosting-config", "enable=off") as (_, line, output):
        for _ in range(3):
            assert output.read(4) == b"boot"
            line.write(b"e" + number(1) + b"\xa0" + commands)
            line.flush()
            assert output.read(1) == b"\x5f"


# Address of the register that sets the baud rate, and the rate that its value gives by the manual.
RATES: dict[str, tuple[int, Callable[[int], float]]] = {
    "arduino_uno": (0xC4, lambda value: 16e6 / 8 / ((value & 0xFFF) + 1)),
    "hifive1": (0x10013018, lambda value: 16e6 / (value + 1)),
    "mps2_an385": (0x40004010, lambda value: 25e6 / value),
    "mps2_an386": (0x40004010, lambda value: 25e6 / value),
    "mps2_an500": (0x40004010, lambda value: 25e6 / value),
    "mps2_an505": (0x50200010, lambda value: 20e6 / value),
    "mps3_an547": (0x59303010, lambda value: 25e6 / value),
    "stm32f405": (0x40011008, lambda value: 16e6 / value),
}


@pytest.mark.parametrize("board", [x for x in COUNTING if x.name in RATES], ids=name)
def test_the_serial_line_is_set_to_its_rate(board: Board, tmp_path: Path) -> None:
    """Emulators do not care; a UART stands 3 %, and the Uno's own USB chip is as wrong as it is."""
    address, rate = RATES[board.name]
    answer = talk(board, build(board, tmp_path), b"r" + number(address) + END)
    (value,) = struct.unpack("<I", answer)
    error = 0.022 if board.name == "arduino_uno" else 0.003
    assert rate(value) == pytest.approx(115_200, rel=error)


def test_the_microbit_is_set_to_the_rate_of_the_manual(tmp_path: Path) -> None:
    """QEMU does not tell the register: the program has the constant that the manual gives."""
    elf = read_elf(build(find_board("microbit"), tmp_path))
    assert [code for _, code in elf.segments if struct.pack("<I", 0x01D7E000) in code]
    assert {board.name for board in COUNTING} == {*RATES, "microbit"}


# What only the real chip needs: register, its bits, their value.
SETTINGS = {
    "hifive1": [
        (0x10008008, 7 << 16, 7 << 16),  # PLL selected, from the crystal, bypassed
        (0x10012038, 3 << 16, 3 << 16),  # GPIO 16 and 17 are the UART's
        (0x1001203C, 3 << 16, 0),
    ],
    "microbit": [
        (0x50000760, 0xF, 3),  # P0.24 is an output
        (0x50000764, 0xF, 0),  # P0.25 is a connected input
    ],
}


@pytest.mark.parametrize("board", [x for x in QEMU if x.name in SETTINGS], ids=name)
def test_clocks_and_pins_are_those_of_the_chip(board: Board, tmp_path: Path) -> None:
    settings = SETTINGS[board.name]
    commands = b"".join(b"r" + number(address) for address, _, _ in settings)
    values = np.frombuffer(talk(board, build(board, tmp_path), commands + END), "<u4")
    assert [int(v) & bits for v, (_, bits, _) in zip(values, settings, strict=True)] == [
        wanted for _, _, wanted in settings
    ]
