"""Flash tools: ports, drives, and what complaints mean."""

import os
import stat
from pathlib import Path

import pytest

from rnnedge.boards import drives as drives_module
from rnnedge.boards import find_board
from rnnedge.boards.drives import choose_drive, copy_image
from rnnedge.boards.ports import SerialPort, choose_port
from rnnedge.boards.tools import choose, explain, write
from rnnedge.errors import ToolError

UNO = find_board("arduino_uno")


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
