"""Arduino: its own builder compiles library and sketches for the Uno, which run in simavr."""

import os
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from rnnedge.boards import find_board
from rnnedge.boards.emulator import emulated
from rnnedge.output import write_files
from rnnedge.spec import QuantizedModel
from tests.cli import rnnedge
from tests.models import float_model, quantized
from tests.packages.helpers import content, library_zip, write_package
from tests.runs import make_run

UNO_FLASH, UNO_RAM = 32_256, 2_048
LEAST_STACK = 400
HARDWARE = ("/usr/share/arduino-builder", "/usr/share/arduino/hardware")
# as its "Export compiled binary" does it; Debian's float.h lacks DECIMAL_DIG, which the core uses
BUILDER = [
    "arduino-builder",
    "-compile",
    *(word for folder in HARDWARE for word in ("-hardware", folder)),
    *("-tools", "/usr/bin", "-fqbn", "arduino:avr:uno", "-warnings", "all"),
    "-prefs=compiler.cpp.extra_flags=-DDECIMAL_DIG=__DECIMAL_DIG__",
]
SIZE = re.compile(r"Sketch uses (\d+) bytes.*?Global variables use (\d+) bytes", re.DOTALL)
# the core's own sources warn
OURS = re.compile(r"^(?!/usr/share/arduino).*\b(?:warning|error):.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A compiled sketch."""

    elf: Path
    flash: int
    ram: int


def compile_sketch(sketch: Path, libraries: Path, build: Path) -> Sketch:
    """Compile a sketch for the Uno; nothing of ours may cause a warning."""
    for tool, package in (("arduino-builder", "arduino-builder"), ("avr-gcc", "gcc-avr")):
        if shutil.which(tool) is None:
            pytest.fail(f"{tool}: not found; sudo apt-get install {package} arduino-core-avr")
    build.mkdir(parents=True)
    words = [*BUILDER, "-libraries", str(libraries), "-build-path", str(build), str(sketch)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert not OURS.findall(said), OURS.findall(said)
    found = SIZE.search(said)
    assert found, said
    (elf,) = build.glob("*.elf")
    return Sketch(elf=elf, flash=int(found[1]), ram=int(found[2]))


def first_line(sketch: Sketch, seconds: float = 60) -> str:
    """Run a sketch in simavr until it has sent a line."""
    process = subprocess.Popen(
        ["simavr", "-m", "atmega328p", "-f", "16000000", sketch.elf],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    said, end = "", time.monotonic() + seconds
    try:
        while time.monotonic() < end and process.poll() is None:
            said += (process.stdout.read() or b"").decode(errors="replace")
            for line in said.splitlines()[:-1]:
                if re.search("PASS|FAIL|status", line):
                    return re.sub(r"\x1b\[\d+m", "", line).strip(". ")
            time.sleep(0.05)
    finally:
        process.kill()
        process.communicate()
    raise AssertionError(f"nothing said within {seconds} s: {said!r}")


def install(folder: Path, model: QuantizedModel) -> Path:
    """Put the library of a model into a libraries folder, as the IDE does with its zip."""
    with zipfile.ZipFile(BytesIO(library_zip(model))) as archive:
        archive.extractall(folder)
    return folder / f"rnnedge_{model.name}"


MODELS: dict[str, Callable[[], QuantizedModel]] = {
    "gru": lambda: quantized(float_model(1, units=16)),
    "lstm": lambda: quantized(float_model(2, cells=("lstm",), units=12)),
    "stacked": lambda: quantized(float_model(3, cells=("gru", "lstm"), units=8, hidden=(6,))),
    "wide": lambda: quantized(float_model(4, cells=("gru_before", "rnn")), input_bits=16),
    "both ways": lambda: quantized(float_model(5, cells=("gru",), bidirectional=True, units=6)),
}


@pytest.mark.parametrize("kind", MODELS)
def test_verify_passes_on_the_uno(tmp_path: Path, kind: str) -> None:
    """Under Arduino's own flags, -Os -flto, the bits are the simulator's."""
    library = install(tmp_path / "libraries", MODELS[kind]())
    built = compile_sketch(
        library / "examples/Verify/Verify.ino", tmp_path / "libraries", tmp_path / "build"
    )
    assert built.flash <= UNO_FLASH
    assert built.ram <= UNO_RAM - LEAST_STACK
    assert first_line(built) == "PASS"


@pytest.mark.parametrize("name", ["Stream", "Serial"])
@pytest.mark.parametrize("counts", [None, (16384, 1000, 1)])
def test_all_other_sketches_compile_and_fit(
    tmp_path: Path, name: str, counts: tuple[float, ...] | None
) -> None:
    model = MODELS["gru"]()
    library = tmp_path / "libraries" / "rnnedge_net"
    files = content(model, ("arduino",), counts)
    assert {f"examples/{x}/{x}.ino" for x in ("Verify", "Stream", "Serial")} <= set(files)
    write_files(library, files)
    sketch = library / "examples" / name / f"{name}.ino"
    built = compile_sketch(sketch, tmp_path / "libraries", tmp_path / "build")
    assert built.flash <= UNO_FLASH and built.ram <= UNO_RAM - LEAST_STACK


@pytest.mark.parametrize("kind", ["gru", "lstm", "stacked", "both ways"])
def test_a_board_with_the_serial_sketch_is_verified(tmp_path: Path, kind: str) -> None:
    """The command of the package's README, with an emulated Uno behind the port."""
    shapes: dict[str, dict[str, Any]] = {
        "gru": {"units": 16},
        "lstm": {"cells": ("lstm",), "units": 12},
        "stacked": {"cells": ("gru", "lstm"), "hidden": (6,)},
        "both ways": {"bidirectional": True, "units": 6},
    }
    model = make_run(tmp_path / "run", **shapes[kind])
    library = write_package(tmp_path / "libraries/rnnedge_net", model, ("arduino",))
    sketch = library / "examples/Serial/Serial.ino"
    built = compile_sketch(sketch, tmp_path / "libraries", tmp_path / "build")
    with emulated(find_board("arduino_uno"), built.elf) as port:
        words = ("verify", tmp_path / "run", "--board", "arduino_uno", "--port", port, "--json")
        (row,) = rnnedge(*words).json
    assert row["differences"] == 0
    assert row["values_compared"] >= 160
    assert (row["board"], row["model"]) == ("arduino_uno", "net")


def test_verify_fails_on_a_changed_weight(tmp_path: Path) -> None:
    library = install(tmp_path / "libraries", MODELS["gru"]())
    weights = library / "src/net/weights_avr.h"
    head, mark, rest = weights.read_text().partition("RNNEDGE_FLASH = {")
    numbers = re.sub(r"(\d+),", lambda n: f"{int(n[1]) ^ 16},", rest, count=40)
    weights.write_text(head + mark + numbers)
    built = compile_sketch(
        library / "examples/Verify/Verify.ino", tmp_path / "libraries", tmp_path / "build"
    )
    assert first_line(built) == "FAIL: status -5"


BOTH = """
#include <net.h>
#include <net/golden.h>
#include <other.h>
#include <other/golden.h>
static net_memory a;
static other_memory b;
static rnnedge_instance i, j;
void setup() {
    Serial.begin(115200);
    rnnedge_init(&i, &net, RNNEDGE_MEMORY(a));
    rnnedge_init(&j, &other, RNNEDGE_MEMORY(b));
    Serial.println(rnnedge_selftest(&i, &net_golden) == RNNEDGE_OK ? F("one PASS") : F("one FAIL"));
    Serial.println(rnnedge_selftest(&j, &other_golden) == RNNEDGE_OK ? F("PASS") : F("FAIL"));
}
void loop() {}
"""


def test_two_libraries_in_one_sketch_link_and_pass(tmp_path: Path) -> None:
    libraries = tmp_path / "libraries"
    install(libraries, MODELS["gru"]())
    install(libraries, quantized(float_model(2, cells=("lstm",)), name="other"))
    sketch = tmp_path / "both" / "both.ino"
    sketch.parent.mkdir()
    sketch.write_text(BOTH)
    built = compile_sketch(sketch, libraries, tmp_path / "build")
    assert first_line(built) == "one PASS"
    sketch.write_text(BOTH.replace('F("one PASS")', 'F("one")').replace('F("one FAIL")', 'F("no")'))
    assert first_line(compile_sketch(sketch, libraries, tmp_path / "again")) == "PASS"


CATEGORIES = [
    *("Display", "Communication", "Signal Input/Output", "Sensors", "Device Control", "Timing"),
    *("Data Storage", "Data Processing", "Other"),
]


def rules(files: dict[str, Any], folder: str) -> None:
    """The rules of Arduino's library specification 2.2 that can be checked without its tools."""
    properties = dict(
        line.split("=", 1) for line in files["library.properties"].decode().splitlines()
    )
    assert set(properties) >= {
        *("name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url"),
        *("architectures", "includes"),
    }
    assert all(value.strip() for value in properties.values())
    name = properties["name"]
    assert name == folder
    assert len(name) <= 63 and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.-]*", name)
    assert "arduino" not in name.lower()
    assert re.fullmatch(r"\d+\.\d+\.\d+", properties["version"])
    assert properties["category"] in CATEGORIES
    assert properties["architectures"] == "*"
    assert properties["sentence"] not in properties["paragraph"]
    assert not properties["sentence"].startswith(name)
    assert properties["url"].startswith("https://")
    headers = [path for path in files if re.fullmatch(r"src/[^/]+\.h", path)]
    assert headers == [f"src/{properties['includes']}"]
    assert not any(path.split("/")[0] in ("utility", "arch") for path in files)
    assert not any(path.endswith((".exe", ".hex", ".o", ".a", ".development")) for path in files)
    for path in files:
        if path.endswith(".ino"):
            assert path.split("/")[-2:] == [Path(path).stem, Path(path).name], "a sketch's folder"
    # Windows and macOS know no difference of case
    assert len({path.lower() for path in files}) == len(files)
    folders = {str(parent) for path in files for parent in Path(path).parents}
    assert len({path.lower() for path in folders}) == len(folders)


def test_metadata_follow_the_specification() -> None:
    for model in (MODELS["gru"](), quantized(float_model(1), name="A" + "b" * 39)):
        for formats in (("arduino",), ("arduino", "platformio", "esp-idf", "zephyr", "cmake")):
            rules(content(model, formats), f"rnnedge_{model.name}")


def test_the_zip_has_one_top_folder_and_the_same_bytes_twice(tmp_path: Path) -> None:
    model = MODELS["gru"]()
    data = library_zip(model)
    time.sleep(2.1)  # the resolution of a zip's times
    assert library_zip(MODELS["gru"]()) == data
    write_package(tmp_path / "rnnedge_net", model, ("arduino",))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        names = archive.namelist()
        assert {name.split("/")[0] for name in names} == {"rnnedge_net"}
        modes = {entry.external_attr >> 16 for entry in archive.infolist()}
        assert modes == {0o100644}, "files, no links"
        same = ("README.md", "rnnedge.json", "extras/report.json")  # of these, not the figures
        for name in names:
            if not name.endswith(same):
                assert archive.read(name) == (tmp_path / name).read_bytes()
