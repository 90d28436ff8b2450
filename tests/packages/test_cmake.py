"""CMake: the package builds with every toolchain, without Python or network; its examples run."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.simulator import quantize, simulate
from tests.models import float_model, quantized
from tests.packages.helpers import GCC, raw_of, run, write_package
from tests.runs import make_run

CMAKE = Path(sys.executable).parent / "cmake"
SHAPES = [
    {},
    {"cells": ("gru_before",), "input_bits": 16, "units": 33},
    {"cells": ("lstm", "rnn_relu"), "channels": 1, "units": 3, "hidden": (5,)},
    {"cells": ("rnn",), "bidirectional": True, "sequences": True},
]
ARM = ("-mthumb", "-Wall", "-Wextra", "-Werror")
CROSS = {
    "cortex-m0": ("arm-none-eabi-gcc", "-mcpu=cortex-m0", *ARM),
    "cortex-m4": ("arm-none-eabi-gcc", "-mcpu=cortex-m4", *ARM),
    "cortex-m55": ("arm-none-eabi-gcc", "-mcpu=cortex-m55 -mfloat-abi=hard", *ARM),
    "rv32": ("riscv64-unknown-elf-gcc", "-march=rv32imc", "-mabi=ilp32", "-ffreestanding"),
    "avr": ("avr-gcc", "-mmcu=atmega328p", "-Wall", "-Werror"),
}


def configure(folder: Path, build: Path, *options: str) -> None:
    run(CMAKE, "-S", folder, "-B", build, *options)
    run(CMAKE, "--build", build)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_builds_with_nothing_but_a_compiler_and_the_selftest_passes(
    tmp_path: Path, shape: dict[str, Any]
) -> None:
    package = write_package(tmp_path / "package", make_run(tmp_path / "run", **shape))
    # an empty PATH but for make, cc and the like: no Python, and nothing that could download
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("cc", "make", "ar", "ranlib", "ld", "as", "nm", "uname", "sh"):
        (tools / tool).symlink_to(Path(run("which", tool).strip()).resolve())
    environment = {"PATH": str(tools), "HOME": str(tmp_path)}
    build = tmp_path / "build"
    run(CMAKE, "-S", package, "-B", build, env=environment)
    run(CMAKE, "--build", build, env=environment)
    assert run(build / "selftest") == "PASS: status 0\n"


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_everything_is_free_of_warnings_on_the_host(tmp_path: Path, compiler: str) -> None:
    package = write_package(tmp_path / "package", quantized(float_model(1)))
    flags = f"-DCMAKE_C_FLAGS={' '.join(GCC)}"
    configure(package, tmp_path / "b", f"-DCMAKE_C_COMPILER={compiler}", flags)


@pytest.mark.parametrize("target", CROSS)
def test_it_cross_compiles(tmp_path: Path, target: str) -> None:
    package = write_package(tmp_path / "package", quantized(float_model(1)))
    compiler, *flags = CROSS[target]
    configure(
        package,
        tmp_path / "b",
        "-DCMAKE_SYSTEM_NAME=Generic",
        f"-DCMAKE_C_COMPILER={compiler}",
        f"-DCMAKE_C_FLAGS={' '.join(flags)}",
        "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY",
    )
    assert (tmp_path / "b" / "librnnedge_net.a").is_file()
    assert not (tmp_path / "b" / "selftest").exists(), "it could not run here"


def test_the_selftest_notices_a_changed_weight(tmp_path: Path) -> None:
    package = write_package(tmp_path / "package", quantized(float_model(1)))
    change_one_weight(package / "src/net/weights_rows.h")
    configure(package, tmp_path / "b")
    done = subprocess.run([tmp_path / "b/selftest"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "FAIL: status -5\n")


def change_one_weight(path: Path) -> None:
    """Add or take one from the first recurrent weight."""
    mark = "RNNEDGE_FLASH = {\n    /* z over hx, units 0 to 7 */\n"
    head, mark, rest = path.read_text().partition(mark)
    assert mark
    number, comma, tail = rest.partition(",")
    value = int(number)
    path.write_text(f"{head}{mark}{value - 1 if value > 0 else value + 1}{comma}{tail}")


@pytest.mark.parametrize("shape", [{}, SHAPES[3]], ids=str)
def test_the_stream_example_says_what_the_simulator_says(
    tmp_path: Path, shape: dict[str, Any]
) -> None:
    model = make_run(tmp_path / "run", **shape)
    raw = raw_of(model, 12)
    configure(write_package(tmp_path / "package", model), tmp_path / "b")
    rows = "\n".join(", ".join(map(str, sample)) for window in raw for sample in window)
    said = run(tmp_path / "b/stream", input=rows + "\n").splitlines()
    scores = simulate(model, quantize(model.input, raw)).scores
    best = [model.classes[i] for i in scores.argmax(axis=1)]
    assert [line.rsplit(" ", 1)[0] for line in said] == best
    assert len(set(best)) > 1, "the test would not notice a constant answer"


def test_the_stream_example_reads_counts(tmp_path: Path) -> None:
    model = quantized(float_model(1))
    raw = raw_of(model, 12)
    counts = np.clip(np.rint(raw * 100), -32768, 32767).astype(int)
    configure(write_package(tmp_path / "package", model, ("cmake",), (100,)), tmp_path / "b")
    rows = "\n".join(
        " ".join(map(str, sample)) for window in counts.astype(int) for sample in window
    )
    said = run(tmp_path / "b/stream", input=rows).splitlines()
    scores = simulate(model, quantize(model.input, (counts / 100).astype(np.float32))).scores
    assert [line.rsplit(" ", 1)[0] for line in said] == [
        model.classes[i] for i in scores.argmax(axis=1)
    ]


MAIN = """cmake_minimum_required(VERSION 3.16)
project(both C)
add_subdirectory({0}/one one)
add_subdirectory({0}/two two)
add_executable(main main.c)
target_link_libraries(main rnnedge_net rnnedge_other)
"""
TWO = """#include "net/golden.h"
#include "other/golden.h"
static net_memory a;
static other_memory b;
int main(void) {
    rnnedge_instance i, j;
    rnnedge_init(&i, &net, RNNEDGE_MEMORY(a));
    rnnedge_init(&j, &other, RNNEDGE_MEMORY(b));
    return rnnedge_selftest(&i, &net_golden) || rnnedge_selftest(&j, &other_golden);
}
"""


def test_two_packages_in_one_project_share_one_runtime(tmp_path: Path) -> None:
    write_package(tmp_path / "one", quantized(float_model(1)))
    lstm = quantized(float_model(2, cells=("lstm",)), name="other")
    write_package(tmp_path / "two", lstm)
    project = tmp_path / "project"
    project.mkdir()
    (project / "CMakeLists.txt").write_text(MAIN.format(tmp_path))
    (project / "main.c").write_text(TWO)
    configure(project, tmp_path / "b")
    assert len(list((tmp_path / "b").rglob("librnnedge.a"))) == 1
    run(tmp_path / "b" / "main")
    # packages of two versions of the runtime are told apart
    lists = tmp_path / "two" / "CMakeLists.txt"
    lists.write_text(
        "\n".join(
            line.replace('STREQUAL "', 'STREQUAL "0') for line in lists.read_text().splitlines()
        )
    )
    done = subprocess.run(
        [CMAKE, "-S", project, "-B", tmp_path / "c"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "run rnnedge export again for both" in " ".join(done.stderr.split())
