"""Exported C on the host under every compiler and sanitizer."""

from pathlib import Path

import numpy as np
import pytest

from rnnedge.errors import ToolError
from rnnedge.simulator import simulate
from rnnedge.targets import TARGETS
from rnnedge.targets.host import Host
from tests.models import extreme_inputs
from tests.runs import make_export, make_run

SHAPES = [
    {"units": 32, "channels": 9},
    {"units": 31, "channels": 2, "cells": ("gru_before",), "input_bits": 16},
    {"units": 5, "channels": 1, "input_bits": 16, "cells": ("gru", "gru")},
    {"units": 1, "channels": 3, "cells": ("gru_before",)},
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


def test_missing_and_failing_compilers_are_named(tmp_path: Path) -> None:
    exported = make_export(tmp_path / "export", make_run(tmp_path / "run"))
    (tmp_path / "work").mkdir()
    with pytest.raises(ToolError, match=r"no-such-cc: not found.*install"):
        Host(compiler="no-such-cc").build(exported, tmp_path / "work")
    exported.model_source.write_text("int broken(")
    with pytest.raises(ToolError, match=r"failed to compile net_model\.c: .*error"):
        Host().build(exported, tmp_path / "work")


def test_a_program_that_stops_early_is_noticed(tmp_path: Path) -> None:
    program = tmp_path / "program"
    x = np.zeros((2, 3, 1), np.int16)
    for script, message in (
        ("exit 0", "no answer"),
        ("exit 7", "exit code 7"),
        ("printf RNNV; head -c 60 /dev/zero", "stopped early|no answer|states a window"),
        ("kill -SEGV $$", "signal 11"),
    ):
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        with pytest.raises(ToolError, match=message):
            TARGETS["host"].run(program, x)
