"""What of the outside world is installed: compilers, emulators, flash tools, Python packages."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from rnnedge.targets.tools import find

_VERSION = re.compile(r"\d+\.\d+[\w.+-]*")
_PLAIN = "installed"  # where no version can be told
_OPTIBOOT = "hardware/arduino/avr/bootloaders/optiboot/optiboot.c"
_ARDUINO = (Path("/usr/share/arduino"), Path("/usr/local/share/arduino"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something that rnnedge calls or builds with.

    Attributes:
        name: as one says it.
        kind: "compiler", "emulator", "flash tool", "boot loader" or "Python package".
        apt: its Debian package, "" if there is none.
        pip: its Python package, "" if it is none.
        look: returns its version, None if it is missing.
    """

    name: str
    kind: str
    look: Callable[[], str | None]
    apt: str = ""
    pip: str = ""

    @property
    def version(self) -> str | None:
        """Its version; None if it is missing."""
        return _seen(self)


@cache
def _seen(part: Part) -> str | None:
    return part.look()


def optiboot() -> Path | None:
    """Return the source of the Uno's boot loader, if the Arduino core is installed."""
    return next((root / _OPTIBOOT for root in _ARDUINO if (root / _OPTIBOOT).is_file()), None)


def _program(name: str, *words: str) -> Callable[[], str | None]:
    """Look for a program and ask it for its version."""

    def look() -> str | None:
        path = find(name)
        return None if path is None else _asked([path, *(words or ("--version",))])

    return look


def _asked(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return _PLAIN
    found = _VERSION.search(done.stdout + done.stderr)
    return found.group() if found else _PLAIN


def _compiles(compiler: str, code: str, *flags: str) -> Callable[[], str | None]:
    """Look whether a compiler builds `code`."""

    def look() -> str | None:
        path = find(compiler)
        if path is None:
            return None
        with tempfile.TemporaryDirectory(prefix="rnnedge-") as folder:
            source = Path(folder) / "part.c"
            source.write_text(code)
            command: list[str | Path] = [path, source, "-o", Path(folder) / "part", *flags]
            try:
                done = subprocess.run(command, capture_output=True, timeout=60, check=False)
            except (OSError, subprocess.TimeoutExpired):
                return None
        return _PLAIN if done.returncode == 0 else None

    return look


def _package(name: str) -> Callable[[], str | None]:
    def look() -> str | None:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return None

    return look


_MAIN = "int main(void) { return 0; }\n"
_SIMAVR = "#include <simavr/sim_avr.h>\nint main(void) { return avr_make_mcu_by_name(0) != 0; }\n"
_AVR_IO = "#include <avr/io.h>\n" + _MAIN


def _part(name: str, kind: str, apt: str = "", pip: str = "", *words: str) -> Part:
    return Part(name=name, kind=kind, apt=apt, pip=pip, look=_program(name, *words))


PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        Part(name="cc", kind="compiler", apt="gcc libc6-dev", look=_program("cc")),
        _part("clang", "compiler", "clang"),
        _part("cmake", "compiler", "cmake"),
        _part("arm-none-eabi-gcc", "compiler", "gcc-arm-none-eabi"),
        Part(
            name="newlib for Arm",
            kind="compiler",
            apt="libnewlib-arm-none-eabi",
            look=_compiles("arm-none-eabi-gcc", _MAIN, "--specs=rdimon.specs"),
        ),
        _part("riscv64-unknown-elf-gcc", "compiler", "gcc-riscv64-unknown-elf"),
        _part("avr-gcc", "compiler", "gcc-avr"),
        Part(
            name="avr-libc",
            kind="compiler",
            apt="avr-libc",
            look=_compiles("avr-gcc", _AVR_IO, "-mmcu=atmega328p"),
        ),
        _part("qemu-system-arm", "emulator", "qemu-system-arm"),
        _part("qemu-system-riscv32", "emulator", "qemu-system-misc"),
        Part(
            name="simavr",
            kind="emulator",
            apt="libsimavr-dev",
            look=_compiles("cc", _SIMAVR, "-lsimavr"),
        ),
        _part("avrdude", "flash tool", "avrdude", "", "-?"),
        _part("openocd", "flash tool", "openocd"),
        _part("dfu-util", "flash tool", "dfu-util"),
        _part("pyocd", "flash tool", "", "pyocd"),
        Part(
            name="esptool",
            kind="flash tool",
            pip="esptool",
            look=_program("esptool.py", "version"),  # its name in every release so far
        ),
        _part("picotool", "flash tool", "", "", "version"),
        _part("idf.py", "flash tool"),
        _part("west", "flash tool", "", "west"),
        Part(
            name="Optiboot",
            kind="boot loader",
            apt="arduino-core-avr",
            look=lambda: _PLAIN if optiboot() is not None else None,
        ),
    )
}


def python_parts() -> list[Part]:
    """Return the Python packages that rnnedge asks for."""
    names = [
        re.split(r"[^\w.-]", line, maxsplit=1)[0]
        for line in metadata.requires("rnnedge") or []
        if "extra ==" not in line
    ]
    return [Part(name=name, kind="Python package", pip=name, look=_package(name)) for name in names]


def has_apt() -> bool:
    """Return whether this system installs packages by apt-get."""
    return shutil.which("apt-get") is not None
