"""docs/protocol.md says what the code does."""

import ctypes
import re
import subprocess
from enum import IntEnum
from pathlib import Path

import pytest

from rnnedge.serialline.device import _DESCRIPTION
from rnnedge.serialline.frames import (
    MAX_PAYLOAD,
    PROTOCOL,
    Code,
    Frame,
    Kind,
    Readable,
    SampleFormat,
    encode_request,
)
from rnnedge.targets.build import firmware
from tests.conftest import ROOT
from tests.models import float_model, quantized
from tests.serialline.board import Board

TEXT = (ROOT / "docs" / "protocol.md").read_text()
C = (firmware("serial/serial.c")).read_text() + (firmware("serial/serial.h")).read_text()


@pytest.mark.parametrize("names", [Kind, Code, Readable, SampleFormat])
def test_names_and_numbers_are_those_of_both_ends(names: type[IntEnum]) -> None:
    for name in names:
        assert f"| {name.value} {name.name} |" in TEXT
    (body,) = [
        block
        for block in re.findall(r"enum \{(.*?)\};", C, re.DOTALL)
        if next(iter(names)).name in block
    ]
    value, found = -1, {}
    for name, number in re.findall(r"(\w+)(?: = (\w+))?", re.sub("//.*", "", body)):
        value = int(number, 0) if number else value + 1
        found[name] = value
    assert found == {name.name: name.value for name in names}


def test_sizes_are_those_of_both_ends() -> None:
    assert f"at most {MAX_PAYLOAD} bytes" in TEXT
    assert f"#define RNNEDGE_SERIAL_PAYLOAD {MAX_PAYLOAD}\n" in C
    assert f"#define RNNEDGE_SERIAL_PROTOCOL {PROTOCOL}\n" in C
    rows = TEXT.split("The description:")[1].split("##")[0]
    sizes = {"u8": 1, "u16": 2, "u32": 4, "32": 32}
    found = [sizes[word] for word in re.findall(r"^\| (u8|u16|u32|32) \|", rows, re.MULTILINE)]
    assert sum(found) == _DESCRIPTION.size


def test_the_example_is_what_is_said(server: ctypes.CDLL) -> None:
    (block,) = re.findall(r"just started:\n\n((?:    .*\n)+)", TEXT)
    board = Board(server, quantized(float_model(1, units=1, channels=2, classes=1), name="a"))
    board.counter = iter(range(0, 1 << 30, 607)).__next__
    said = [line.strip().split("  ")[0] for line in block.splitlines()]
    requests = [line.encode() + b"\n" for line in said if line.startswith(">")]
    found = []
    for request in requests:
        board.write(request)
        found += [request, board.read()]
    assert [line.decode().strip() for line in found] == said
    assert encode_request(Frame(kind=Kind.HELLO, session=0x2A, number=0)) in requests


@pytest.mark.parametrize(
    ("command", "ram", "code", "sentence"),
    [
        (["avr-gcc", "-mmcu=atmega328p"], 129, 4300, "129 bytes of RAM on an AVR"),
        (["arm-none-eabi-gcc", "-mcpu=cortex-m0", "-mthumb"], 152, 2300, "152 on 32-bit cores"),
    ],
)
def test_what_it_costs(
    tmp_path: Path, command: list[str], ram: int, code: int, sentence: str
) -> None:
    source = tmp_path / "server.c"
    source.write_text(f'#include "{firmware("serial/serial.c")}"\nrnnedge_serial app_server;\n')
    program = tmp_path / "server.o"
    flags = ["-std=c99", "-Os", "-fno-common", "-c", str(source), "-o", str(program)]
    subprocess.run([*command, *flags], check=True)
    tool = command[0].replace("gcc", "size")
    said = subprocess.run([tool, "-A", program], check=True, capture_output=True, text=True).stdout
    sizes = {line.split()[0]: int(line.split()[1]) for line in said.splitlines() if line[:1] == "."}
    assert sizes[".bss"] == ram and sentence in TEXT
    assert abs(sizes[".text"] - code) <= 0.05 * code and f"{code / 1000:.1f} kB" in TEXT
