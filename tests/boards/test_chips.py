"""Every board's own C: start-up, serial line, counter, stack, faults; images that chips accept."""

import struct
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pytest

from rnnedge.boards import Board, find_board
from rnnedge.boards.board import BOARDS, MEMORY_LD, common_folder
from rnnedge.targets.build import OPTIMIZE, STRICT, Toolchain, firmware
from rnnedge.targets.cores import find_core
from rnnedge.targets.elf import Elf, read_elf
from rnnedge.targets.simavr import _runner
from rnnedge.targets.tools import require, run

CHIP = Path(__file__).with_name("chip.c")
BARE = [board for board in BOARDS if find_core(board.core).toolchain is not None]
BARE += [find_board("riscv_virt", unlisted=True)]
EMULATED = [board for board in BARE if board.emulator is not None]
QEMU = [board for board in EMULATED if board.core != "avr"]
COUNTING = [board for board in EMULATED if board.name != "riscv_virt"]
SEMIHOSTING = ("-semihosting-config", "enable=on,target=native")
END = b"x\0"


def name(value: object) -> str:
    return value.name if isinstance(value, Board) else str(value)


def build(board: Board, work: Path, *, compiler: str = "gcc", optimize: str = "speed") -> Path:
    """Compile chip.c for a board under every warning."""
    core = find_core(board.core)
    tools = core.toolchain if compiler == "gcc" else core.with_clang()
    assert tools is not None
    (work / MEMORY_LD).write_text(board.memory_ld())
    link(board, work, compile_all(board, work, tools, optimize), tools)
    return work / "chip.elf"


def compile_all(board: Board, work: Path, tools: Toolchain, optimize: str) -> list[str]:
    includes = [f"-I{path}" for path in (firmware("app"), common_folder(), board.folder)]
    defines = [f"-D{definition}" for definition in board.definitions]
    sections = ["-ffunction-sections", "-fdata-sections"]
    objects = []
    for source in (CHIP, *board.sources):
        objects.append(f"app_{source.parent.name}_{source.name}.o")
        flags = [*OPTIMIZE[optimize].split(), *tools.flags, *STRICT, *includes, *defines, *sections]
        run(
            [tools.compiler, *flags, "-c", source, "-o", objects[-1]],
            purpose="compile a board",
            folder=work,
        )
    return objects


def link(board: Board, work: Path, objects: Sequence[str], tools: Toolchain) -> None:
    run(
        [
            *(tools.linker or tools.compiler, *(() if tools.linker else tools.flags), *objects),
            *(*tools.link_flags, f"-L{work}", f"-L{common_folder()}", f"-T{board.linker_script}"),
            *("-Wl,--gc-sections", "-o", "chip.elf"),
        ],
        purpose="link a board",
        folder=work,
    )


def command(board: Board, program: Path, *options: str) -> list[str | Path]:
    """Return the command that emulates `program`, its serial line on stdin and stdout."""
    assert board.emulator is not None
    if board.core == "avr":
        image = program.with_suffix(".bin")
        run(["avr-objcopy", "-O", "binary", program, image], purpose="make an image")
        return [_runner(program.parent), *board.emulator.options, image]
    return [
        *(require(board.emulator.program, "emulate boards"), *board.emulator.options),
        *("-display", "none", "-monitor", "none", "-kernel", program),
        *("-chardev", "stdio,id=uart,signal=off", "-serial", "chardev:uart", *options),
    ]


@contextmanager
def emulated(
    board: Board, program: Path, *options: str
) -> Iterator[tuple["subprocess.Popen[bytes]", BinaryIO, BinaryIO]]:
    """Emulate a program: the process, what goes into its serial line, what comes out."""
    words = command(board, program, *options)
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    late = threading.Timer(120, process.kill)
    late.start()
    try:
        with process:
            yield process, cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
            process.kill()
    finally:
        late.cancel()
        process.kill()


def talk(board: Board, program: Path, commands: bytes, *options: str, code: int = 0) -> bytes:
    """Run commands, which end with exit code `code`, and return the answers.

    As on a board, what is sent before it says that it is there may be lost (the runner of simavr,
    though, holds it and answers in the end).
    """
    with emulated(board, program, *SEMIHOSTING, *options) as (process, _, output):
        word = b"" if board.core == "avr" else output.read(4)
        answer, _ = process.communicate(commands)
        assert process.returncode == code
    assert (word + answer)[:4] == b"boot"
    return (word + answer)[4:]


def icount(board: Board) -> tuple[str, ...]:
    """Return the options under which an instruction takes a time, the same each."""
    assert board.emulator is not None
    shift = board.emulator.icount_shift
    return () if shift is None else ("-icount", f"shift={shift}")


def number(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


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
