"""Where a program starts: vector tables, and the second stage of booting of an RP2040."""

import struct
from pathlib import Path

import pytest

from rnnedge.boards import Board, find_board
from rnnedge.targets.cores import find_core
from rnnedge.targets.elf import Elf, read_elf
from tests.boards.chips import BARE, build, name

BUILDS = [(board, "gcc") for board in BARE]
BUILDS += [(board, "clang") for board in BARE if find_core(board.core).with_clang() is not None]


@pytest.mark.parametrize("optimize", ["speed", "size"])
@pytest.mark.parametrize(("board", "compiler"), BUILDS, ids=name)
def test_an_image_starts_as_the_chip_expects(
    board: Board, compiler: str, optimize: str, tmp_path: Path
) -> None:
    """The first instruction or the vector table is where the chip looks for it."""
    elf = read_elf(build(board, tmp_path, compiler=compiler, optimize=optimize))
    start, top = board.flash.origin, board.ram.origin + board.ram.size
    assert min(address for address, _ in elf.segments) == start
    end = max(address + len(data) for address, data in elf.segments)
    assert elf.flash_bytes <= end - start < elf.flash_bytes + 16
    if board.core == "avr":
        (code,) = struct.unpack("<H", flash(elf, start, 2))
        assert code == 0x940C or code >> 12 == 0xC  # jmp or rjmp
    elif board.core == "rv32":
        assert elf.symbols["Reset_Handler"].address == start
        assert elf.symbols["trap"].address % 4 == 0
    else:
        table = start + BOOT2 * (board.name == "rp2040")
        reset, fault = (elf.symbols[f"{word}_Handler"].address | 1 for word in ("Reset", "Fault"))
        vectors = struct.unpack("<16I", flash(elf, table, 64))
        assert vectors == (top, reset, *[fault] * 6, *[0] * 8)
        assert top % 8 == 0


def flash(elf: Elf, address: int, size: int) -> bytes:
    for start, data in elf.segments:
        if start <= address < start + len(data):
            return data[address - start :][:size]
    raise AssertionError(hex(address))


BOOT2 = 256


@pytest.fixture(params=["gcc", "clang"])
def boot2(request: pytest.FixtureRequest, tmp_path: Path) -> bytes:
    board = find_board("rp2040")
    return flash(
        read_elf(build(board, tmp_path, compiler=request.param)), board.flash.origin, BOOT2
    )


def test_the_boot_rom_of_an_rp2040_accepts_the_second_stage(boot2: bytes) -> None:
    """CRC-32 of the first 252 bytes, as the RP2040 Datasheet describes it, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in boot2[:252]:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    assert len(boot2) == BOOT2
    assert struct.unpack("<I", boot2[252:]) == (crc,)


def test_the_second_stage_sets_up_the_flash_and_jumps_through_the_vectors(boot2: bytes) -> None:
    """Interpreted here, at an address in RAM: it must not care where the boot ROM copies it."""
    ssi, vtor, vectors = 0x18000000, 0xE000ED08, 0x10000100
    memory = {vectors: 0x20040000, vectors + 4: 0x100001F1}
    writes: list[tuple[int, int]] = []
    r = [0xDEADBEEF] * 16
    pc = 0
    while True:
        (code,) = struct.unpack_from("<H", boot2, pc)
        pc += 2
        low, middle = code & 7, code >> 3 & 7
        if code >> 11 == 0b01001:  # ldr, of a constant
            (r[code >> 8 & 7],) = struct.unpack_from("<I", boot2, (pc + 2 & ~3) + 4 * (code & 0xFF))
        elif code >> 11 == 0b00100:  # movs
            r[code >> 8 & 7] = code & 0xFF
        elif code >> 11 == 0b01100:  # str
            writes.append((r[middle] + 4 * (code >> 6 & 31), r[low]))
        elif code >> 9 == 0b0101000:  # str, two registers
            writes.append((r[middle] + r[code >> 6 & 7], r[low]))
        elif code >> 11 == 0b01101:  # ldr
            r[low] = memory[r[middle] + 4 * (code >> 6 & 31)]
        elif code >> 8 == 0b01000110:  # mov
            r[low | code >> 4 & 8] = r[code >> 3 & 15]
        else:
            assert code >> 7 == 0b010001110  # bx
            break
    control = [(ssi + 0, 0x001F0300), (ssi + 0xF4, 0x03000218)]
    assert writes[0] == (ssi + 8, 0)
    assert writes[1:-2] == [(ssi + 4, 0), (ssi + 0x14, 4), *control]
    assert writes[-2:] == [(ssi + 8, 1), (vtor, vectors)]
    assert (r[13], r[code >> 3 & 15]) == (memory[vectors], memory[vectors + 4])
