"""External programs: their ends, and the line of their output that says why."""

import subprocess
import threading
from pathlib import Path

import pytest

from rnnedge.errors import ToolError
from rnnedge.plaintext import plain
from rnnedge.targets.processes import end, started
from rnnedge.targets.tools import run, telling
from tests.boards.test_emulator import gone

CHILD = "sleep 600 & echo $! >{}; wait"


def test_a_program_that_is_too_slow_is_ended_with_what_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(ToolError, match="^sh: no answer within 1 s while trying to sleep$"):
        run(["sh", "-c", CHILD.format(pid)], purpose="sleep", timeout=1)
    assert gone(int(pid.read_text()))


def test_a_program_that_does_not_listen_is_ended() -> None:
    script = "trap '' TERM; echo ready; while :; do sleep 1; done"
    with started(["sh", "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        end(process)
    assert process.returncode == -9


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, ValueError])
def test_whatever_ends_the_block_ends_the_program(error: type[BaseException]) -> None:
    threads = threading.active_count()
    with pytest.raises(error), started(["sleep", "600"]) as process:
        raise error
    assert process.returncode == -15
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    ("script", "end"),
    [
        ("kill -SEGV $$", "ended by signal 11"),
        ("exit 7", "exit code 7"),
        ("exit 3", "it crashed"),
        (r"printf '\033[1;31merror:\033[0m no\033[K\n' >&2; exit 1", "error: no"),
    ],
)
def test_why_a_program_failed(script: str, end: str) -> None:
    with pytest.raises(ToolError) as caught:
        run(["sh", "-c", script], purpose="try", exit_codes={3: "it crashed"})
    assert str(caught.value) == f"sh: failed to try: {end}"


def test_progress_of_cmake_and_ninja_is_no_complaint() -> None:
    progress = "-- The C compiler identification is GNU 12.2.1\n-- Detecting C compiler ABI info\n"
    progress += "[1/39] Building C object crc.c.obj\nFAILED: net.elf net.hex\n"
    assert telling(progress) == ""
    assert telling(f"{progress}ninja: fatal: out of memory\n") == "ninja: fatal: out of memory"


def test_plain_text_stays() -> None:
    assert plain("a\tö\r\n‘b’") == "a\tö\n\n‘b’"
    assert plain("\x1b]0;title\x1b\\\x1b(Bx\x9b\x00\x7f") == "x"
