"""Every emulated core: the simulator's bits, one count for every step, figures that are true."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.errors import ToolError
from rnnedge.simulator import simulate
from rnnedge.targets import (
    ALL,
    COUNTING,
    TARGETS,
    find_counting_target,
    find_counting_targets,
    find_target,
    find_targets,
)
from rnnedge.targets.board import EXIT_CODES
from rnnedge.targets.elf import read_elf
from rnnedge.targets.tools import run
from tests.cli import rnnedge
from tests.models import extreme_inputs
from tests.runs import make_export, make_run

CORES = ["cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"]
CORES += ["rv32", "avr", "cortex-m55:clang"]
SMALL = [  # an ATmega328P has 2 KB of RAM
    {"units": 5, "channels": 2, "input_bits": 16},
    {"units": 4, "channels": 3, "cells": ("gru_before",)},
]
LARGER = [
    {"units": 32, "channels": 9},
    {"units": 31, "channels": 2, "cells": ("gru_before",), "input_bits": 16},
    {"units": 5, "channels": 1, "cells": ("gru", "gru")},
]
CASES = [(name, shape) for name in CORES for shape in SMALL + LARGER * (name != "avr")]
STEPS = 16


@pytest.mark.parametrize("optimize", ["speed", "size"])
@pytest.mark.parametrize(("name", "shape"), CASES, ids=str)
def test_every_core_equals_the_simulator_and_counts_the_same_for_every_input(
    tmp_path: Path, name: str, shape: dict[str, Any], optimize: str
) -> None:
    """Zeros, limits, edges and noise: one count for all steps, so nothing branches on data."""
    model = make_run(tmp_path / "run", **shape)
    exported = make_export(tmp_path / "export", model)
    work = tmp_path / "work"
    work.mkdir()
    target = find_counting_target(name)
    program = target.build(exported, work, optimize)
    assert program.name == f"{name.replace(':', '-')}.elf"
    x = extreme_inputs(5, 6, STEPS, model.input.channels)
    measured = target.measure(program, x)
    expected = simulate(model, x)
    assert np.array_equal(measured.answer.trace.states, expected.states)
    assert np.array_equal(measured.answer.trace.scores, expected.scores)
    assert list(measured.counts.values()) == [6 * STEPS]
    assert target.unit == ("cycles" if name == "avr" else "instructions")
    # everything that was counted belongs to a known function, most of it to the runtime
    (count,) = measured.counts
    assert sum(measured.functions.values()) == count * 6 * STEPS
    assert "?" not in measured.functions
    assert "rnnedge_model_step" in measured.functions
    assert not next(iter(measured.functions)).startswith(("app_", "port_"))

    sizes = target.sizes(program)
    weights = sum(layer.W.size + layer.U.size for layer in model.recurrent)
    assert 400 < sizes.code_bytes < 10_000
    assert weights < sizes.const_bytes < 2 * weights + 3500
    assert sizes.code_bytes + sizes.const_bytes < sizes.program_flash_bytes
    assert 2 * model.state_size < sizes.ram_bytes <= sizes.program_ram_bytes
    # variables of the application only: nothing of model and runtime is in RAM
    assert sizes.program_ram_bytes < sizes.ram_bytes + 200
    assert 60 < measured.answer.stack_bytes < 1024


def test_every_target_is_tested() -> None:
    assert set(CORES) >= set(COUNTING)
    assert list(TARGETS) == ["host", *COUNTING]


def test_names_of_targets() -> None:
    assert [target.name for target in find_targets(["avr", ALL])][:2] == ["avr", "host"]
    assert len(find_targets([ALL, "host"])) == len(TARGETS) == 9
    assert [target.name for target in find_counting_targets([ALL])] == list(COUNTING)
    for name in ("host:clang", *(f"{core}:clang" for core in COUNTING if core.startswith("cor"))):
        target = find_target(name)
        assert target.name == name
        assert target.compiler_version().startswith("clang ")
    assert find_target("cortex-m0").compiler_version().startswith("arm-none-eabi-gcc ")
    assert find_target("rv32").compiler_version().startswith("riscv64-unknown-elf-gcc ")
    assert find_target("avr").compiler_version().startswith("avr-gcc ")
    with pytest.raises(ToolError, match="clang is there for host and the Arm cores"):
        find_target("avr:clang")
    with pytest.raises(ToolError, match=r"'z80' is not known; there are host, cortex-m0.*all"):
        find_target("z80")
    with pytest.raises(ToolError, match="'host:clang' cannot be measured"):
        find_counting_target("host:clang")


def test_the_commands_name_every_target() -> None:
    text = " ".join(rnnedge("verify", "--help").out.split())
    assert all(name in text for name in [*TARGETS, ALL, ":clang"])
    text = " ".join(rnnedge("bench", "--help").out.split())
    assert all(name in text for name in [*COUNTING, ALL, ":clang"])


def test_sizes_and_symbols_are_those_of_binutils(tmp_path: Path) -> None:
    exported = make_export(tmp_path / "export", make_run(tmp_path / "run"))
    program = find_target("cortex-m0").build(exported, tmp_path)
    elf = read_elf(program)
    text = run(["arm-none-eabi-size", "-A", program], purpose="test").decode()
    rows = [line.split() for line in text.splitlines()]
    theirs = {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[0] in elf.sections}
    assert theirs == elf.sections
    text = run(["arm-none-eabi-size", program], purpose="test").decode()
    code, data, bss = map(int, text.splitlines()[1].split()[:3])
    assert (elf.flash_bytes, elf.ram_bytes) == (code + data, data + bss)
    text = run(["arm-none-eabi-nm", "-S", program], purpose="test").decode()
    for row in (line.split() for line in text.splitlines()):
        if len(row) == 4:
            symbol = elf.symbols[row[3]]
            assert (symbol.address, symbol.size) == (int(row[0], 16) & ~1, int(row[1], 16)), row
            if row[2] == "T":
                assert elf.symbols[elf.function_at(symbol.address + 1)].address == symbol.address
    (tmp_path / "text.elf").write_text("no program")
    with pytest.raises(ToolError, match=r"text\.elf: not readable as a 32-bit ELF"):
        read_elf(tmp_path / "text.elf")


def test_assembler_files_of_the_runtime_are_built_and_counted_as_its_code(tmp_path: Path) -> None:
    """A C file of the runtime, replaced by what the compiler makes of it in a folder of kernels."""
    exported = make_export(tmp_path / "export", make_run(tmp_path / "run"))
    target = find_counting_target("cortex-m3")
    before = target.sizes(target.build(exported, tmp_path, "size")).code_bytes
    source = next(path for path in exported.runtime_sources if path.name == "model.c")
    kernels = source.parents[1] / "kernels"
    kernels.mkdir(exist_ok=True)
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb", "-Os", "-ffunction-sections"]
    includes = [f"-I{folder}" for folder in exported.include_dirs]
    subprocess.run(
        [*command, *includes, "-S", source, "-o", kernels / "model.S"], check=True
    )  # fmt: skip
    source.unlink()
    assert target.sizes(target.build(exported, tmp_path, "size")).code_bytes == before


def test_missing_tools_are_named_with_how_to_install_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = make_export(tmp_path / "export", make_run(tmp_path / "run"))
    monkeypatch.setenv("PATH", "")
    for name, compiler, package in (
        ("cortex-m0", "arm-none-eabi-gcc", "gcc-arm-none-eabi libnewlib-arm-none-eabi"),
        ("cortex-m55:clang", "clang", "clang"),
        ("rv32", "riscv64-unknown-elf-gcc", "gcc-riscv64-unknown-elf"),
        ("avr", "avr-gcc", "gcc-avr avr-libc"),
    ):
        message = f"{compiler}: not found.*apt-get install {package}$"
        with pytest.raises(ToolError, match=message):
            find_target(name).build(exported, tmp_path)
        with pytest.raises(ToolError, match=message):
            find_target(name).compiler_version()
    x = np.zeros((1, 1, 3), np.int16)
    for name, emulator, package in (
        ("cortex-m7", "qemu-system-arm", "qemu-system-arm"),
        ("rv32", "qemu-system-riscv32", "qemu-system-misc"),
    ):
        with pytest.raises(ToolError, match=f"{emulator}: not found.*apt-get install {package}$"):
            find_target(name).run(tmp_path / "program.elf", x)


def test_a_missing_simavr_is_named_with_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The compiler is there, the library's headers are not."""
    (tmp_path / "cc").write_text(
        "#!/bin/sh\necho 'runner.c:1:1: error: simavr/avr_uart.h: No such file' >&2; exit 1\n"
    )
    (tmp_path / "cc").chmod(0o755)
    exported = make_export(tmp_path / "export", make_run(tmp_path / "run", units=2, channels=1))
    program = find_target("avr").build(exported, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"simavr/avr_uart.*apt-get install libsimavr-dev$"):
        find_target("avr").run(program, np.zeros((1, 1, 1), np.int16))


REFUSES = "return RNNEDGE_ERR_INPUT;"
TAKES = """volatile uint8_t big[{}];
    for (uint32_t i = 0; i < sizeof big; i++) {{ big[i] = 1; }}
    return big[0] == 1 ? RNNEDGE_OK : RNNEDGE_ERR_INPUT;"""


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("cortex-m0", REFUSES, 1),
        ("rv32", REFUSES, 1),
        ("avr", REFUSES, 1),
        ("cortex-m0", TAKES.format(3000), 4),
        ("rv32", TAKES.format(70_000), 4),
    ],
)
def test_a_program_that_fails_says_why(tmp_path: Path, name: str, body: str, code: int) -> None:
    """Another rnnedge_model_quantize, which refuses the input or takes more stack than there is."""
    exported = make_export(tmp_path / "export", make_run(tmp_path / "run", units=2, channels=1))
    source = next(path for path in exported.runtime_sources if path.name == "input.c")
    source.write_text(
        '#include "../include/rnnedge.h"\n'
        "rnnedge_status rnnedge_model_quantize(const rnnedge_model *model, int16_t x[], "
        "const float raw[]) {(void)model; (void)raw; x[0] = 0; " + body + "}\n"
    )
    target = find_target(name)
    program = target.build(exported, tmp_path)
    with pytest.raises(ToolError, match=EXIT_CODES[code]):
        target.run(program, np.zeros((1, 1, 1), np.float32))


def test_a_model_that_does_not_fit_is_refused_by_the_linker(tmp_path: Path) -> None:
    exported = make_export(tmp_path / "export", make_run(tmp_path / "run", units=100))
    with pytest.raises(ToolError, match=r"avr: .* does not fit into the (RAM|flash) of"):
        find_target("avr").build(exported, tmp_path)
