"""Exported C on the host under every compiler and sanitizer, and on the emulated Cortex-M4."""

from pathlib import Path

import numpy as np
import pytest

from rnnedge.errors import ToolError
from rnnedge.simulator import simulate
from rnnedge.targets import TARGETS
from rnnedge.targets.host import Host
from rnnedge.targets.qemu_arm import CORTEX_M4
from tests.models import extreme_inputs
from tests.runs import make_export, make_run

SHAPES = [
    {"units": 32, "channels": 9},
    {"units": 31, "channels": 2, "reset_after": False, "input_bits": 16},
    {"units": 5, "channels": 1, "input_bits": 16, "layers": 2},
    {"units": 1, "channels": 3, "reset_after": False},
]
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("flags", [("-O0",), ("-O3",), ("-O1", *SANITIZE)], ids=["O0", "O3", "san"])
def test_host_equals_simulator_under_every_compiler(
    tmp_path: Path, compiler: str, flags: tuple[str, ...]
) -> None:
    """Strict warnings are errors in this build."""
    for index, shape in enumerate(SHAPES):
        model = make_run(tmp_path / f"r{index}", **shape)
        exported = make_export(tmp_path / f"e{index}", model)
        target = Host(compiler=compiler, flags=flags)
        work = tmp_path / f"w{index}"
        work.mkdir()
        x = extreme_inputs(index, 6, 20, model.input.channels)
        answer = target.run(target.build(exported, work), x)
        expected = simulate(model, x)
        assert np.array_equal(answer.trace.states, expected.states)
        assert np.array_equal(answer.trace.scores, expected.scores)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("optimize", ["speed", "size"])
def test_cortex_m4_equals_simulator_and_takes_the_same_instructions_for_every_input(
    tmp_path: Path, shape: dict[str, int], optimize: str
) -> None:
    """Zeros, limits, edges and noise: one count for all steps, so nothing branches on data."""
    model = make_run(tmp_path / "run", **shape)
    exported = make_export(tmp_path / "export", model)
    (tmp_path / "work").mkdir()
    program = CORTEX_M4.build(exported, tmp_path / "work", optimize)
    x = extreme_inputs(5, 6, 16, model.input.channels)
    measured = CORTEX_M4.measure(program, x)
    expected = simulate(model, x)
    assert np.array_equal(measured.answer.trace.states, expected.states)
    assert np.array_equal(measured.answer.trace.scores, expected.scores)
    assert list(measured.instructions.values()) == [6 * 16]
    sizes = CORTEX_M4.sizes(program)
    assert 400 < sizes.code_bytes < 4000
    weights = sum(layer.W.size + layer.U.size for layer in model.recurrent)
    assert weights < sizes.const_bytes < 2 * weights + 3000
    assert 0 < measured.answer.stack_bytes < 1024


def test_missing_and_failing_tools_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = make_export(tmp_path / "export", make_run(tmp_path / "run"))
    (tmp_path / "work").mkdir()
    with pytest.raises(ToolError, match=r"no-such-cc: not found.*install"):
        Host(compiler="no-such-cc").build(exported, tmp_path / "work")
    exported.model_source.write_text("int broken(")
    with pytest.raises(ToolError, match=r"failed to compile net\.c: .*error"):
        Host().build(exported, tmp_path / "work")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match=r"arm-none-eabi-gcc: not found.*apt-get install gcc-arm"):
        CORTEX_M4.build(exported, tmp_path / "work")
    with pytest.raises(ToolError, match=r"qemu-system-arm: not found.*apt-get install qemu"):
        CORTEX_M4.run(tmp_path / "work" / "verify.elf", np.zeros((1, 1, 3), np.float32))


def test_a_program_that_stops_early_is_noticed(tmp_path: Path) -> None:
    program = tmp_path / "program"
    x = np.zeros((2, 3, 1), np.int16)
    for script, message in (
        ("exit 0", "no answer"),
        ("exit 7", "exit code 7"),
        ("printf RNNV; head -c 60 /dev/zero", "stopped early|no answer"),
        ("kill -SEGV $$", "signal 11"),
    ):
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        with pytest.raises(ToolError, match=message):
            TARGETS["host"].run(program, x)
