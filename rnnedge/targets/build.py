"""Compile an exported model with the verify application."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path

from rnnedge.targets.exported import Exported
from rnnedge.targets.objects import runtime_objects
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
        flags: for compiling; for linking too, unless there is a linker.
        linker: program that links; None: the compiler.
        link_flags: for linking only.
    """

    compiler: str
    flags: tuple[str, ...] = ()
    linker: str | None = None
    link_flags: tuple[str, ...] = ()

    def version(self) -> str:
        """Return the compiler's name and version, such as "clang 14.0.6"."""
        purpose = "tell its version"
        said = run([self.compiler, "--version"], purpose=purpose).decode(errors="replace")
        if "clang" in said:
            number = run([self.compiler, "-dumpversion"], purpose=purpose)
            return f"clang {number.decode().strip()}"
        # gcc before 7 knows only the second option, and later ones print the first answer
        number = run([self.compiler, "-dumpfullversion", "-dumpversion"], purpose=purpose)
        name = Path(self.compiler).name
        return f"{'gcc' if name == 'cc' else name} {number.decode().strip()}"


def firmware(path: str) -> Path:
    """Return the path of a file or folder of the shipped C sources."""
    return Path(str(resources.files("rnnedge.firmware"))) / path


def build(
    exported: Exported,
    toolchain: Toolchain,
    port: Sequence[Path],
    work: Path,
    optimize: str,
    *,
    name: str = "verify",
) -> Path:
    """Build the verify application for an exported folder and return the program.

    Args:
        exported: the folder, as it stands.
        toolchain: compiler and flags.
        port: C and assembler files that bring the application to this target.
        work: an existing folder for objects and the program.
        optimize: "speed" or "size".
        name: of the program; it gets the suffix .elf.

    Raises:
        ToolError: the compiler is missing or refuses a file.
    """
    folders = [*exported.include_dirs, firmware("app"), *{path.parent: None for path in port}]
    includes = [f"-I{folder.resolve()}" for folder in folders]
    defines = [
        f'-DAPP_HEADER="{exported.name}.h"',
        f"-DAPP_MODEL={exported.name}",
        f"-DAPP_PREFIX={exported.name.upper()}",
        *(["-DAPP_WINDOW"] if exported.bidirectional else []),
        *(["-DAPP_GENERATES"] if exported.generates else []),
    ]
    # the toolchain's flags come last: of two -O the last one counts
    command = [toolchain.compiler, OPTIMIZE[optimize], *toolchain.flags, *STRICT]

    def compile_one(flags: Sequence[str], source: Path, out: Path) -> None:
        run(
            [*command, *includes, *flags, "-c", source.resolve(), "-o", out.resolve()],
            purpose=f"compile {source.name}",
            folder=work,
        )

    def compile_all(pairs: Sequence[tuple[Path, Path]], flags: Sequence[str] = ()) -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(partial(compile_one, flags), *zip(*pairs, strict=True)))

    # linker scripts tell runtime and model from the rest by the first word of an object's name
    sources = [("model", exported.model_source), ("app", firmware("app/verify.c"))]
    sources += [("app", path) for path in port]
    objects = [f"{kind}_{path.parent.name}_{path.name}.o" for kind, path in sources]
    compile_all(
        [(path, work / out) for (_, path), out in zip(sources, objects, strict=True)], defines
    )
    objects = [*runtime_objects(exported, command, work, compile_all), *objects]
    program = work / f"{name}.elf"
    flags = () if toolchain.linker else toolchain.flags
    run(
        [
            *(toolchain.linker or toolchain.compiler, *flags, *objects, *toolchain.link_flags),
            *("-o", program.name),
        ],
        purpose="link the program",
        folder=work,
    )
    return program
