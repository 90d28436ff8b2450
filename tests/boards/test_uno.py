"""The Uno behind its boot loader: the real avrdude flashes it, the line then answers."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from rnnedge.api.flashing import flash
from rnnedge.boards import find_board
from rnnedge.boards.flashable import flashable
from rnnedge.boards.images import read_image
from rnnedge.boards.tools import words, write
from rnnedge.boards.uno import BOOT_BYTES, boot_address, new_flash
from rnnedge.errors import ToolError
from tests.cli import rnnedge
from tests.runs import make_run

UNO = find_board("arduino_uno")
AVRDUDE = UNO.flash_tools[0]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "motor"
    make_run(folder, name="motor", units=8)
    return folder


@contextmanager
def emulate(*words: object) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """`rnnedge emulate` in a process of its own; gives the port that it prints."""
    command = [sys.executable, "-P", "-m", "rnnedge", "emulate", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], 60)[0], "no port was printed"
            yield process.stdout.readline().decode().strip(), process
        finally:
            process.kill()


def read_back(port: str, path: Path) -> bytes:
    """Read the flash through the boot loader, with avrdude."""
    command = ["avrdude", "-q", "-p", "atmega328p", "-c", "arduino", "-P", port, "-b", "115200"]
    subprocess.run([*command, "-U", f"flash:r:{path}:r"], check=True, capture_output=True)
    return path.read_bytes()


def test_avrdude_flashes_the_board_and_every_bit_is_verified(run: Path, tmp_path: Path) -> None:
    image = tmp_path / "flash.bin"
    with emulate("--board", "arduino_uno", "--image", image) as (port, process):
        assert process.stderr is not None
        said = [process.stderr.readline().decode() for _ in range(4)]
        assert f"  rnnedge flash RUN --board arduino_uno --port {port}\n" in said
        assert any("TIOCMGET is harmless" in line for line in said)
        empty = rnnedge("verify", run, "--board", "arduino_uno", "--port", port)
        empty.refused(port, "rnnedge flash")
        options = ("--board", "arduino_uno", "--port", port, "--out", tmp_path, "--json")
        document = rnnedge("flash", run, *options).json
        assert document["flashed"] and document["tool"] == "avrdude"
        assert document["command"][:3] == ["avrdude", "-p", "atmega328p"]
        program = read_image(Path(document["image"])).bin()
        assert len(program) == document["flash_bytes"]
        assert read_back(port, tmp_path / "back.bin")[: len(program)] == program
        line = ("--board", "arduino_uno", "--port", port, "--windows", 2, "--json")
        (row,) = rnnedge("verify", run, *line).json
        assert row["differences"] == 0 and row["values_compared"] > 500
        assert row["unit"] == "cycles" and row["per_step"] > 1000
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr is not None and process.stderr.read() == b""
    assert image.read_bytes()[: len(program)] == program

    # what was flashed stays, and another program takes its place
    with emulate("--board", "arduino_uno", "--image", image) as (port, process):
        line = ("--board", "arduino_uno", "--port", port, "--windows", 1, "--json")
        (row,) = rnnedge("verify", run, *line).json
        assert row["differences"] == 0
        other = tmp_path / "other"
        make_run(other, name="motor", units=4, cells=("lstm",), seed=2)
        rnnedge("verify", other, "--board", "arduino_uno", "--port", port).refused(
            "runs model motor", "rnnedge flash"
        )
        assert rnnedge("flash", other, "--board", "arduino_uno", "--port", port).code == 0
        (row,) = rnnedge("verify", other, *line).json
        assert row["differences"] == 0


def test_the_wrong_chip_on_the_port_is_named(tmp_path: Path) -> None:
    image = tmp_path / "program.hex"
    image.write_text(":0400000001020304F2\n:00000001FF\n")
    other = replace(
        AVRDUDE, command=tuple(x.replace("atmega328p", "atmega168") for x in AVRDUDE.command)
    )
    with flashable(UNO) as bridge:
        command = words(other.command, {"port": bridge.port, "image": image})
        with pytest.raises(ToolError, match="the chip there is not that of Arduino Uno"):
            write(UNO, other, command, port=bridge.port)


def test_opening_the_port_resets_the_board_into_its_boot_loader(tmp_path: Path) -> None:
    with flashable(UNO, flash=tmp_path / "flash.bin") as bridge:
        for _ in range(2):
            port = os.open(bridge.port, os.O_RDWR | os.O_NOCTTY)
            try:
                os.write(port, b"0 ")  # STK500: GET_SYNC, CRC_EOP
                answer = b""
                while len(answer) < 2 and select.select([port], [], [], 10)[0]:
                    answer += os.read(port, 2)
                assert answer == b"\x14\x10"  # INSYNC, OK
            finally:
                os.close(port)


def test_a_file_that_is_no_flash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    done = rnnedge("emulate", "--board", "arduino_uno", "--image", tmp_path / "notes.txt")
    done.refused("notes.txt", "no flash of Arduino Uno", "another file")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_program_that_is_there_at_first_runs_behind_the_boot_loader(
    run: Path, tmp_path: Path
) -> None:
    document = flash(run, "arduino_uno", dry_run=True, out=tmp_path)
    program = Path(document["image"])
    new_flash(UNO, tmp_path / "flash.bin", read_image(program))
    content = (tmp_path / "flash.bin").read_bytes()
    assert len(content) == 32768 and len(content) - boot_address(UNO) == BOOT_BYTES
    with flashable(UNO, program) as bridge:
        arguments = ("--board", "arduino_uno", "--port", bridge.port, "--windows", 1, "--json")
        (row,) = rnnedge("verify", run, *arguments).json
        assert row["differences"] == 0
