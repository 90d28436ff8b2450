"""Between an emulator and its port: no byte lost, no process left, every end explained."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

import numpy as np
import pytest
import serial

from rnnedge.boards import find_board
from rnnedge.boards.bridge import Bridge
from rnnedge.boards.build import build
from rnnedge.boards.emulator import emulated, emulated_board
from rnnedge.errors import DeviceError, ToolError
from rnnedge.serialline import open_device
from tests.packages.helpers import write_package
from tests.runs import make_run

ECHO = ["cat"]
COUNT = ["sh", "-c", 'echo started >> "$1"; exec cat', "sh"]
"""Notes in a file that it has started."""


def exchange(line: serial.Serial, data: bytes) -> bytes:
    """Write and read at the same time."""
    writer = threading.Thread(target=line.write, args=(data,))
    writer.start()
    answer = line.read(len(data))
    writer.join()
    return answer


def gone(pid: int) -> bool:
    """Whether a process ends within some seconds."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_megabyte_of_any_bytes_passes_both_ways() -> None:
    data = np.random.default_rng(1).integers(0, 256, 1 << 20, np.uint8).tobytes()
    with Bridge(ECHO, name="echo") as bridge, serial.Serial(bridge.port, timeout=60) as line:
        assert exchange(line, data) == data


def test_a_slow_reader_loses_nothing() -> None:
    """The program waits until there is room: more bytes than all buffers hold."""
    program = ["sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x; exec sleep 600"]
    with Bridge(program, name="source") as bridge, serial.Serial(bridge.port, timeout=60) as line:
        time.sleep(0.5)
        kept = 1_000_000 - 8192  # pyserial empties the line when it opens it
        assert line.read(kept) == b"x" * kept


def test_frames_pass_at_once() -> None:
    """A thousand round trips of a frame; a delay of 10 ms in each would show."""
    frame = bytes(range(32, 127)) + b"\n"
    with Bridge(ECHO, name="echo") as bridge, serial.Serial(bridge.port, timeout=60) as line:
        start = time.monotonic()
        for _ in range(1000):
            line.write(frame)
            assert line.read(len(frame)) == frame
        assert time.monotonic() - start < 10


def test_a_restart_keeps_the_port(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with Bridge([*COUNT, notes], name="echo") as bridge:
        with serial.Serial(bridge.port, timeout=60) as line:
            for round_ in range(3):
                assert exchange(line, b"data") == b"data"
                assert notes.read_text().count("started") == 1 + round_
                bridge.restart()
        assert bridge.running
    assert not bridge.running
    with pytest.raises(ToolError, match="echo: has ended"):
        bridge.restart()


def test_opening_the_port_resets_the_board_if_it_is_one_that_does(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with Bridge([*COUNT, notes], name="echo", restart_on_open=True) as bridge:
        for round_ in range(3):
            with serial.Serial(bridge.port, timeout=60) as line:
                assert exchange(line, b"data") == b"data"
            assert notes.read_text().count("started") == 2 + round_
            time.sleep(0.2)  # the bridge sees that it is closed


def test_what_a_client_sends_before_it_goes_arrives(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    program = ["sh", "-c", f"cat >> {kept}"]
    for reset in (False, True):
        with Bridge(program, name="sink", restart_on_open=reset) as bridge:
            with Path(bridge.port).open("wb", buffering=0) as line:
                tty.setraw(line)
                line.write(b"last words")
            for _ in range(100):
                if kept.exists() and kept.read_bytes() == b"last words":
                    break
                time.sleep(0.05)
            assert kept.read_bytes() == b"last words"
        kept.unlink()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("echo 'machine: error: no such machine' >&2; exit 1", "board: .*error: no such machine$"),
        ("exit 3", "board: the program crashed$"),
        ("exit 9", "board: exit code 9$"),
        ("kill -SEGV $$", "board: ended by signal 11$"),
    ],
)
def test_a_program_that_ends_by_itself_says_why(program: str, message: str) -> None:
    """Also in place of what the client makes of the dead line."""
    codes = {3: "the program crashed"}
    with (
        pytest.raises(ToolError, match=message) as caught,
        Bridge(["sh", "-c", program], name="board", exit_codes=codes) as bridge,
        serial.Serial(bridge.port, timeout=20) as line,
    ):
        line.read(1)
    assert "\n" not in str(caught.value)


def test_a_program_that_cannot_be_started_is_named() -> None:
    with (
        pytest.raises(ToolError, match=r"^board: .*No such file or directory"),
        Bridge(["/nonexistent/program"], name="board") as bridge,
        serial.Serial(bridge.port, timeout=20) as line,
    ):
        line.read(1)


def test_a_program_that_ends_well_is_no_failure() -> None:
    with Bridge(["true"], name="board") as bridge:
        for _ in range(100):
            if not bridge.running:
                break
            time.sleep(0.05)
        assert not bridge.running
        with pytest.raises(OSError, match="No such file|Input/output"):
            os.close(os.open(bridge.port, os.O_RDWR | os.O_NOCTTY))


PARENT = """
import sys, time
from rnnedge.boards.bridge import Bridge
with Bridge(["sh", "-c", "echo $$; exec sleep 600"], name="board") as bridge:
    line = open(bridge.port, "rb")
    print(line.readline().decode().strip(), flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_emulator_outlives_its_parent(number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert Path(f"/proc/{child}").exists()
    parent.send_signal(number)
    parent.wait(20)
    parent.stdout.close()
    assert gone(child)


def test_a_bridge_leaves_nothing_open() -> None:
    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def children() -> str:
        tasks = Path("/proc/self/task").iterdir()
        return "".join((task / "children").read_text() for task in tasks)

    with Bridge(ECHO, name="echo"):
        pass
    before = files(), threading.active_count()
    for reset in (False, True):
        for _ in range(5):
            with Bridge(ECHO, name="echo", restart_on_open=reset) as bridge:
                bridge.restart()
                assert children()
    assert (files(), threading.active_count()) == before
    assert not children()


# emulated boards


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    return write_package(folder / "package", make_run(folder / "run", units=4), ("cmake",))


@pytest.mark.parametrize("name", ["microbit", "arduino_uno", "hifive1"])
def test_an_emulated_board_is_restarted_behind_its_port(
    package: Path, tmp_path: Path, name: str
) -> None:
    board = find_board(name)
    firmware = build(board, package, tmp_path)
    with emulated_board(board, firmware.elf) as bridge, open_device(bridge.port) as device:
        x = np.ones((device.info.window, device.info.inputs), np.float32)
        first = device.run_window(x)
        bridge.restart()
        again = device.run_window(x)
        assert device.statistics.resets == 1
        assert np.array_equal(first.states, again.states)
        assert np.array_equal(first.scores, again.scores)


def test_an_emulator_that_is_missing_or_refuses_is_named(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = find_board("microbit")
    elf = build(board, package, tmp_path / "b").elf
    with (
        pytest.raises(ToolError, match="rp2040: this board has no emulator"),
        emulated(find_board("rp2040"), elf),
    ):
        pass
    (tmp_path / "text.elf").write_text("no program")
    with (
        pytest.raises(ToolError, match=r"text\.elf: not readable as a 32-bit ELF"),
        emulated(board, tmp_path / "text.elf"),
    ):
        pass
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "qemu-system-arm").write_text("#!/bin/sh\necho 'qemu: no such machine' >&2; exit 1\n")
    (tools / "qemu-system-arm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    with (
        pytest.raises(ToolError, match="^emulated microbit: qemu: no such machine$"),
        emulated(board, elf) as port,
        open_device(port, boot_seconds=1),
    ):
        pass
    (tools / "qemu-system-arm").unlink()
    with (
        pytest.raises(ToolError, match="qemu-system-arm: not found, needed to emulate microbit"),
        emulated(board, elf),
    ):
        pass


def test_a_client_error_stays_the_clients(package: Path, tmp_path: Path) -> None:
    board = find_board("microbit")
    elf = build(board, package, tmp_path).elf
    with pytest.raises(DeviceError, match="mine"), emulated(board, elf):
        raise DeviceError("mine")


def test_the_port_is_raw_for_any_client() -> None:
    """No echo, no line editing, no translation of ends of lines."""
    with Bridge(
        ["sh", "-c", "printf 'a\\r\\n\\003\\004b'; exec sleep 600"], name="board"
    ) as bridge:
        line = os.open(bridge.port, os.O_RDWR | os.O_NOCTTY)
        said = b""
        while len(said) < 6 and select.select([line], [], [], 10)[0]:
            said += os.read(line, 100)
        os.close(line)
        assert said == b"a\r\n\x03\x04b"
