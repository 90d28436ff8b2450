"""rnnedge doctor: what can be built, run and flashed here, and what installs the rest."""

import os
import platform
from collections.abc import Iterable, Sequence
from typing import Any

from rnnedge.boards import BOARDS, Board
from rnnedge.boards.tools import COPY, absent
from rnnedge.errors import ToolError
from rnnedge.parts import PARTS, Part, has_apt, python_parts
from rnnedge.targets import TARGETS
from rnnedge.targets.cores import find_core
from rnnedge.targets.emulated import EMULATED
from rnnedge.targets.tools import install_hint

DEMO, ALL = "demo", "all"
_DEMO = ("host", "cortex-m4")
# what a compiler or an emulator needs besides itself
_WITH = {
    "arm-none-eabi-gcc": ("newlib for Arm",),
    "avr-gcc": ("avr-libc",),
    "simavr": ("cc",),
}


def examine() -> dict[str, Any]:
    """Look at everything and return what was found.

    Returns:
        system, python, parts (name, kind, version or None), targets (target, build, run, missing),
        boards (board, build, emulate, flash: the tools that are there, missing), and install: the
        commands that install what is missing.
    """
    packages = python_parts()
    targets, boards = _targets(), [_board(board) for board in BOARDS]
    parts = [*PARTS.values(), *packages]
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "parts": [
            {"name": part.name, "kind": part.kind, "version": part.version} for part in parts
        ],
        "targets": targets,
        "boards": boards,
        "install": install_commands(part for part in parts if part.version is None),
    }


def lacking(document: dict[str, Any], wanted: Sequence[str]) -> dict[str, list[str]]:
    """Return the wanted targets and boards that cannot be built and run, with what is missing.

    A board without emulator is only built here; one that another build system builds (ESP-IDF) is
    not in "all".

    Args:
        document: what `examine` returned.
        wanted: names of targets and boards, "demo" (what `rnnedge demo` runs) or "all".

    Raises:
        ToolError: an unknown name; lists the known ones.
    """
    rows = {row["target"]: row for row in document["targets"]}
    rows |= {row["board"]: row for row in document["boards"]}
    names: dict[str, None] = {}
    for name in wanted:
        if name not in (DEMO, ALL, *rows):
            raise ToolError(f"{name!r} is not known; there are {', '.join(rows)}, {DEMO} and {ALL}")
        several = {DEMO: _DEMO, ALL: (*TARGETS, *_built_here())}
        names |= dict.fromkeys(several.get(name, (name,)))
    python = [
        part["name"]
        for part in document["parts"]
        if part["kind"] == "Python package" and part["version"] is None
    ]
    found = {name: [*rows[name]["missing"]] for name in names if rows[name]["missing"]}
    return found | ({"Python": python} if python else {})


def install_commands(missing: Iterable[Part]) -> list[str]:
    """Return the commands that install parts, for this system."""
    parts = list(missing)
    apt = dict.fromkeys(name for part in parts for name in part.apt.split())
    pip = dict.fromkeys(part.pip for part in parts if part.pip)
    commands = []
    if apt and has_apt():
        sudo = "" if os.geteuid() == 0 else "sudo "
        commands.append(f"{sudo}apt-get install --no-install-recommends {' '.join(apt)}")
    elif apt:
        commands.append(f"with your system's package manager (Debian's names): {' '.join(apt)}")
    if pip:
        commands.append(f"pip install {' '.join(pip)}")
    commands += [
        f"{part.name}: {install_hint(part.name)}" for part in parts if not (part.apt or part.pip)
    ]
    return commands


def _targets() -> list[dict[str, Any]]:
    emulated = {target.name: target for target in EMULATED}
    rows = []
    for name in TARGETS:
        if name in emulated:
            board = emulated[name].board
            build, run = _to_build(emulated[name].toolchain.compiler), _to_emulate(board)
        else:
            build, run = ["cc"], []
        rows.append(
            {
                "target": name,
                "build": not _missing(build),
                "run": not _missing([*build, *run]),
                "missing": _missing([*build, *run]),
            }
        )
    return rows


def _board(board: Board) -> dict[str, Any]:
    toolchain = find_core(board.core).toolchain
    build = ["idf.py"] if toolchain is None else ["cmake", *_to_build(toolchain.compiler)]
    emulate = _to_emulate(board)
    tools = [tool.tool for tool in board.flash_tools]
    return {
        "board": board.name,
        "build": not _missing(build),
        "emulate": None if board.emulator is None else not _missing([*build, *emulate]),
        "flash": [
            tool.tool for tool in board.flash_tools if tool.tool == COPY or absent(tool) is None
        ],
        "flash_tools": tools,
        "missing": _missing([*build, *emulate]),
    }


def _built_here() -> list[str]:
    return [board.name for board in BOARDS if find_core(board.core).toolchain is not None]


def _to_build(compiler: str) -> list[str]:
    return [compiler, *_WITH.get(compiler, ())]


def _to_emulate(board: Board) -> list[str]:
    if board.emulator is None:
        return []
    program = board.emulator.program
    return [program, *_WITH.get(program, ())]


def _missing(names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if PARTS[name].version is None]
