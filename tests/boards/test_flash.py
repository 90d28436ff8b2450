"""rnnedge flash, boards, emulate: commands, fit, ports, drives, and what goes wrong."""

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnedge.boards import BOARDS, find_board
from rnnedge.boards import drives as drives_module
from rnnedge.boards.drives import choose_drive, copy_image
from rnnedge.boards.fit import fit, most_units, narrower
from rnnedge.boards.images import read_image
from rnnedge.boards.ports import SerialPort, choose_port
from rnnedge.boards.tools import choose, explain, write
from rnnedge.errors import FitError, ToolError
from rnnedge.spec import QuantizedModel
from tests.boards.test_images import read_uf2
from tests.boards.test_uno import emulate
from tests.cli import rnnedge
from tests.models import CELLS, float_model, quantized
from tests.runs import make_run

HERE = [board.name for board in BOARDS if board.core != "xtensa"]
UNO = find_board("arduino_uno")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "motor"
    make_run(folder, name="motor", units=8)
    return folder


@pytest.mark.parametrize("board", HERE)
def test_a_dry_run_builds_checks_and_prints(board: str, run: Path, tmp_path: Path) -> None:
    """Without the tool, the port or the drive."""
    described = find_board(board)
    for tool in described.flash_tools:
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
    assert re.fullmatch(
        r"flash [\d,]+ of 262,144 bytes, RAM [\d,]+ of 16,384, [\d,]+ left for the stack "
        r"\(at least 2,048 wanted\)",
        lines[0],
    )
    assert lines[1].startswith("pyocd load --target nrf51 ") and lines[1].endswith(".hex")
    assert lines[-1] == "dry run: nothing was flashed; the image was built, and not kept"
    assert not Path(lines[1].split()[-1]).exists()


def test_esp32_gets_a_project_for_its_own_build_system(run: Path, tmp_path: Path) -> None:
    options = ("--board", "esp32", "--port", "/dev/ttyUSB7", "--dry-run", "--json")
    document = rnnedge("flash", run, *options, "--out", tmp_path / "idf").json
    project = tmp_path / "idf" / "examples" / "esp_idf"
    assert document["command"] == [
        *("idf.py", "-C", str(project), "-DIDF_TARGET=esp32", "-p", "/dev/ttyUSB7"),
        *("build", "flash"),
    ]
    assert "project(" in (project / "CMakeLists.txt").read_text()
    assert "idf_component_register" in (tmp_path / "idf" / "CMakeLists.txt").read_text()
    assert (tmp_path / "idf" / "src" / "motor.h").is_file()
    tool = ("--port", "/dev/null", "--board", "esp32")
    rnnedge("flash", run, *tool, PATH="/nonexistent").refused("idf.py", "not found", "esp-idf")


def test_a_missing_tool_is_named_with_its_install_line(run: Path) -> None:
    for board, tool, install in (
        ("arduino_uno", "avrdude", "sudo apt-get install avrdude"),
        ("microbit", "pyocd", "pip install pyocd"),
        ("stm32f405", "openocd", "sudo apt-get install openocd"),
        ("stm32f405", "dfu-util", "sudo apt-get install dfu-util"),
        ("rp2040", "picotool", "github.com/raspberrypi/picotool"),
        ("esp32", "esptool", "pip install esptool"),
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
        rnnedge("flash", run, "--board", board, "--tool", "openocd").refused("no debug probe found")


# fit


def too_large(run: Path, board: str) -> tuple[float, str, int]:
    """Flash a run that does not fit: kB too much, of what, units that would fit."""
    done = rnnedge("flash", run, "--board", board, "--dry-run")
    done.refused(board, "too large by", "--units")
    found = re.search(r"by ([\d.,]+) (kB|bytes) of (\w+).*--units (\d+)", done.err)
    assert found is not None, done.err
    return float(found[1].replace(",", "")), found[3], int(found[4])


@pytest.mark.parametrize(
    ("memory", "shape"),
    [
        ("flash", {"units": 88, "cells": ("gru",)}),
        ("flash", {"units": 64, "cells": ("lstm", "gru"), "hidden": (10,)}),
        ("RAM", {"units": 40, "cells": ("rnn", "rnn"), "bidirectional": True}),
    ],
)
def test_the_suggested_units_fit_and_more_do_not(memory: str, shape: dict, tmp_path: Path) -> None:
    """Shown with newly made weights, as another training would give them."""
    make_run(tmp_path / "large", name="motor", **shape)
    excess, where, units = too_large(tmp_path / "large", "arduino_uno")
    assert excess > 0 and where == memory
    assert 4 <= units < shape["units"] and units % 4 == 0
    make_run(tmp_path / "fits", name="motor", seed=5, **{**shape, "units": units})
    done = rnnedge("flash", tmp_path / "fits", "--board", "arduino_uno", "--dry-run", "--json")
    assert done.code == 0, done.err
    make_run(tmp_path / "more", name="motor", seed=6, **{**shape, "units": units + 4})
    _, _, again = too_large(tmp_path / "more", "arduino_uno")
    assert again == units


def test_fit_counts_the_reserve_of_the_stack() -> None:
    room = fit(UNO, flash_bytes=32_256, ram_bytes=2048 - 256)
    assert room.free_bytes == 256
    assert str(room) == (
        "flash 32,256 of 32,256 bytes, RAM 1,792 of 2,048, 256 left for the stack "
        "(at least 256 wanted)"
    )
    with pytest.raises(FitError, match="arduino_uno: too large by 1 bytes of RAM"):
        fit(UNO, flash_bytes=1000, ram_bytes=2048 - 255)
    with pytest.raises(FitError, match="too large by 3.1 kB of flash and 2 bytes of RAM") as error:
        fit(UNO, flash_bytes=32_256 + 3174, ram_bytes=2048 - 254)
    assert error.value.over == {"flash": 3174, "RAM": 2}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_narrower_model_has_the_shape_of_one_trained_so(cell: str, bidirectional: bool) -> None:
    shape = {"cells": (cell, cell), "hidden": (6,), "bidirectional": bidirectional}
    cut = narrower(quantized(float_model(1, units=12, **shape)), 8)
    made = quantized(float_model(2, units=8, **shape))
    for one, other in zip(cut.layers, made.layers, strict=True):
        assert (one.inputs, one.outputs, one.kind) == (other.inputs, other.outputs, other.kind)
    assert cut.state_size == made.state_size


@pytest.mark.parametrize("most", [None, 1, 3, 4, 20, 36])
def test_most_units_finds_the_border(most: int | None) -> None:
    model = quantized(float_model(1, units=40, channels=1))
    tried: list[int] = []

    def fits(smaller: QuantizedModel) -> bool:
        tried.append(smaller.recurrent[0].units)
        return most is not None and tried[-1] <= most

    assert most_units(model, fits) == most
    assert len(tried) <= 4, "it halves"


# ports and drives


def port(path: str, usb: str) -> SerialPort:
    return SerialPort(path=path, usb=usb, title="USB serial")


def test_the_port_is_found_by_its_usb_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    other, uno = port("/dev/null", "1234:5678"), port("/dev/zero", "2341:0043")
    assert choose_port(UNO, None, [other, uno]) == "/dev/zero"
    with pytest.raises(ToolError, match=r"several.*/dev/zero \(USB serial, 2341:0043\), /dev/full"):
        choose_port(UNO, None, [uno, port("/dev/full", "1a86:7523"), other])
    with pytest.raises(ToolError, match=r"no serial port of Arduino Uno.*there are /dev/null \("):
        choose_port(UNO, None, [other])
    with pytest.raises(ToolError, match="--port.*there are no serial ports"):
        choose_port(UNO, None, [])
    with pytest.raises(ToolError, match="/dev/none: no such serial port"):
        choose_port(UNO, "/dev/none", [uno])
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ToolError, match="/dev/zero: permission denied; .*usermod -aG dialout"):
        choose_port(UNO, "/dev/zero")


def test_the_drive_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = str(tmp_path / "media" / "*") + "/{label}"
    monkeypatch.setattr(drives_module, "_MOUNTED", (place,))
    with pytest.raises(ToolError, match="no drive MICROBIT is mounted"):
        choose_drive(None, "MICROBIT")
    assert choose(find_board("microbit"), None).tool != "copy"
    (tmp_path / "media" / "me" / "MICROBIT").mkdir(parents=True)
    assert choose_drive(None, "MICROBIT") == tmp_path / "media" / "me" / "MICROBIT"
    assert choose(find_board("microbit"), None).tool == "copy"
    (tmp_path / "media" / "you" / "MICROBIT").mkdir(parents=True)
    with pytest.raises(ToolError, match="several drives MICROBIT"):
        choose_drive(None, "MICROBIT")


def test_a_copy_is_whole_or_not_there(tmp_path: Path) -> None:
    image = tmp_path / "motor.uf2"
    image.write_bytes(b"x" * 5000)
    (tmp_path / "drive").mkdir()
    copy_image(image, tmp_path / "drive")
    assert (tmp_path / "drive" / "motor.uf2").read_bytes() == image.read_bytes()
    with pytest.raises(ToolError, match="SOFTWARE: no such folder"):
        copy_image(image, tmp_path / "drive" / "SOFTWARE" / "rnnedge.axf")
    with pytest.raises(ToolError, match="/dev/full/"):
        copy_image(image, Path("/dev/full/x"))


def test_what_is_copied_to_the_drive_runs(run: Path, tmp_path: Path) -> None:
    drive = tmp_path / "MICROBIT"
    with emulate("--board", "microbit", "--drive", drive) as (line, _):
        document = rnnedge("flash", run, "--board", "microbit", "--drive", drive, "--json").json
        assert document["tool"] == "copy" and (drive / "motor-microbit.hex").is_file()
        (row,) = rnnedge("verify", run, "--board", "microbit", "--port", line, "--json").json
        assert row["differences"] == 0 and row["values_compared"] > 1000
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


# what tools say


@pytest.mark.parametrize(
    ("board", "said", "meaning"),
    [
        (
            "arduino_uno",
            "avrdude error: programmer is not responding\n"
            "avrdude warning: attempt 1 of 10: not in sync: resp=0x00",
            "avrdude: /dev/ttyACM0: no answer from a boot loader of Arduino Uno",
        ),
        (
            "arduino_uno",
            "avrdude: device signature = 0x1e950f (probably m328p)\n"
            "avrdude error: expected signature for ATmega168P is 1E 94 0B\n"
            "        double check chip or use -F to override this check",
            "avrdude: /dev/ttyACM0: the chip there is not that of Arduino Uno",
        ),
        (
            "arduino_uno",
            "avrdude: Expected signature for ATmega328P is 1E 95 0F\n",
            "avrdude: /dev/ttyACM0: the chip there is not that of Arduino Uno",
        ),
        (
            "arduino_uno",
            'avrdude: ser_open(): can\'t open device "/dev/ttyACM0": Permission denied',
            "avrdude: /dev/ttyACM0: permission denied; add yourself",
        ),
        (
            "arduino_uno",
            'avrdude: ser_open(): can\'t open device "/dev/ttyACM0": Device or resource busy',
            "avrdude: /dev/ttyACM0: is in use by another program",
        ),
        (
            "arduino_uno",
            "avrdude OS error: cannot open port /dev/ttyACM0: No such file or directory",
            "avrdude: /dev/ttyACM0: cannot be opened",
        ),
        (
            "esp32",
            "A fatal error occurred: Failed to connect to ESP32: No serial data received.",
            "hold its BOOT button",
        ),
        (
            "esp32",
            "A fatal error occurred: This chip is ESP32-S3, not ESP32. Wrong --chip argument?",
            "the chip there is not that of ESP32",
        ),
        (
            "esp32",
            "([Errno 2] could not open port /dev/ttyACM0: [Errno 2] No such file or directory",
            "/dev/ttyACM0: cannot be opened",
        ),
        ("rp2040", "No accessible RP2040 devices in BOOTSEL mode were found.", "hold BOOTSEL"),
        ("stm32f405", "Error: open failed", "no debug probe found"),
        ("microbit", "Error: something new\nshutdown command invoked", "Error: something new"),
    ],
)
def test_a_complaint_becomes_one_line(board: str, said: str, meaning: str) -> None:
    described = find_board(board)
    tool = described.flash_tools[0]
    line = explain(described, tool, said.splitlines(), port="/dev/ttyACM0", code=1)
    assert meaning in line
    assert "\n" not in line and "{" not in line
    assert line.startswith(f"{tool.tool}: ")


def test_a_tool_that_never_gives_up_is_ended(tmp_path: Path) -> None:
    tool = tmp_path / "avrdude"
    tool.write_text(
        "#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9 10; do\n"
        "echo avrdude warning: attempt $i of 10: not in sync: resp=0x00\n"
        "[ $i = 4 ] && exec sleep 600\ndone\n"
    )
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    heard: list[str] = []
    with pytest.raises(ToolError, match="no answer from a boot loader"):
        write(UNO, UNO.flash_tools[0], [str(tool)], port="/dev/ttyACM0", listen=heard.append)
    assert len(heard) >= 3


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
    shown = rnnedge("boards").out
    assert all(name in shown for name in rows)
    assert re.search("only built here.*esp32, rp2040", shown)
