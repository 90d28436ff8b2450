"""Boards: descriptions, firmware built by CMake alone, every board verified in its emulator."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from intelhex import IntelHex

from rnnedge.boards import BOARDS, Board, find_board
from rnnedge.boards.board import IMAGES, common_folder, read_board
from rnnedge.boards.build import build
from rnnedge.boards.emulator import emulated
from rnnedge.errors import FitError, ModelError, ToolError
from rnnedge.serialline import open_device
from rnnedge.serialline.verification import Clock, Sensor, check_model, verify_device
from rnnedge.simulator import simulate
from rnnedge.spec import QuantizedModel
from rnnedge.targets import COUNTING
from rnnedge.targets.cores import find_core
from rnnedge.targets.elf import read_elf
from rnnedge.targets.exported import open_exported
from rnnedge.targets.tools import require
from tests.models import extreme_inputs
from tests.packages.helpers import raw_of, write_package
from tests.runs import make_run

NAMES = (
    *("arduino_uno", "esp32", "hifive1", "microbit", "mps2_an385", "mps2_an386", "mps2_an500"),
    *("mps2_an505", "mps3_an547", "rp2040", "stm32f405"),
)
BUILT = [board for board in BOARDS if find_core(board.core).toolchain is not None]
EMULATED = [board for board in BOARDS if board.emulator is not None]
MODELS: dict[str, dict[str, Any]] = {
    "gru": {"cells": ("gru",)},
    "lstm": {"cells": ("lstm",), "input_bits": 16},
    "stacked": {"cells": ("gru", "lstm")},
}
GOLDEN, FRESH = 1, 2
TARGETS = {
    "microbit": "cortex-m0",
    "hifive1": "rv32",
    "arduino_uno": "avr",
    "stm32f405": "cortex-m4",
}


def name(value: object) -> str:
    return value.name if isinstance(value, Board) else str(value)


# descriptions


def test_every_board_is_described() -> None:
    assert tuple(board.name for board in BOARDS) == NAMES
    unlisted = find_board("riscv_virt", unlisted=True)
    assert unlisted not in BOARDS
    folders = {path.name for path in common_folder().parent.iterdir() if path.is_dir()}
    assert folders == {*NAMES, unlisted.name, "common"}
    for wrong in ("uno", "riscv_virt", "common", ""):
        with pytest.raises(
            ToolError, match=f"board '{wrong}' is not known; there are arduino_uno,"
        ):
            find_board(wrong)


@pytest.mark.parametrize("board", BOARDS, ids=name)
def test_a_description_is_complete(board: Board) -> None:
    core = find_core(board.core)
    assert board.title
    assert board.chip
    assert (core.toolchain is None) == (not board.sources)
    for source in board.sources:
        assert source.is_file()
    assert board.linker_script.is_file()
    assert board.flash_tools, "nobody can flash it"
    for tool in board.flash_tools:
        assert tool.image in IMAGES
        assert tool.command
        text = " ".join(tool.command)
        assert ("{image}" in text) == (not tool.project)  # ours, or another build system's
        assert ("{port}" in text) == tool.needs_port
        assert "{" not in re.sub(r"{(image|port|drive|project)}", "", text)
    assert all(remark.endswith((".", "library.properties.")) for remark in board.remarks)
    assert f"0x{board.ram.origin + board.ram.size:08X}" in board.memory_ld()


GOOD = """
title = "Board"
chip = "Chip"
core = "cortex-m0"
clock_hz = 1_000_000
stack = 256
common = ["port.c"]
[flash]
origin = 0
size = 1024
[ram]
origin = 0x20000000
size = 1024
[emulator]
program = "qemu-system-arm"
options = ["-M", "microbit"]
unit = "instructions"
icount_shift = 6
ticks_per_instruction = 1.5
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Board"', "title =", r"^board\.toml: not TOML \("),
        ('title = "Board"', "", "title is missing"),
        ('title = "Board"', 'title = ""', "title is empty"),
        ('title = "Board"', "title = 3", "title is 3, expected a text"),
        ("stack = 256", "stack = true", "stack is True, expected 64"),
        ("stack = 256", "stack = 1024", "stack is 1024, more than the RAM has"),
        ("stack = 256", "stak = 256", "stack is missing"),
        ("stack = 256", "stack = 256\nstak = 3", "stak: not known here"),
        ("size = 1024\n[ram]", "size = 1024\nend = 3\n[ram]", "flash: end: not known here"),
        ('["port.c"]', '"port.c"', "common is 'port.c', expected a list of texts"),
        ('["port.c"]', "[1]", "common is .1., expected a list of texts"),
        ("1.5", "0", "emulator: ticks_per_instruction is 0.0, expected a number above 0"),
        ("1.5", "nan", "emulator: ticks_per_instruction is nan"),
        ("qemu-system-arm", "renode", "emulator: program is 'renode', not one of qemu-system-arm"),
        ('"instructions"', '"cycles"', "emulator: icount_shift, ticks_per_instruction: not known"),
        ("[flash]", "tool = 3\n[flash]", "tool is 3, expected a list of tables"),
    ],
)
def test_a_wrong_description_is_refused_in_one_line(old: str, new: str, message: str) -> None:
    read_board("board", GOOD, "board.toml")
    assert old in GOOD
    with pytest.raises(ToolError, match=message) as caught:
        read_board("board", GOOD.replace(old, new), "board.toml")
    assert "\n" not in str(caught.value)


# firmware


Packages = Callable[[str], tuple[Path, QuantizedModel]]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """Exported packages: of each model of MODELS, made when it is asked for."""
    made: dict[str, tuple[Path, QuantizedModel]] = {}

    def package(model: str) -> tuple[Path, QuantizedModel]:
        if model not in made:
            folder = tmp_path_factory.mktemp(model)
            q = make_run(folder / "run", name=f"{model}_net", units=6, **MODELS[model])
            made[model] = write_package(folder / "package", q, ("cmake",)), q
        return made[model]

    return package


def cmake(*words: object, path: Path) -> "subprocess.CompletedProcess[str]":
    """Run CMake with a PATH of the caller's."""
    return subprocess.run(
        [require("cmake", "test firmware"), *map(str, words)],
        env={"PATH": str(path), "HOME": "/nonexistent"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def tools_of(board: Board, folder: Path, *more: str) -> Path:
    """A folder with the board's compiler, make and a shell, and nothing else: no Python."""
    toolchain = find_core(board.core).toolchain
    assert toolchain is not None
    folder.mkdir()
    prefix = toolchain.compiler.removesuffix("gcc")
    tools = [f"{prefix}{tool}" for tool in ("gcc", "ar", "ranlib", "objcopy", "as", "ld")]
    for tool in (*tools, "make", "sh", *more):
        (folder / tool).symlink_to(Path(require(tool, "test firmware")))
    return folder


def cmake_firmware(
    package: Path, board: Board, work: Path, *options: str, tools: tuple[str, ...] = ()
) -> Path:
    """Build the firmware of a board as its user would, and return the program."""
    path = tools_of(board, work / "bin", *tools)
    source = package / "extras" / "firmware"
    first = cmake(
        *("-G", "Unix Makefiles", "-S", source, "-B", work / "build", f"-DBOARD={board.name}"),
        *options, path=path,
    )  # fmt: skip
    assert first.returncode == 0, first.stderr
    second = cmake("--build", work / "build", path=path)
    assert second.returncode == 0, second.stderr
    assert not re.search(r"\.[ch]:\d+:\d+: warning: ", second.stderr), second.stderr
    (program,) = (work / "build").glob("*.elf")
    return program


def verified(board: Board, program: Path, model: QuantizedModel) -> dict[str, Any]:
    """What `rnnedge verify` says of a board that holds `program`, emulated."""
    assert board.emulator is not None
    clock = Clock(core_hz=board.clock_hz)
    if board.emulator.ticks_per_instruction is not None:
        per_tick = 1 / board.emulator.ticks_per_instruction
        clock = Clock(unit=board.emulator.unit, per_tick=per_tick, core_hz=board.clock_hz)
    raw = raw_of(model, GOLDEN + FRESH)
    with emulated(board, program) as port, open_device(port) as device:
        check_model(device, model, "flash it")
        return verify_device(
            device, model, raw[:GOLDEN], raw[GOLDEN:], Sensor(rate=None, hop=1), clock
        )


@pytest.mark.parametrize("board", EMULATED, ids=name)
@pytest.mark.parametrize("model", MODELS)
def test_firmware_built_by_cmake_alone_answers_on_the_emulated_board_with_the_simulators_bits(
    board: Board, model: str, packages: Packages, tmp_path: Path
) -> None:
    """The whole way: package, CMake without Python, emulator, serial line, every bit compared."""
    package, quantized = packages(model)
    program = cmake_firmware(package, board, tmp_path)
    assert program.name == f"{model}_net-{board.name}.elf"
    result = verified(board, program, quantized)
    steps = (GOLDEN + FRESH) * quantized.window
    assert result["states_compared"] == steps * quantized.state_size
    assert result["scores_compared"] == (GOLDEN + FRESH) * quantized.outputs
    assert (result["differences"], result["first_difference"]) == (0, None)
    assert result["retries"] == result["damaged"] == result["resets"] == 0
    assert 0 < result["stack_bytes"] <= board.stack + 512
    assert result["per_step"] - result["per_step_min"] <= 1, "a step depends on data"


@pytest.mark.parametrize("board", EMULATED, ids=name)
def test_a_boards_own_counter_agrees_with_the_exact_count(
    board: Board, packages: Packages, tmp_path: Path
) -> None:
    """Built for the same core with the same flags; the plugin counts every instruction."""
    package, model = packages("gru")
    result = verified(board, build(board, package, tmp_path / "build").elf, model)
    target = COUNTING[board.core]
    (tmp_path / "target").mkdir()
    program = target.build(open_exported(package), tmp_path / "target", board.optimize)
    measured = target.measure(program, extreme_inputs(1, 1, model.window, model.input.channels))
    (exact,) = measured.counts
    assert result["unit"] == target.unit
    assert result["per_step"] == pytest.approx(exact, abs=max(12, 0.01 * exact))


@pytest.mark.parametrize("board", BUILT, ids=name)
def test_images_hold_the_program(board: Board, packages: Packages, tmp_path: Path) -> None:
    """The .hex and .bin of every board, read by other programs than wrote them."""
    package, _ = packages("gru")
    firmware = build(board, package, tmp_path / "build")
    elf = read_elf(firmware.elf)
    assert (firmware.flash_bytes, firmware.ram_bytes) == (elf.flash_bytes, elf.ram_bytes)
    assert firmware.name == "gru_net"
    image = IntelHex(str(firmware.hex))
    image.padding = 0  # between the parts of a program
    for address, data in elf.segments:
        assert image.tobinstr(address, size=len(data)) == data
    assert image.minaddr() == board.flash.origin
    assert image.maxaddr() < board.flash.origin + board.flash.size
    plain = firmware.bin.read_bytes()
    assert plain == image.tobinstr(board.flash.origin, size=len(plain))
    assert len(plain) == image.maxaddr() + 1 - image.minaddr()


@pytest.mark.parametrize("board", ["microbit", "mps2_an386", "mps3_an547"])
def test_clang_builds_it_too(board: str, packages: Packages, tmp_path: Path) -> None:
    package, model = packages("stacked")
    found = find_board(board)
    options = ("-DCMAKE_C_COMPILER=clang", "-DRNNEDGE_OPTIMIZE=size")
    program = cmake_firmware(package, found, tmp_path, *options, tools=("clang",))
    assert b"clang" in (tmp_path / "build" / "CMakeCache.txt").read_bytes()
    assert verified(found, program, model)["differences"] == 0


def test_size_is_smaller_than_speed(packages: Packages, tmp_path: Path) -> None:
    package, _ = packages("gru")
    small, fast, usual = (
        build(find_board("arduino_uno"), package, tmp_path / str(optimize), optimize=optimize)
        for optimize in ("size", "speed", None)
    )
    assert small.flash_bytes == usual.flash_bytes < fast.flash_bytes


def test_the_verify_application_is_there_as_well(packages: Packages, tmp_path: Path) -> None:
    """The binary stream of `rnnedge verify --target`, from a package."""
    package, model = packages("lstm")
    board = find_board("mps2_an386")
    program = cmake_firmware(package, board, tmp_path, "-DAPP=verify")
    x = extreme_inputs(3, 2, 8, model.input.channels)
    target = COUNTING[board.core]
    answer = target.run(program, x)
    assert np.array_equal(answer.trace.states, simulate(model, x).states)
    # CMake builds what the target builds: flags, sections, what the linker leaves out
    (tmp_path / "target").mkdir()
    theirs = target.build(open_exported(package), tmp_path / "target")
    assert target.sizes(program) == target.sizes(theirs)


def test_cmake_says_what_is_wrong(packages: Packages, tmp_path: Path) -> None:
    package, _ = packages("gru")
    source, board = package / "extras" / "firmware", find_board("microbit")
    path = tools_of(board, tmp_path / "bin")

    def said(*options: str, build: str = "x", path: Path = path) -> str:
        done = cmake("-S", source, "-B", tmp_path / build, *options, path=path)
        assert done.returncode != 0
        return " ".join(done.stderr.split())

    assert "which board? add -DBOARD=...; there are arduino_uno, hifive1, microbit" in said()
    assert "board z80 is not known; there are arduino_uno, " in said("-DBOARD=z80")
    assert "application blink is not known" in said("-DBOARD=microbit", "-DAPP=blink", build="y")
    assert "RNNEDGE_OPTIMIZE is much" in said(
        "-DBOARD=microbit", "-DRNNEDGE_OPTIMIZE=much", build="z"
    )
    assert "is that of microbit; take another one for hifive1" in said("-DBOARD=hifive1", build="z")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "avr-gcc is not on the PATH; on Debian and Ubuntu: sudo apt-get install gcc-avr" in said(
        "-DBOARD=arduino_uno", build="w", path=empty
    )


# errors of build()


def test_a_program_that_does_not_fit_says_what_lacks_and_the_figures_are_true(
    tmp_path: Path,
) -> None:
    """With so many bytes more it fits, with one less it does not."""
    board = find_board("arduino_uno")
    for shape, memory in (
        ({"units": 90, "cells": ("gru",), "channels": 2}, "flash"),
        ({"units": 30, "cells": ("rnn",), "bidirectional": True, "sequences": True}, "RAM"),
    ):
        folder = tmp_path / memory
        model = make_run(folder / "run", **shape)
        package = write_package(folder / "package", model, ("cmake",))
        with pytest.raises(FitError, match=r"^arduino_uno: the program does not fit") as caught:
            build(board, package, folder / "build")
        lacking = caught.value.over[memory]
        assert f"{lacking:,} bytes of {memory}" in str(caught.value)
        assert lacking > 0
        script = package / "extras" / "firmware" / "boards" / board.name / "memory.ld"
        text = script.read_text()
        for enough, flash, ram in (
            (False, -1 if memory == "flash" else 0, -1 if memory == "RAM" else 0),
            (True, 0, 0),
        ):
            sizes = board.flash.size, board.ram.size - board.stack
            flash += sizes[0] + caught.value.over.get("flash", 0)
            ram += sizes[1] + caught.value.over.get("RAM", 0)
            script.write_text(
                text.replace(f"LENGTH = {sizes[0]}", f"LENGTH = {flash}").replace(
                    f"LENGTH = {sizes[1]}", f"LENGTH = {ram}"
                )
            )
            if enough:
                assert build(board, package, folder / "build").flash_bytes <= flash
            else:
                with pytest.raises(FitError, match="lacks 1 bytes of "):
                    build(board, package, folder / "build")


def test_what_is_missing_is_named(
    packages: Packages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, quantized = packages("gru")
    microbit, esp32 = find_board("microbit"), find_board("esp32")
    with pytest.raises(ToolError, match=r"esp32: has no firmware of its own\. Built by ESP-IDF"):
        build(esp32, package, tmp_path / "b")
    with pytest.raises(ModelError, match="none: no such folder"):
        build(microbit, tmp_path / "none", tmp_path / "b")
    arduino = write_package(tmp_path / "arduino", quantized, ("arduino",))
    with pytest.raises(ModelError, match="no firmware in this package; export it with --format"):
        build(microbit, arduino, tmp_path / "b")
    (arduino / "src" / "gru_net_model.c").write_text("int broken(")
    broken = write_package(tmp_path / "broken", quantized, ("cmake",))
    (broken / "src" / "gru_net_model.c").write_text("int broken(")
    with pytest.raises(
        ToolError, match=r"failed to build .* microbit: .*gru_net_model\.c:1:1: error"
    ):
        build(microbit, broken, tmp_path / "b")
    with pytest.raises(ToolError, match=r"microbit: application blink is not known; there are"):
        build(microbit, package, tmp_path / "c", app="blink")
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(ToolError, match="arm-none-eabi-gcc: not found, needed to build the firm"):
        build(microbit, package, tmp_path / "d")
    assert not (tmp_path / "d").exists()
