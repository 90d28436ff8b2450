"""The exported folder: the same bytes twice, builds without Python, and in C++."""

import dataclasses
import os
import subprocess
from pathlib import Path

import pytest

from rnnedge.convert.c import export_c
from rnnedge.convert.c.text import comment_text, name_text, string
from rnnedge.spec import QuantizedModel
from tests.models import float_model, quantized, raw_windows
from tests.runs import make_export, make_run
from tests.taskmodels import task_data, task_model


def files(seed: int = 1) -> dict[str, bytes]:
    model = quantized(float_model(seed))
    return export_c(model, raw_windows(float_model(seed), 1, 2, 16))


def test_export_is_byte_identical_and_carries_no_date() -> None:
    assert files() == files()
    for name, data in files().items():
        assert b"/work" not in data and b"/home" not in data, name
        assert b"20260" not in data, name


def test_no_two_objects_have_one_name_whatever_the_model_is_called() -> None:
    """An archive that is filled object by object keeps only the last of equal names."""
    runtime = {Path(name).stem for name in files() if name.endswith(".c") and "rnnedge" in name}
    model = quantized(float_model(1))
    for name in sorted({*runtime, "model", "golden"}):
        raw = raw_windows(float_model(1), 1, 2, 16)
        exported = export_c(dataclasses.replace(model, name=name), raw)
        names = [Path(path).name.lower() for path in exported if path.endswith((".c", ".S"))]
        assert len(names) == len(set(names)), name


def test_lines_are_at_most_100_columns() -> None:
    for name, data in files().items():
        for line in data.decode().splitlines():
            assert len(line) <= 100 or "sha256" in line, (name, line)


def test_headers_compile_as_cpp11(tmp_path: Path) -> None:
    exported = make_export(tmp_path / "export", make_run(tmp_path / "run"))
    (tmp_path / "a.cpp").write_text("""
#include "net/golden.h"
static net_memory ram;
static rnnedge_instance sensor;
int main() {
    rnnedge_rules rules = {0, RNNEDGE_Q15(0.5), 3};
    const int16_t counts[NET_INPUTS] = {0};
    return rnnedge_init(&sensor, &net, RNNEDGE_MEMORY(ram)) ||
           rnnedge_selftest(&sensor, &net_golden) || rnnedge_set_rules(&sensor, &rules) ||
           rnnedge_step_counts(&sensor, net_counts, counts);
}
""")
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Wold-style-cast", "-Werror"]
    includes = [f"-I{folder}" for folder in exported.include_dirs]
    objects = []
    for source in [
        *exported.runtime_sources,
        exported.model_source,
        exported.folder / "src/net/net_golden.c",
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


def test_a_name_that_could_be_misread_is_quoted() -> None:
    for name in ("walk", "walk up", "a-b", "*", "x/y"):
        assert name_text(name) == name
    quoted = {" ": '" "', "": '""', " a": '" a"', "a  b": '"a  b"', ",": '","', "\n": r'"\n"'}
    quoted |= {'"': r'"\""', "\\": r'"\\"', "é": r'"\u00e9"', "\x7f": r'"\u007f"'}
    quoted |= {", */": '", * /"'}
    for name, shown in quoted.items():
        assert name_text(name) == shown


def test_the_header_lists_every_name(tmp_path: Path) -> None:
    model = task_model(3, "reply", rows=40)
    assert model.encoder is not None
    asked = (*(f"question {i}" for i in range(40)), " ", "\n")
    encoder = dataclasses.replace(model.encoder, classes=asked)
    answers = (" ", *(f"answer {i}" for i in range(39)))
    model = dataclasses.replace(model, classes=answers, encoder=encoder)
    header = export_c(model, task_data(model, 3, 2, 5).raw)["src/net.h"].decode()
    assert 'names in net.classes:\n *   0 " ", 1 answer 0, 2 answer 1,' in header
    assert "names in net_encoder.classes:\n *   0 question 0, 1 question 1," in header
    assert '39 question 39, 40 " ", 41 "\\n"\n */' in header
    assert all(f" {i + 1} answer {i}" in header.replace(",", "") for i in range(39))
    assert max(map(len, header.splitlines())) <= 100


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
