"""Compiled files of the runtime, kept while this process lives.

The runtime does not depend on the model, so programs that are built with the same compiler and
flags share its objects. The key is what they are made of: the command and every file's bytes.
"""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from rnnedge.targets.exported import Exported

Compile = Callable[[Sequence[tuple[Path, Path]]], None]
"""Compiles pairs of (source, object)."""


def runtime_objects(
    exported: Exported, command: Sequence[str], work: Path, compile_all: Compile
) -> list[str]:
    """Return the names of the runtime's objects, which then lie in `work`.

    Args:
        exported: whose runtime is compiled, as it stands.
        command: compiler and flags, without what names folders or the model.
        work: folder that gets a link to each object; a linker script knows them by their names.
        compile_all: compiles those that are not there yet.

    Raises:
        ToolError: of `compile_all`.
    """
    sources = exported.runtime_sources
    digest = hashlib.sha256(repr(list(command)).encode())
    for path in sorted(item for item in exported.runtime_folder.rglob("*") if item.is_file()):
        digest.update(f"{path.relative_to(exported.runtime_folder)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    folder = Path(_kept().name) / digest.hexdigest()
    names = [f"runtime_{path.parent.name}_{path.name}.o" for path in sources]
    if not folder.exists():
        fresh = Path(tempfile.mkdtemp(dir=folder.parent))
        compile_all([(path, fresh / name) for path, name in zip(sources, names, strict=True)])
        fresh.rename(folder)
    for name in names:
        (work / name).unlink(missing_ok=True)
        (work / name).symlink_to(folder / name)
    return names


@cache
def _kept() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="rnnedge-objects-")
