"""Compile an exported model with the verify application."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from rnnedge.targets.exported import Exported
from rnnedge.targets.tools import run

STRICT = (
    *("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wundef"),
    *("-Wcast-qual", "-Wmissing-prototypes", "-Wvla", "-Werror"),
)
"""Every C file of rnnedge, also an exported model, compiles under these with gcc and clang."""

OPTIMIZE = {"speed": "-O3", "size": "-Os"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """A C compiler and its flags.

    Attributes:
        compiler: program name or path.
        flags: for compiling and linking.
        link_flags: for linking only.
    """

    compiler: str
    flags: tuple[str, ...] = ()
    link_flags: tuple[str, ...] = ()


def firmware(path: str) -> Path:
    """Return the path of a file or folder of the shipped C sources."""
    return Path(str(resources.files("rnnedge.firmware"))) / path


def build(
    exported: Exported, toolchain: Toolchain, port: Sequence[Path], work: Path, optimize: str
) -> Path:
    """Build the verify application for an exported folder and return the program.

    Args:
        exported: the folder, as it stands.
        toolchain: compiler and flags.
        port: C files that bring the application to this target.
        work: an existing folder for objects and the program.
        optimize: "speed" or "size".

    Raises:
        ToolError: the compiler is missing or refuses a file.
    """
    includes = [f"-I{folder}" for folder in (*exported.include_dirs, firmware("app"))]
    defines = [
        f'-DAPP_HEADER="{exported.name}.h"',
        f"-DAPP_MODEL={exported.name}",
        f"-DAPP_PREFIX={exported.name.upper()}",
        *(["-DAPP_WINDOW"] if exported.bidirectional else []),
    ]
    # board.ld tells runtime and model from the rest by these names
    sources = [("runtime", path) for path in exported.runtime_sources]
    sources += [("model", exported.model_source), ("app", firmware("app/verify.c"))]
    sources += [("app", path) for path in port]
    objects = []
    for kind, path in sources:
        objects.append(work / f"{kind}_{path.stem}.o")
        # the toolchain's flags come last: of two -O the last one counts
        command = [toolchain.compiler, OPTIMIZE[optimize], *toolchain.flags, *STRICT, *includes]
        run(
            [*command, *defines, "-c", path, "-o", objects[-1]],
            purpose=f"compile {path.name}",
        )
    program = work / "verify.elf"
    run(
        [toolchain.compiler, *toolchain.flags, *toolchain.link_flags, *objects, "-o", program],
        purpose="link the program",
    )
    return program
