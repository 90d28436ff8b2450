"""The exported folder: the same bytes twice, builds without Python, and in C++."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rnnedge.convert.c import export_c
from rnnedge.convert.c.text import comment_text, string
from rnnedge.spec import QuantizedModel
from tests.models import float_model, quantized, raw_windows
from tests.runs import make_export, make_run

CMAKE = Path(sys.executable).parent / "cmake"
SHAPES = [
    {},
    {"cells": ("gru_before",), "input_bits": 16, "units": 33},
    {"cells": ("lstm", "rnn_relu"), "channels": 1, "units": 3, "hidden": (5,)},
    {"cells": ("rnn",), "bidirectional": True, "sequences": True},
]


def files(seed: int = 1) -> dict[str, bytes]:
    model = quantized(float_model(seed))
    return export_c(model, raw_windows(float_model(seed), 1, 2, 16))


def test_export_is_byte_identical_and_carries_no_date() -> None:
    assert files() == files()
    for name, data in files().items():
        assert b"/work" not in data and b"/home" not in data, name
        assert b"20260" not in data, name


def test_lines_are_at_most_100_columns() -> None:
    for name, data in files().items():
        for line in data.decode().splitlines():
            assert len(line) <= 100 or "sha256" in line, (name, line)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cmake_builds_it_without_python_and_the_selftest_passes(
    tmp_path: Path, shape: dict[str, Any]
) -> None:
    model = make_run(tmp_path / "run", **shape)
    make_export(tmp_path / "export", model)
    # an empty PATH but for make, cc and the like: no Python
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("cc", "make", "ar", "ranlib", "ld", "as", "nm", "uname", "sh"):
        found = subprocess.run(["which", tool], capture_output=True, text=True, check=True)
        (tools / tool).symlink_to(Path(found.stdout.strip()).resolve())
    environment = {"PATH": str(tools), "HOME": str(tmp_path)}
    build = [str(CMAKE), "-S", str(tmp_path / "export"), "-B", str(tmp_path / "build")]
    for command in (build, [str(CMAKE), "--build", str(tmp_path / "build")]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run(
        [tmp_path / "build" / "selftest"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "PASS: status 0\n")


def test_cmake_cross_compiles_it_for_cortex_m4(tmp_path: Path) -> None:
    make_export(tmp_path / "export", make_run(tmp_path / "run"))
    cross = ["-DCMAKE_SYSTEM_NAME=Generic", "-DCMAKE_C_COMPILER=arm-none-eabi-gcc"]
    cross += ["-DCMAKE_C_FLAGS=-mcpu=cortex-m4 -mthumb -Wall -Wextra -Werror"]
    cross += ["-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY"]
    where = ["-S", str(tmp_path / "export"), "-B", str(tmp_path / "build")]
    subprocess.run([CMAKE, *where, *cross], check=True, capture_output=True)
    subprocess.run([CMAKE, "--build", tmp_path / "build"], check=True, capture_output=True)
    assert (tmp_path / "build" / "libnet.a").is_file()


def test_the_selftest_notices_a_changed_weight(tmp_path: Path) -> None:
    exported = make_export(tmp_path / "export", make_run(tmp_path / "run"))
    change_one_weight(exported.folder / "src/net/weights_rows.h")
    sources = [str(p) for p in exported.runtime_sources]
    own = ("src/net", "src/net/golden", "examples/selftest/selftest")
    sources += [str(exported.folder / f"{name}.c") for name in own]
    includes = [f"-I{folder}" for folder in exported.include_dirs]
    subprocess.run(["cc", *sources, *includes, "-o", tmp_path / "t"], check=True)
    done = subprocess.run([tmp_path / "t"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "FAIL: status -5\n")


def change_one_weight(path: Path) -> None:
    """Add or take one from the first recurrent weight."""
    mark = "RNNEDGE_FLASH = {\n    /* z over hx, units 0 to 7 */\n"
    head, mark, rest = path.read_text().partition(mark)
    assert mark
    number, comma, tail = rest.partition(",")
    value = int(number)
    path.write_text(f"{head}{mark}{value - 1 if value > 0 else value + 1}{comma}{tail}")


def test_headers_compile_as_cpp11(tmp_path: Path) -> None:
    exported = make_export(tmp_path / "export", make_run(tmp_path / "run"))
    (tmp_path / "a.cpp").write_text(
        '#include "net/golden.h"\n'
        "int main() { return rnnedge_model_check(&net) + net_golden.windows - 2; }\n"
    )
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    includes = [f"-I{folder}" for folder in exported.include_dirs]
    objects = []
    for source in [
        *exported.runtime_sources,
        exported.model_source,
        exported.folder / "src/net/golden.c",
    ]:
        objects.append(str(tmp_path / f"{source.stem}.o"))
        subprocess.run(["cc", "-std=c99", "-c", source, *includes, "-o", objects[-1]], check=True)
    subprocess.run(
        ["g++", *flags, tmp_path / "a.cpp", *includes, *objects, "-o", tmp_path / "a"], check=True
    )
    assert subprocess.run([tmp_path / "a"], check=False).returncode == 0


def test_any_text_becomes_harmless_c() -> None:
    assert string('a"b\\c\n?? é') == r'"a\"b\\c\012\?\? \303\251"'
    assert comment_text("a */ b /* c\nd é") == "a * / b / * c d ?"


def test_hostile_names_of_classes_and_channels_still_compile(tmp_path: Path) -> None:
    import dataclasses

    model = quantized(float_model(1))
    hostile = dataclasses.replace(
        model, classes=('"', "*/ int x;", "??/", "\\"), channels=("*/", '"', "a\\")
    )
    assert isinstance(hostile, QuantizedModel)
    exported = make_export(tmp_path / "export", hostile)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    includes = [f"-I{folder}" for folder in exported.include_dirs]
    subprocess.run(["cc", *flags, *includes, exported.model_source], check=True)


def test_the_environment_has_no_influence(monkeypatch: pytest.MonkeyPatch) -> None:
    before = files()
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.chdir(os.path.sep)
    assert files() == before
