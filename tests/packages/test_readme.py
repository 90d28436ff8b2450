"""README.md and examples of a package: figures from the run, code that compiles, any names."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.api.figures import Known, figures, known, measured_targets
from rnnedge.convert.c import export_c
from rnnedge.convert.packages import FORMATS, make_package, package_files
from rnnedge.errors import ToolError
from rnnedge.run import METRICS_FILE, Windows
from rnnedge.simulator import quantize, simulate
from rnnedge.spec import QuantizedModel
from tests.conftest import ROOT
from tests.models import float_model, quantized, run_spec
from tests.packages.helpers import GCC, content, raw_of, run, write_package

BLOCK = re.compile(r"```c\n(.*?)```", re.DOTALL)
SHAPES: list[dict[str, Any]] = [
    {},
    {"cells": ("lstm", "gru_before"), "hidden": (5,)},
    {"bidirectional": True, "sequences": True},
]


def readme(model: QuantizedModel, counts: tuple[float, ...] | None = None) -> str:
    return content(model, FORMATS, counts)["README.md"].decode()


@pytest.mark.parametrize("counts", [None, (16384,)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_ten_lines_compile_as_c99_and_as_cpp11(
    tmp_path: Path, shape: dict[str, Any], counts: tuple[float, ...] | None
) -> None:
    model = quantized(float_model(1, **shape))
    package = write_package(tmp_path / "p", model, FORMATS, counts)
    (code,) = BLOCK.findall((package / "README.md").read_text())
    assert len([line for line in code.splitlines() if line]) <= 10
    (tmp_path / "a.c").write_text(code)
    (tmp_path / "a.cpp").write_text(code)
    flags = [flag for flag in GCC if flag != "-Wmissing-prototypes"]
    run("gcc", *flags, f"-I{package}/src", "-c", tmp_path / "a.c", "-o", tmp_path / "a.o")
    strict = ["-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    run("g++", *strict, f"-I{package}/src", "-c", tmp_path / "a.cpp", "-o", tmp_path / "a.o")


def test_a_cpp11_program_links_the_package_and_passes(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", quantized(float_model(1)))
    sketch = (package / "examples/c/selftest.c").read_text()
    (tmp_path / "main.cpp").write_text(sketch)
    objects = []
    for source in (package / "src").rglob("*.c"):
        objects.append(tmp_path / f"{source.parent.name}_{source.stem}.o")
        run("gcc", "-std=c99", f"-I{package}/src", "-c", source, "-o", objects[-1])
    strict = ["-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{package}/src"]
    run("g++", *strict, tmp_path / "main.cpp", *objects, "-o", tmp_path / "main")
    assert run(tmp_path / "main") == "PASS: status 0\n"


def test_it_says_what_the_model_expects_and_answers() -> None:
    model = dataclasses.replace(
        quantized(float_model(1)),
        channels=("ax", "a|y", "az"),
        channel_units=("g", "", "m/s^2"),
        classes=("rest", "walk", "run\\up", "*/"),
    )
    text = readme(model)
    for row in (r"| 0 | ax | g |", r"| 1 | a\|y | not known |", r"| 2 | az | m/s^2 |"):
        assert row in text
    for row in (r"| 0 | rest |", r"| 2 | run\\up |"):
        assert row in text
    assert "50 samples a second" in text
    assert "window of 16 samples (0.32 s)" in text
    assert "raw counts per unit" not in text and "raw counts per unit" in readme(model, (100,))
    slow = readme(dataclasses.replace(model, rate=1 / 60, window=120))
    assert "Sample rate: 1 sample a minute" in slow
    assert "window of 120 samples (2 h)" in slow
    unknown = readme(dataclasses.replace(model, rate=None))
    assert "Sample rate: not known" in unknown and "a second" not in unknown
    for name, data in content(dataclasses.replace(model, rate=None)).items():
        if name.startswith("examples") and b"SAMPLE_PERIOD_US" in data:
            assert b"the data's rate is not known" in data, name


def test_figures_are_those_of_windows_and_emulator() -> None:
    model = quantized(float_model(1))
    raw = raw_of(model, 10)
    best = simulate(model, quantize(model.input, raw)).scores.argmax(axis=1)
    y = best.astype(np.int64)
    y[:3] = (y[:3] + 1) % model.outputs
    knows = Known(windows=Windows(calibration=raw, X_test=raw, y_test=y), float_accuracy=0.625)
    files = export_c(model, raw[:2])
    (m4,) = measured_targets(None, ("rows", "dsp"))
    assert m4.name == "cortex-m4"
    measured = figures(model, knows, files, [m4])
    assert measured["accuracy"] == {"int8": 0.7, "float": 0.625}
    (row,) = measured["measured"]
    assert 500 < row["per_step"] < 2000
    text = package_files(make_package(model, files, measured, None), files, FORMATS)[
        "README.md"
    ].decode()
    for value in ("| 0.7000 |", "| 0.6250 |", "On 10 test windows", f"{row['per_step']:,} instr"):
        assert value in text
    for key in ("code_bytes", "const_bytes", "ram_bytes", "stack_bytes"):
        assert f"| {row[key]:,} |" in text


def test_what_is_not_known_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Labels that are not known, windows of the calibration, a compiler that is missing."""
    model = quantized(float_model(1))
    raw = raw_of(model)
    files = export_c(model, raw)
    targets = measured_targets(("cortex-m4", "avr"), ("dsp", "avr"))
    monkeypatch.setenv("PATH", str(tmp_path))
    unlabelled = Windows(calibration=raw, X_test=raw, y_test=np.full(2, -1, np.int64))
    measured = figures(model, Known(windows=unlabelled, imported=True), files, targets)
    assert measured["accuracy"] == {} and measured["measured"] == []
    assert [row["target"] for row in measured["not_measured"]] == ["cortex-m4", "avr"]
    assert "arm-none-eabi-gcc: not found" in measured["not_measured"][0]["reason"]
    text = package_files(make_package(model, files, measured, None), files, FORMATS)[
        "README.md"
    ].decode()
    assert "Not known: the windows that it was made with have no labels" in text
    assert "cortex-m4: not measured." in text and "instructions" not in text


def test_float_accuracy_is_that_of_this_very_model(tmp_path: Path) -> None:
    import json

    from rnnedge.modelfile import model_hash

    source = float_model(1)
    model, spec = quantized(source), run_spec(source)
    raw = raw_of(model)
    windows = Windows(calibration=raw, X_test=raw, y_test=np.zeros(2, np.int64))
    assert known(tmp_path, spec, model, windows).float_accuracy is None
    metrics: dict[str, Any] = {"variants": {"float": {"accuracy": 0.9}}, "sha256": "another"}
    (tmp_path / METRICS_FILE).write_text(json.dumps(metrics))
    assert known(tmp_path, spec, model, windows).float_accuracy is None
    metrics["sha256"] = model_hash(model)
    (tmp_path / METRICS_FILE).write_text(json.dumps(metrics))
    assert known(tmp_path, spec, model, windows).float_accuracy == 0.9
    (tmp_path / METRICS_FILE).write_text("{")
    assert known(tmp_path, spec, model, windows).float_accuracy is None


def test_targets_without_weights_are_not_measured() -> None:
    assert [target.name for target in measured_targets(None, ("avr",))] == ["avr"]
    assert measured_targets(None, ("rows",)) == []
    assert measured_targets(("none",), ("rows",)) == []
    with pytest.raises(ToolError, match="add --target cortex-m4"):
        measured_targets(("cortex-m4",), ("avr",))
    with pytest.raises(ToolError, match="cannot be measured"):
        measured_targets(("host",), ("rows",))


NAMES = ["sensor", "ram", "raw", "state", "status", "value", "values", "channel", "text", "result"]


@pytest.mark.parametrize("name", [*NAMES, "main_loop", "i", "count", "bytes", "line", "task"])
def test_examples_in_c_compile_for_any_model_name(tmp_path: Path, name: str) -> None:
    package = write_package(tmp_path / "p", quantized(float_model(1), name=name), ("cmake",))
    for example in (package / "examples/c").iterdir():
        run("gcc", *GCC, f"-I{package}/src", "-fsyntax-only", example)


def test_lines_of_generated_c_are_at_most_100_columns() -> None:
    model = dataclasses.replace(
        quantized(float_model(1, channels=9)),
        channels=tuple(f"a channel with a rather long name, {i}" for i in range(9)),
    )
    for name, data in content(model).items():
        if name.startswith(("examples", "CMake", "zephyr")):
            for line in data.decode().splitlines():
                assert len(line) <= 100, (name, line)


def test_arduino_without_the_ide_names_a_sketch_of_the_folder() -> None:
    files = content(quantized(float_model(1)))
    (line,) = re.findall(r"^    (arduino-cli .*)$", files["README.md"].decode(), re.MULTILINE)
    assert "--library . " in line
    folder = line.split()[-1]
    assert f"{folder}/{folder.rpartition('/')[2]}.ino" in files


def test_the_licence_is_the_projects() -> None:
    assert content(quantized(float_model(1)))["LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_one_format_leaves_out_the_others() -> None:
    model = quantized(float_model(1))
    marks = {
        "arduino": ("library.properties", "examples/Verify/Verify.ino"),
        "platformio": ("library.json",),
        "esp-idf": ("idf_component.yml", "examples/esp_idf/main/serial.c"),
        "zephyr": ("zephyr/module.yml", "examples/zephyr/src/stream.c"),
        "cmake": ("examples/c/selftest.c", "extras/firmware/CMakeLists.txt"),
    }
    assert set(marks) == set(FORMATS)
    everything = set(content(model, FORMATS))
    for name in FORMATS:
        files = set(content(model, (name,)))
        assert files < everything
        for other, paths in marks.items():
            for path in paths:
                assert (path in files) == (other == name), (name, path)
        assert ("CMakeLists.txt" in files) == (name in ("esp-idf", "cmake"))
        text = content(model, (name,))["README.md"].decode()
        assert text.count("\n### ") == 1
