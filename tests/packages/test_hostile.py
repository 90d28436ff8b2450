"""Any name of a channel, unit or class: comments of C stay one line, README.md shows the name."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rnnedge.spec import QuantizedModel
from tests.models import float_model, quantized
from tests.packages import test_espidf, test_zephyr
from tests.packages.helpers import GCC, content, run, write_package

NAMES = [
    "a\\",
    "a??/",
    "a???/",
    "*/ int x;",
    "/*",
    "a\0b",
    "\x1b[31m",
    "\u202eab",
    "\ud800",
    "größe",
]
ARDUINO = """#pragma once
#include <stdint.h>
#include <stddef.h>
#define F(text) text
struct Line {
    void begin(unsigned long baud);
    template <typename T> void print(T value);
    template <typename T> void println(T value);
    int read();
    int available();
    size_t write(const uint8_t *bytes, size_t size);
};
extern Line Serial;
unsigned long micros();
unsigned long millis();
void delay(unsigned long ms);
"""


def model_with(name: str) -> QuantizedModel:
    """It stands at the end of lines and within them."""
    names = (name, f"{name} and {name}", "last")
    return replace(
        quantized(float_model(1)),
        channels=names,
        channel_units=(name, "", name),
        classes=(*names, f"other {name}"),
    )


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    """Headers of ESP-IDF, Zephyr and Arduino, as far as the examples need them."""
    headers = {**test_espidf.HEADERS, **test_zephyr.HEADERS, "Arduino.h": ARDUINO}
    for name, text in headers.items():
        (tmp_path / "stubs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "stubs" / name).write_text(text)
    return tmp_path / "stubs"


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_no_name_extends_or_ends_a_comment(tmp_path: Path, stubs: Path, name: str) -> None:
    """-Wall warns of comments that go on in the next line, -trigraphs of what -std=c99 replaces."""
    package = write_package(tmp_path / "p", model_with(name))
    includes = [f"-I{package}/src", f"-I{stubs}"]
    flags = [flag for flag in GCC if flag != "-Wmissing-prototypes"]
    sources = [package / "src/net_model.c", *sorted((package / "examples").rglob("*.c"))]
    assert len(sources) == 9
    for compiler in ("gcc", "clang"):
        run(compiler, *flags, *includes, "-fsyntax-only", *sources)
    for sketch in sorted((package / "examples").rglob("*.ino")):
        strict = ["-std=c++11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
        run("g++", *strict, *includes, "-include", stubs / "Arduino.h", "-x", "c++", sketch)
    for path in package.rglob("*"):
        if path.suffix in (".c", ".h", ".ino", ".properties", ".yml"):
            text = path.read_text(encoding="ascii")
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text), path


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("größe 温度", "größe 温度"),
        ("a|b", r"a\|b"),
        ("a\\", r"a\\"),
        ("*a* `b` <c> [d]", r"\*a\* \`b\` \<c> \[d\]"),
        ("accel_x", "accel_x"),
        ("_x_", r"\_x\_"),
        ("*/ ??/", r"\*/ ??/"),
        ("a\0b\nc\u202ed", "a?b c?d"),
        ("\ud800", "?"),
    ],
)
def test_the_readme_shows_names_as_they_are(name: str, shown: str) -> None:
    model = model_with(name)
    text = content(model, ("cmake",))["README.md"].decode()
    assert f"| 0 | {shown} | {shown} | " in text
    assert f"| 0 | {shown} |\n" in text
