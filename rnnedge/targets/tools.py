"""External programs: found, run, and explained when they are missing or fail."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rnnedge.errors import ToolError
from rnnedge.plaintext import plain
from rnnedge.targets.processes import started

# a linker names the symbol before it says that it gives up
_TELLING = re.compile(r"\berror:(?! ld returned)|undefined reference|multiple definition", re.I)
# a first line that says where, then the message, indented
_CMAKE_ERROR = re.compile(r"^CMake Error at .*:\n((?:[ ]+.*\n|\n(?=  ))+)", re.M)
_PROGRESS = re.compile(r"-- |\[\d+/\d+\] |FAILED: ")  # of CMake and Ninja
_ABSENT = re.compile(r"No such file|not found|cannot (?:find|read)", re.I)
_INSTALL = {
    "cc": "sudo apt-get install gcc",
    "gcc": "sudo apt-get install gcc",
    "clang": "sudo apt-get install clang",
    "arm-none-eabi-gcc": "sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "avr-gcc": "sudo apt-get install gcc-avr avr-libc",
    "riscv64-unknown-elf-gcc": "sudo apt-get install gcc-riscv64-unknown-elf",
    "arm-none-eabi-objcopy": "sudo apt-get install binutils-arm-none-eabi",
    "avr-objcopy": "sudo apt-get install binutils-avr",
    "riscv64-unknown-elf-objcopy": "sudo apt-get install binutils-riscv64-unknown-elf",
    "qemu-system-arm": "sudo apt-get install qemu-system-arm",
    "qemu-system-riscv32": "sudo apt-get install qemu-system-misc",
    "cmake": "pip install cmake",
    "ninja": "pip install ninja",
    "avrdude": "sudo apt-get install avrdude",
    "openocd": "sudo apt-get install openocd",
    "dfu-util": "sudo apt-get install dfu-util",
    "pyocd": "pip install pyocd",
    "esptool": "pip install esptool",
    "west": "pip install west",
    "picotool": "https://github.com/raspberrypi/picotool",
    "idf.py": "https://docs.espressif.com/projects/esp-idf, then . export.sh",
}
# what is missing if a compiler does not find a header or library
_INSTALL_FILE = {
    "simavr/": "sudo apt-get install libsimavr-dev",
    "-lsimavr": "sudo apt-get install libsimavr-dev",
    "avr/io.h": "sudo apt-get install avr-libc",
    "nano.specs": "sudo apt-get install libnewlib-arm-none-eabi",
}


def install_hint(tool: str) -> str:
    """Return the command that installs a program, or where it is to be had."""
    return _INSTALL.get(tool, f"install {tool}")


def find(tool: str) -> str | None:
    """Return the absolute path of a program; None if it is not installed.

    Looked for on the PATH, then beside the Python that runs: there pip puts programs, also where
    the virtual environment is not active.
    """
    found = shutil.which(tool) or shutil.which(tool, path=str(Path(sys.executable).parent))
    return None if found is None else str(Path(found).absolute())


class ToolFailedError(ToolError):
    """A program ended with an exit code that says so.

    Attributes:
        output: all that it wrote.
    """

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


def require(tool: str, purpose: str) -> str:
    """Return the absolute path of `tool`.

    Raises:
        ToolError: it is not installed; says what it is for and how to install it.
    """
    found = find(tool)
    if found is None:
        raise ToolError(f"{tool}: not found, needed to {purpose}; install it: {install_hint(tool)}")
    return found


def run(
    command: Sequence[str | Path],
    *,
    purpose: str,
    data: bytes = b"",
    timeout: float = 300,
    folder: Path | None = None,
    exit_codes: Mapping[int, str] | None = None,
) -> bytes:
    """Run a program and return its standard output.

    Args:
        command: program and arguments; the program must be on the PATH or a path.
        purpose: what it is for, completes "needed to ...".
        data: its standard input.
        timeout: seconds.
        folder: where it runs; None: here.
        exit_codes: what its exit codes say, if it writes no complaint.

    Raises:
        ToolError: missing or too slow.
        ToolFailedError: failed; carries the first line of its complaint.
    """
    words = [require(str(command[0]), purpose), *map(str, command[1:])]
    program = Path(words[0]).name
    try:
        pipe = subprocess.PIPE
        with started(words, stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder) as process:
            output, errors = process.communicate(data, timeout)
    except subprocess.TimeoutExpired:
        raise ToolError(
            f"{program}: no answer within {timeout:g} s while trying to {purpose}"
        ) from None
    except OSError as error:
        raise ToolError(f"{program}: cannot be started to {purpose} ({error.strerror})") from None
    if process.returncode != 0:
        done = subprocess.CompletedProcess(words, process.returncode, output, errors)
        message = f"{program}: failed to {purpose}: {complaint(done, exit_codes or {})}"
        raise ToolFailedError(message, (errors + output).decode(errors="replace"))
    return output


def complaint(done: "subprocess.CompletedProcess[bytes]", exit_codes: Mapping[int, str]) -> str:
    """Return in one line why a program failed: its first complaint, or what its exit code says."""
    line = telling(done.stderr.decode(errors="replace"))
    if line:
        return line
    return exit_codes.get(done.returncode, ended(done.returncode))


def ended(code: int) -> str:
    """Return how a program ended, of its return code."""
    return f"ended by signal {-code}" if code < 0 else f"exit code {code}"


def telling(output: str) -> str:
    """Return the line of a compiler, linker or CMake that says what is wrong.

    The first line, if none says so; the empty text, if there is none.
    """
    output = plain(output)
    message = _CMAKE_ERROR.search(output)
    if message is not None:
        return " ".join(message[1].split())
    lines = [line for line in output.splitlines() if line.strip() and not _PROGRESS.match(line)]
    found = [line for line in lines if _TELLING.search(line)] or lines
    if not found:
        return ""
    line = found[0].strip()
    hints = [hint for file, hint in _INSTALL_FILE.items() if file in line]
    return f"{line}; install it: {hints[0]}" if hints and _ABSENT.search(line) else line
