"""Exact counts between the application's two marker functions, whatever emulator counts them."""

import re
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rnnedge.errors import ToolError
from rnnedge.targets.elf import Elf
from rnnedge.targets.stream import Answer
from rnnedge.targets.target import Measured
from rnnedge.targets.tools import require, run

_IMPOSSIBLE_VERSION = 9999
_PLUGIN = Path(__file__).with_name("count_plugin.c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Markers:
    """Where counting starts and stops, and the files that get the counts.

    Attributes:
        begin: address of app_count_begin.
        end: address of app_count_end.
        steps: file, gets "count times" for each distinct count of a step.
        addresses: file, gets "address count" for each instruction, over all steps.
    """

    begin: int
    end: int
    steps: Path
    addresses: Path


def markers(elf: Elf, program: Path) -> Markers:
    """Find the markers of `program`; the counts will be written beside it.

    Raises:
        ToolError: it has none.
    """
    try:
        begin, end = (elf.symbols[name].address for name in ("app_count_begin", "app_count_end"))
    except KeyError as error:
        raise ToolError(f"{program.name}: the program has no function {error}") from None
    steps, addresses = (program.with_name(name) for name in ("steps.txt", "addresses.txt"))
    for path in (steps, addresses):
        path.unlink(missing_ok=True)
    return Markers(begin=begin, end=end, steps=steps, addresses=addresses)


def measured(answer: Answer, found: Markers, elf: Elf) -> Measured:
    """Return a run with its counts.

    Raises:
        ToolError: nothing was counted.
    """
    functions = function_counts(found, elf)
    return Measured(
        answer=answer,
        counts=step_counts(found),
        functions=functions,
        code_bytes=sum(elf.symbols[name].size for name in functions if name in elf.symbols),
    )


def step_counts(found: Markers) -> dict[int, int]:
    """Return {count of a step: number of steps}.

    Raises:
        ToolError: nothing was counted.
    """
    counts = dict(_rows(found.steps))
    if not counts:
        raise ToolError("the emulator ran, but its counter wrote nothing")
    return counts


def function_counts(found: Markers, elf: Elf) -> Mapping[str, int]:
    """Return {function: count over all steps}, largest first."""
    functions: Counter[str] = Counter()
    for address, count in _rows(found.addresses):
        functions[elf.function_at(address)] += count
    return dict(functions.most_common())


def _rows(path: Path) -> list[tuple[int, int]]:
    try:
        rows = [line.split() for line in path.read_text().splitlines()]
        return [(int(first), int(second)) for first, second in rows]
    except (OSError, ValueError):
        return []


def plugin(work: Path, emulator: str) -> Path:
    """Compile the QEMU plugin into `work` for the installed `emulator` and return it.

    Raises:
        ToolError: no C compiler or QEMU, or a QEMU without plugins.
    """
    return _compile(work, _version(require(emulator, "count instructions"), work))


_versions: dict[str, int] = {}


def _version(emulator: str, work: Path) -> int:
    """Return the version of the plugin interface that `emulator` speaks.

    The functions that the plugin uses are the same in all versions, but QEMU loads only plugins of
    a version that it knows: a build with an impossible one makes it tell.
    """
    if emulator in _versions:
        return _versions[emulator]
    name = Path(emulator).name
    library = _compile(work, _IMPOSSIBLE_VERSION)
    try:
        refused = subprocess.run(
            [emulator, "-M", "none", "-display", "none", "-plugin", f"file={library}"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"{name}: cannot count instructions: {error}") from None
    complaint = refused.stderr.decode(errors="replace").strip()
    version = re.search(r"up to version (\d+)", complaint)
    if version is None:
        raise ToolError(f"{name}: cannot count instructions: {complaint or 'no plugins'}")
    return _versions.setdefault(emulator, int(version.group(1)))


def _compile(work: Path, version: int) -> Path:
    library = work / "count_plugin.so"
    flags = ["-shared", "-fPIC", "-O2", f"-DPLUGIN_VERSION={version}"]
    run(["cc", *flags, _PLUGIN, "-o", library], purpose="compile the instruction counter")
    return library
