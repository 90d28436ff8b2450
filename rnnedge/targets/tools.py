"""External programs: found, run, and explained when they are missing or fail."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from rnnedge.errors import ToolError

# a linker names the symbol before it says that it gives up
_TELLING = re.compile(r"\berror:(?! ld returned)|undefined reference|multiple definition", re.I)
_INSTALL = {
    "cc": "sudo apt-get install gcc",
    "gcc": "sudo apt-get install gcc",
    "clang": "sudo apt-get install clang",
    "arm-none-eabi-gcc": "sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "arm-none-eabi-nm": "sudo apt-get install binutils-arm-none-eabi",
    "arm-none-eabi-size": "sudo apt-get install binutils-arm-none-eabi",
    "qemu-system-arm": "sudo apt-get install qemu-system-arm",
}


def require(tool: str, purpose: str) -> str:
    """Return the path of `tool`.

    Raises:
        ToolError: it is not on the PATH; says what it is for and how to install it.
    """
    found = shutil.which(tool)
    if found is None:
        hint = _INSTALL.get(tool, f"install {tool}")
        raise ToolError(f"{tool}: not found, needed to {purpose}; install it: {hint}")
    return found


def run(
    command: Sequence[str | Path], *, purpose: str, data: bytes = b"", timeout: float = 300
) -> bytes:
    """Run a program and return its standard output.

    Args:
        command: program and arguments; the program must be on the PATH or a path.
        purpose: what it is for, completes "needed to ...".
        data: its standard input.
        timeout: seconds.

    Raises:
        ToolError: missing, failed or too slow; carries the first line of its complaint.
    """
    words = [require(str(command[0]), purpose), *map(str, command[1:])]
    program = Path(words[0]).name
    try:
        done = subprocess.run(words, input=data, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise ToolError(
            f"{program}: no answer within {timeout:g} s while trying to {purpose}"
        ) from None
    except OSError as error:
        raise ToolError(f"{program}: cannot be started to {purpose} ({error.strerror})") from None
    if done.returncode != 0:
        raise ToolError(f"{program}: failed to {purpose}: {_complaint(done)}")
    return done.stdout


def _complaint(done: "subprocess.CompletedProcess[bytes]") -> str:
    lines = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)] or lines
    if telling:
        return telling[0].strip()
    if done.returncode < 0:
        return f"ended by signal {-done.returncode}"
    return f"exit code {done.returncode}"
