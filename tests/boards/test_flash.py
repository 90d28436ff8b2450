"""rnnedge flash, boards, emulate: commands, fit, ports, drives, and what goes wrong."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnedge.boards import BOARDS, find_board
from rnnedge.boards.images import read_image
from tests.boards.test_images import read_uf2
from tests.boards.test_uno import emulate
from tests.cli import rnnedge
from tests.runs import make_run

HERE = [board.name for board in BOARDS if board.core != "xtensa"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "motor"
    make_run(folder, name="motor", units=8)
    return folder


@pytest.mark.parametrize("board", HERE)
def test_a_dry_run_builds_checks_and_prints(board: str, run: Path, tmp_path: Path) -> None:
    """Without the tool, the port or the drive."""
    described = find_board(board)
    for tool in (tool for tool in described.flash_tools if not tool.project):
        out = tmp_path / tool.tool
        options = ("--board", board, "--tool", tool.tool, "--dry-run", "--out", out)
        document = rnnedge("flash", run, *options, "--json").json
        assert not document["flashed"] and document["tool"] == tool.tool
        assert document["command"][0] == tool.command[0]
        image = Path(document["image"])
        assert str(image) in " ".join(document["command"]), "the command takes the image"
        assert not re.search(r"[{}]", " ".join(document["command"])), "every place is filled in"
        assert image.suffix == f".{tool.image}"
        assert image.stat().st_size == document["image_bytes"] > 0
        assert 4000 < document["flash_bytes"] <= document["flash_size"] == described.flash.size
        assert document["ram_bytes"] + document["stack_bytes"] <= document["ram_size"]
        if tool.image == "uf2":
            assert min(read_uf2(image.read_bytes())) == described.flash.origin
        if tool.image in ("hex", "elf"):
            content = read_image(image)
            assert content.start == described.flash.origin
            assert document["flash_bytes"] <= len(content.bin()) <= document["flash_bytes"] + 64


def test_a_dry_run_says_what_fits_and_what_was_kept(run: Path, tmp_path: Path) -> None:
    done = rnnedge("flash", run, "--board", "microbit", "--dry-run", "--tool", "pyocd")
    lines = done.out.splitlines()
    assert lines[0] == "built for speed (-O3)"
    assert re.fullmatch(r"flash [\d,]+ of 262,144 bytes", lines[1])
    assert re.fullmatch(
        r"RAM [\d,]+ of 16,384 bytes, [\d,]+ left for the stack \(at least 2,048 wanted\)", lines[2]
    )
    assert lines[3] == "pyocd load --no-wait --target nrf51 motor-microbit.hex", "no path that goes"
    assert lines[4:] == ["dry run: nothing was flashed; --out FOLDER keeps the image"]
    keeping = ("--board", "microbit", "--dry-run", "--tool", "pyocd", "--out", tmp_path)
    kept = rnnedge("flash", run, *keeping).out.splitlines()
    assert kept[3].endswith(f" {tmp_path}/motor-microbit.hex") and "--out" not in kept[-1]
    project = rnnedge("flash", run, "--board", "esp32", "--dry-run").out.splitlines()
    assert project[0].startswith("idf.py -C examples/esp_idf ")
    assert project[-1] == (
        "dry run: nothing was built, idf.py does that; --out FOLDER keeps the project"
    )


def test_esp32_gets_a_project_for_its_own_build_system(run: Path, tmp_path: Path) -> None:
    options = ("--board", "esp32", "--port", "/dev/ttyUSB7", "--dry-run", "--json")
    document = rnnedge("flash", run, *options, "--out", tmp_path / "idf").json
    project = tmp_path / "idf" / "examples" / "esp_idf"
    assert document["command"] == [
        *("idf.py", "-C", str(project), "-DIDF_TARGET=esp32", "-DEXAMPLE=serial"),
        *("-p", "/dev/ttyUSB7", "build", "flash"),
    ]
    assert "project(" in (project / "CMakeLists.txt").read_text()
    assert "idf_component_register" in (tmp_path / "idf" / "CMakeLists.txt").read_text()
    assert (tmp_path / "idf" / "src" / "motor.h").is_file()
    tool = ("--port", "/dev/null", "--board", "esp32")
    rnnedge("flash", run, *tool, PATH="/nonexistent").refused("idf.py", "not found", "esp-idf")


@pytest.mark.parametrize(
    ("board", "tool", "commands"),
    [
        (
            "esp32",
            "idf.py",
            ["idf.py -C {} -DIDF_TARGET=esp32 -DEXAMPLE=serial -p /dev/null build flash"],
        ),
        (
            "esp32",
            "esptool",
            [
                "idf.py -C {} -DIDF_TARGET=esp32 -DEXAMPLE=serial build",
                "esptool.py --chip esp32 --port /dev/null write_flash @flash_args in {}/build",
            ],
        ),
        (
            "microbit",
            "west",
            [
                "west build -b bbc_microbit -d {0}/build {0} -- -DEXAMPLE=serial",
                "west flash -d {}/build in {}/build",
            ],
        ),
    ],
)
def test_projects_are_built_by_their_own_build_system(
    board: str, tool: str, commands: list[str], run: Path, tmp_path: Path
) -> None:
    """Its programs are played: they write down how they are called, and make the build folder."""
    log = tmp_path / "log"
    for name in ("idf.py", "west", "esptool.py"):
        program = tmp_path / name
        program.write_text(
            f'#!/bin/sh\necho "{name} $* in $(pwd)" >>{log}\n'
            f'for w in "$@"; do [ -f "$w/CMakeLists.txt" ] && mkdir -p "$w/build"; done; exit 0\n'
        )
        program.chmod(0o755)
    out, path = tmp_path / "out", f"{tmp_path}:{os.environ['PATH']}"
    options = ("--board", board, "--tool", tool, "--port", "/dev/null", "--out", out, "--json")
    document = rnnedge("flash", run, *options, PATH=path).json
    project = document["project"]
    assert (Path(project) / "CMakeLists.txt").is_file() and document["flashed"]
    called = log.read_text().splitlines()
    assert len(called) == len(commands)
    for line, command in zip(called, commands, strict=True):
        assert line.startswith(command.format(project, project)), line


def test_a_missing_tool_is_named_with_its_install_line(run: Path) -> None:
    for board, tool, install in (
        ("arduino_uno", "avrdude", "sudo apt-get install avrdude"),
        ("microbit", "pyocd", "pip install pyocd"),
        ("stm32f405", "openocd", "sudo apt-get install openocd"),
        ("stm32f405", "dfu-util", "sudo apt-get install dfu-util"),
        ("rp2040", "picotool", "github.com/raspberrypi/picotool"),
        ("esp32", "esptool", "docs.espressif.com/projects/esp-idf"),
        ("rp2040", "west", "pip install west"),
    ):
        done = rnnedge("flash", run, "--board", board, "--tool", tool, PATH="/nonexistent")
        done.refused("not found", install)


def test_a_dry_run_needs_no_tool(run: Path, tmp_path: Path) -> None:
    for tool in Path("/usr/bin").glob("avr-*"):
        program = tmp_path / tool.name
        program.write_text(f'#!/bin/sh\nexec {tool} "$@"\n')
        program.chmod(0o755)
    shell = {"PATH": str(tmp_path)}
    done = rnnedge("flash", run, "--board", "arduino_uno", "--dry-run", "--json", **shell)
    assert done.json["command"][0] == "avrdude"
    assert not done.json["flashed"]
    (tmp_path / "avr-objcopy").unlink()
    rnnedge("flash", run, "--board", "arduino_uno", "--dry-run", **shell).refused(
        "avr-objcopy: not found", "sudo apt-get install binutils-avr"
    )


def test_what_is_wrong_in_a_call_is_one_line(run: Path, tmp_path: Path) -> None:
    rnnedge("flash", run, "--board", "z80").refused("z80", "arduino_uno", "stm32f405")
    rnnedge("flash", tmp_path / "no", "--board", "microbit").refused("no")
    rnnedge("flash", run, "--board", "microbit", "--tool", "avrdude").refused(
        "microbit", "not flashed by avrdude", "copy, pyocd, openocd"
    )
    rnnedge("flash", run, "--board", "arduino_uno", "--port", "/dev/no").refused(
        "/dev/no", "no such serial port"
    )
    rnnedge("flash", run, "--board", "microbit", "--drive", tmp_path / "no").refused(
        "no such folder", "--drive"
    )
    rnnedge("flash", run, "--board", "arduino_uno", "--drive", tmp_path).refused(
        "not flashed by copy", "avrdude"
    )
    rnnedge("emulate", "--board", "rp2040").refused("rp2040", "no emulator")
    rnnedge("emulate", "--board", "stm32f405").refused("needs a program", "--elf")
    rnnedge("emulate", "--board", "hifive1", "--drive", tmp_path).refused("shows no drive")
    rnnedge("emulate", "--board", "microbit", "--elf", tmp_path / "no.elf").refused("no.elf")


def test_openocd_reads_every_script_and_finds_no_probe(run: Path) -> None:
    """The real OpenOCD takes the command as far as one can without hardware."""
    for board in ("microbit", "stm32f405", "hifive1"):
        done = rnnedge("flash", run, "--board", board, "--tool", "openocd")
        done.refused("no debug probe found")
        assert ("no drive MICROBIT is mounted either" in done.err) == (board == "microbit")
    rnnedge("flash", run, "--board", "rp2040", "--tool", "copy").refused(
        "no drive RPI-RP2 is mounted; hold BOOTSEL while you plug the board in, or name"
    )


def test_what_is_copied_to_the_drive_runs(run: Path, tmp_path: Path) -> None:
    drive = tmp_path / "MICROBIT"
    with emulate("--board", "microbit", "--drive", drive) as (line, process):
        assert process.stderr is not None
        said = [process.stderr.readline().decode() for _ in range(4)]
        assert said[1:] == [
            f"  rnnedge flash RUN --board microbit --drive {drive}\n",
            f"  rnnedge verify RUN --board microbit --port {line}\n",
            "What verify shows of this port are ticks of an emulated clock, not cycles.\n",
        ]
        document = rnnedge("flash", run, "--board", "microbit", "--drive", drive, "--json").json
        assert document["tool"] == "copy" and (drive / "motor-microbit.hex").is_file()
        (row,) = rnnedge("verify", run, "--board", "microbit", "--port", line, "--json").json
        assert row["differences"] == 0 and row["values_compared"] > 1000
        assert row["notes"] == [
            f"{line} is no real port: an emulator's counts are ticks, not cycles"
        ]
        broken = (drive / "motor-microbit.hex").read_text().replace(":10", ":11", 1)
        (drive / "broken.hex").write_text(broken)
        fail = drive / "FAIL.TXT"
        waiting(lambda: fail.is_file() and fail.read_text() != "")
        assert "broken.hex" in fail.read_text()
        (row,) = rnnedge("verify", run, "--board", "microbit", "--port", line, "--json").json
        assert row["differences"] == 0, "the program before still runs"


def waiting(ready: Callable[[], bool], seconds: float = 20) -> None:
    import time

    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_program_for_another_board_is_refused(run: Path, tmp_path: Path) -> None:
    options = ("--board", "stm32f405", "--dry-run", "--out", tmp_path, "--tool", "openocd")
    assert rnnedge("flash", run, *options).code == 0
    image = tmp_path / "motor-stm32f405.hex"
    rnnedge("emulate", "--board", "microbit", "--hex", image).refused("0x8000000", "BBC micro:bit")
    rnnedge("emulate", "--board", "arduino_uno", "--hex", image).refused("0x8000000", "Arduino Uno")
    with emulate("--board", "stm32f405", "--hex", image) as (line, _):
        (row,) = rnnedge("verify", run, "--board", "stm32f405", "--port", line, "--json").json
        assert row["differences"] == 0


def test_boards_lists_every_board_with_what_is_measured() -> None:
    rows = {row["board"]: row for row in rnnedge("boards", "--json").json}
    assert set(rows) == {board.name for board in BOARDS}
    assert {
        *("arduino_uno", "microbit", "stm32f405", "hifive1", "mps2_an385", "mps2_an386"),
        *("mps2_an500", "mps2_an505", "mps3_an547", "rp2040", "esp32"),
    } == set(rows)
    assert {name for name, row in rows.items() if row["measured"] is None} == {"rp2040", "esp32"}
    assert rows["arduino_uno"]["measured"] == "cycles"
    assert rows["arduino_uno"]["flash_tools"] == ["avrdude"]
    assert all(row["flash_tools"] and row["chip"] for row in rows.values())
    shown = rnnedge("boards", COLUMNS="80").out
    assert max(map(len, shown.splitlines())) <= 80
    for row in rows.values():
        for word in (row["board"], row["chip"], row["core"], ", ".join(row["flash_tools"])):
            assert word in shown, "no name is broken"
    assert re.search(r"only built here.*esp32,\s+rp2040", shown)
