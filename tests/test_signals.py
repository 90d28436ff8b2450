"""A command that is told to end: what it started ends with it, nothing temporary is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.boards.test_emulator import gone
from tests.boards.test_flash import waiting
from tests.runs import make_run

ENDS = [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 1)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "motor"
    make_run(folder, name="motor", units=4)
    return folder


def started(
    tmp_path: Path, *words: object, before: tuple[str, ...] = ()
) -> subprocess.Popen[bytes]:
    """A command with a temporary folder of its own, and tools that are played before the others."""
    (tmp_path / "tmp").mkdir()
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    return subprocess.Popen(
        [*before, sys.executable, "-P", "-m", "rnnedge", *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp"), "PATH": path},
        start_new_session=True,
    )


def hanging(path: Path, pid: Path) -> None:
    """A tool that waits for a child for ever."""
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\nsleep 600 &\necho $! >{pid}.new; mv {pid}.new {pid}; wait\n")
    path.chmod(0o755)


@pytest.mark.parametrize(("number", "code"), ENDS)
def test_a_flash_tool_ends_with_the_command(
    run: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    pid = tmp_path / "pid"
    hanging(tmp_path / "bin" / "avrdude", pid)
    words = ("flash", run, "--board", "arduino_uno", "--port", "/dev/null")
    with started(tmp_path, *words) as process:
        waiting(pid.exists, 60)
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == code and b"Traceback" not in errors
    assert gone(int(pid.read_text()))
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("tool", ["cmake", "qemu-system-arm"])
def test_verify_leaves_nothing(run: Path, tmp_path: Path, tool: str) -> None:
    """While it builds, and while the emulated board is silent."""
    pid = tmp_path / "pid"
    hanging(tmp_path / "bin" / tool, pid)
    with started(tmp_path, "verify", run, "--board", "microbit") as process:
        waiting(pid.exists, 60)
        assert list((tmp_path / "tmp").iterdir())
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 143 and b"Traceback" not in errors
    assert tool != "cmake" or gone(int(pid.read_text()))
    assert not list((tmp_path / "tmp").iterdir())
    if tool != "cmake":
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_what_nohup_has_ignored_stays_ignored(run: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    hanging(tmp_path / "bin" / "avrdude", pid)
    words = ("flash", run, "--board", "arduino_uno", "--port", "/dev/null")
    with started(tmp_path, *words, before=("nohup",)) as process:
        waiting(pid.exists, 60)
        process.send_signal(signal.SIGHUP)
        time.sleep(1)
        assert process.poll() is None
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 143
