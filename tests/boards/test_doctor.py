"""rnnedge doctor: what it finds, what it makes of what is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

from rnnedge import doctor
from rnnedge.boards import BOARDS
from rnnedge.parts import PARTS, Part
from rnnedge.targets import TARGETS
from rnnedge.targets.tools import find
from tests.cli import rnnedge


def test_the_doctor_knows_every_target_board_and_tool() -> None:
    document = rnnedge("doctor", "--json").json
    assert [row["target"] for row in document["targets"]] == list(TARGETS)
    assert [row["board"] for row in document["boards"]] == [board.name for board in BOARDS]
    for board, row in zip(BOARDS, document["boards"], strict=True):
        assert row["flash_tools"] == [tool.tool for tool in board.flash_tools]
        assert (row["emulate"] is None) == (board.emulator is None)
    parts = {part["name"]: part for part in document["parts"]}
    tools = {tool.tool for board in BOARDS for tool in board.flash_tools} - {"copy"}
    assert tools <= set(parts), "every flash tool is looked for"
    assert parts["numpy"]["kind"] == "Python package"
    assert parts["numpy"]["version"] and parts["pyserial"]["version"]


def test_versions_are_those_that_the_programs_tell() -> None:
    # cmake and ninja are Python packages as well, with versions of their own
    parts = {
        part["name"]: part["version"]
        for part in rnnedge("doctor", "--json").json["parts"]
        if part["kind"] != "Python package"
    }
    for name in ("cc", "avr-gcc", "cmake", "qemu-system-arm"):
        program = find(name)  # PATH may have another than the one that comes with pip
        assert program
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        assert parts[name] in said.stdout.splitlines()[0]


def test_nothing_is_missing_where_the_tests_run() -> None:
    done = rnnedge("doctor", "--require", "all")
    assert done.code == 0, done.err
    assert "board" in done.out and "arduino_uno" in done.out


def test_without_programs_the_doctor_names_them_and_what_installs_them(tmp_path: Path) -> None:
    done = rnnedge("doctor", "--json", PATH=str(tmp_path))
    document = done.json
    assert done.code == 0, "unless --require says so"
    assert not any(row["build"] or row["run"] for row in document["targets"])
    (row,) = [row for row in document["targets"] if row["target"] == "avr"]
    assert row["missing"] == ["avr-gcc", "avr-libc", "simavr", "cc"]
    (row,) = [row for row in document["boards"] if row["board"] == "microbit"]
    assert not row["build"] and not row["emulate"] and row["flash"] == ["copy"]
    said = " ".join(document["install"])
    for package in ("gcc-arm-none-eabi", "libnewlib-arm-none-eabi", "avrdude", "qemu-system-misc"):
        assert package in said
    assert "pip install pyocd esptool" in said
    required = rnnedge("doctor", "--require", "demo", PATH=str(tmp_path))
    assert required.code == 1
    assert "host: missing cc" in required.err
    assert "cortex-m4: missing arm-none-eabi-gcc, newlib for Arm, qemu-system-arm" in required.err
    assert "cortex-m0" not in required.err
    rnnedge("doctor", "--require", "z80").refused("z80", "cortex-m4", "arduino_uno", "demo")


def test_a_python_package_that_is_missing_is_required_by_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = Part(name="pyserial", kind="Python package", pip="pyserial", look=lambda: None)
    monkeypatch.setattr(doctor, "python_parts", lambda: [gone])
    document = doctor.examine()
    assert doctor.lacking(document, ["host"]) == {"Python": ["pyserial"]}
    assert any(
        line.startswith("pip install ") and "pyserial" in line for line in document["install"]
    )


def test_the_lines_are_those_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [PARTS["avrdude"], PARTS["cc"], PARTS["pyocd"], PARTS["picotool"]]
    monkeypatch.setattr(doctor, "has_apt", lambda: True)
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 1000)
    assert doctor.install_commands(parts) == [
        "sudo apt-get install --no-install-recommends avrdude gcc libc6-dev",
        "pip install pyocd",
        "picotool: https://github.com/raspberrypi/picotool",
    ]
    monkeypatch.setattr(doctor, "has_apt", lambda: False)
    assert "package manager" in doctor.install_commands(parts)[0]
    assert doctor.install_commands([]) == []


@pytest.mark.parametrize("command", ["doctor", "boards"])
def test_it_answers_without_tensorflow(command: str) -> None:
    program = (
        "import sys\nfrom rnnedge.cli import main\n"
        f"try: main(['{command}'])\nexcept SystemExit as end: assert not end.code\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'tflite_micro'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
