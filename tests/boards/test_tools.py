"""Flash tools: ports, drives, and what complaints mean."""

import os
import stat
import subprocess
import time
from pathlib import Path

import pytest

from rnnedge.boards import drives as drives_module
from rnnedge.boards import find_board
from rnnedge.boards import tools as tools_module
from rnnedge.boards.drives import choose_drive, copy_image
from rnnedge.boards.ports import SerialPort, choose_port
from rnnedge.boards.tools import choose, explain, words, write
from rnnedge.errors import ToolError
from tests.boards.test_emulator import gone

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
    drive = tmp_path / "drive"
    copy_image(image, drive, drive)
    assert (tmp_path / "drive" / "motor.uf2").read_bytes() == image.read_bytes()
    board = find_board("mps2_an385")
    command = words(board.flash_tools[0].command, {"image": image, "drive": drive})
    with pytest.raises(ToolError, match=f"SOFTWARE: no such folder; is {drive} the board's drive"):
        write(board, board.flash_tools[0], command, port=None)
    with pytest.raises(ToolError, match="/dev/full: no such"):
        copy_image(image, Path("/dev/full/x"), Path("/dev/full"))


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


def program(path: Path, script: str) -> list[str]:
    """A tool that is played; the command that calls it."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return [str(path)]


def test_what_a_tool_ends_by_is_said_without_control_characters(tmp_path: Path) -> None:
    for script, end in (
        ("kill -SEGV $$", "failed to flash arduino_uno: ended by signal 11"),
        ("exit 7", "failed to flash arduino_uno: exit code 7"),
        (
            r"printf '\033[31mfatal: \033]0;title\007all is lost\033[0m\a\n'; exit 1",
            "fatal: all is lost",
        ),
        (r"printf 'half\rfatal: all is lost'; exit 1", "fatal: all is lost"),
    ):
        with pytest.raises(ToolError) as caught:
            write(UNO, UNO.flash_tools[0], program(tmp_path / "avrdude", script), port=None)
        assert str(caught.value).endswith(end)
        assert str(caught.value).isprintable()


def test_a_tool_that_hangs_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools_module, "_SILENCE_SECONDS", 1.0)
    pid = tmp_path / "pid"
    command = program(tmp_path / "avrdude", f"echo begun; sleep 600 & echo $! >{pid}; wait")
    heard: list[str] = []
    with pytest.raises(ToolError, match=r"^avrdude: hangs, it said nothing for 1 s and was ended"):
        write(UNO, UNO.flash_tools[0], command, port=None, listen=heard.append)
    assert heard == ["begun"]
    assert gone(int(pid.read_text()))


def test_a_tool_that_leaves_something_behind_is_not_waited_for(tmp_path: Path) -> None:
    """Its output is still open then."""
    pid = tmp_path / "pid"
    begun = time.monotonic()
    command = program(tmp_path / "avrdude", f"echo done; sleep 20 & echo $! >{pid}")
    write(UNO, UNO.flash_tools[0], command, port=None)
    assert time.monotonic() - begun < 10
    os.kill(int(pid.read_text()), 9)


def test_a_line_of_megabytes_is_read_at_once(tmp_path: Path) -> None:
    heard: list[str] = []
    command = program(tmp_path / "avrdude", "head -c 20000000 /dev/zero | tr '\\0' x; echo; echo y")
    begun = time.monotonic()
    write(UNO, UNO.flash_tools[0], command, port=None, listen=heard.append)
    assert [len(line) for line in heard] == [20_000_000, 1]
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("board", ["microbit", "stm32f405", "rp2040", "hifive1"])
@pytest.mark.parametrize(
    "folder",
    ["a b", "[exit 3]", 'q"x', "b{r", "c}d", "e$HOME;f", "back\\", "ü#~\n'", "plain", "-x"],
)
def test_openocd_takes_any_path(board: str, folder: str, tmp_path: Path) -> None:
    """The real one, with its procedure `program`; only the chip is played."""
    image = tmp_path / folder / "motor.hex"
    image.parent.mkdir()
    image.write_text("12345")
    tool = next(tool for tool in find_board(board).flash_tools if tool.tool == "openocd")
    command = words(tool.command, {"image": image})
    played = (
        "proc init {} {}; proc reset args {}; proc poll args {}; proc resume args {shutdown};"
        "proc flash {write erase file} {echo writes:[file size $file]};"
        "proc verify_image {file} {echo verifies:[file size $file]}"
    )
    script = command[command.index("-c") :]
    done = subprocess.run(
        ["openocd", "-c", played, *script], capture_output=True, text=True, timeout=20, check=False
    )
    assert "writes:5" in done.stderr and "verifies:5" in done.stderr, (command, done.stderr)
    if folder == "plain":
        assert f"program {image} verify" in command[-1], "as one types it"


def test_no_value_is_taken_for_a_place(tmp_path: Path) -> None:
    assert words(["cp", "{image}", "{drive}"], {"image": "a{drive}", "drive": "{image}"}) == [
        *("cp", "a{drive}", "{image}")
    ]


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
