"""extras/firmware of a package: CMake builds it for any board, without Python."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rnnedge.boards import BOARDS, Board
from rnnedge.boards.board import MEMORY_LD, common_folder
from rnnedge.convert.packages.package import Package, fill
from rnnedge.spec import QuantizedModel
from rnnedge.targets.build import Toolchain, firmware
from rnnedge.targets.cores import find_core
from rnnedge.targets.stream import has_phases
from rnnedge.targets.tools import install_hint

FIRMWARE_FOLDER = "extras/firmware"
APPS = ("serial.c", "verify.c")
_SHIPPED = (".c", ".h", ".S", ".ld")
_COMMENT_WIDTH = 100


def firmware_boards() -> list[Board]:
    """Return the boards whose firmware CMake builds."""
    return [board for board in BOARDS if find_core(board.core).toolchain is not None]


def firmware_files(package: Package) -> dict[str, bytes]:
    """Return extras/firmware of a package.

    Args:
        package: its model, and the runtime's sources with the server of the serial protocol.
    """
    boards = firmware_boards()
    names = [board.name for board in boards]
    files = {
        "CMakeLists.txt": fill(
            "firmware.txt.in",
            package,
            BOARDS=" ".join(names),
            BOARDS_COMMENT=_wrapped(names),
            RUNTIME="\n".join(f"  ${{package}}/{path}" for path in package.sources),
            WINDOW=_phases(package.model),
        )
    }
    for name in (*APPS, "port.h"):
        files[f"app/{name}"] = firmware(f"app/{name}").read_bytes()
    files |= _shipped(common_folder())
    for board in boards:
        files |= _shipped(board.folder)
        files[f"boards/{board.name}/{MEMORY_LD}"] = board.memory_ld().encode()
        files[f"boards/{board.name}/toolchain.cmake"] = _toolchain(package, board)
    return {f"{FIRMWARE_FOLDER}/{path}": data for path, data in files.items()}


def _phases(model: QuantizedModel) -> str:
    """Return the macros that say what firmware/app/verify.c asks of a model."""
    return " APP_WINDOW" * model.bidirectional + " APP_GENERATES" * has_phases(model)


def _shipped(folder: Path) -> dict[str, bytes]:
    return {
        f"boards/{folder.name}/{path.name}": path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.suffix in _SHIPPED
    }


def _toolchain(package: Package, board: Board) -> bytes:
    """Return toolchain.cmake of a board."""
    core = find_core(board.core)
    if core.toolchain is None:
        raise ValueError(board.name)
    tools = core.toolchain
    clang = core.with_clang()
    lines = _compiler(tools, tools)
    if clang is not None:
        lines = [
            'if(CMAKE_C_COMPILER MATCHES "clang[^/]*$")',
            *(f"  {line}" for line in _compiler(clang, tools)),
            "else()",
            *(f"  {line}" for line in lines),
            "endif()",
        ]
    sources = [path.relative_to(common_folder().parent).as_posix() for path in board.sources]
    return fill(
        "toolchain.txt.in",
        package,
        TITLE=board.title,
        CHIP=board.chip,
        CORE=core.title,
        CORE_NAME=core.name,
        OPTIMIZE=board.optimize,
        SOURCES="\n".join(f"  boards/{path}" for path in sources),
        DEFINITIONS=" ".join(board.definitions),
        LIBRARIES=" ".join(word for word in tools.link_flags if word.startswith("-l")),
        COMPILER=tools.compiler,
        INSTALL=install_hint(tools.compiler),
        TOOLS=tools.compiler.removesuffix("gcc"),
        COMPILERS="\n".join(lines),
    )


def _compiler(tools: Toolchain, gcc: Toolchain) -> list[str]:
    """Return the lines that choose a compiler; gcc assembles, and links what clang compiled."""
    link = [word for word in tools.link_flags if not word.startswith("-l")]
    lines = [
        f'set(CMAKE_C_FLAGS_INIT "{shlex.join(tools.flags)}")',
        f'set(CMAKE_ASM_FLAGS_INIT "{shlex.join(gcc.flags)}")',
        "set(CMAKE_ASM_COMPILER ${BOARD_CC})",
    ]
    if tools is gcc:
        return [
            *lines,
            "set(CMAKE_C_COMPILER ${BOARD_CC})",
            f'set(CMAKE_EXE_LINKER_FLAGS_INIT "{shlex.join(link)}")',
        ]
    return [
        *lines,
        "string(CONCAT CMAKE_C_LINK_EXECUTABLE",
        f'  "<CMAKE_ASM_COMPILER> {shlex.join(link)} "',
        '  "<LINK_FLAGS> <OBJECTS> -o <TARGET> <LINK_LIBRARIES>")',
    ]


def _wrapped(names: Sequence[str]) -> str:
    """Return names for a comment that starts at column 26."""
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) + 26 > _COMMENT_WIDTH:
            lines.append("")
        lines[-1] += f"{name} "
    return f"\n#{' ' * 26}".join(line.rstrip() for line in lines)
