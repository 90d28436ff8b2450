"""Writing results: whole or not at all."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rnnedge.errors import OutputError


@contextmanager
def new_folder(path: Path, *, replace: bool = False, marker: str = "") -> Iterator[Path]:
    """Give a temporary folder that becomes `path` when the block ends without an error.

    Args:
        path: the folder to make; may exist if it is empty.
        replace: whether a folder that holds the file `marker` may be replaced.
        marker: name of the file by which such a folder is known.

    Raises:
        OutputError: `path` cannot be made, or exists and must not be replaced.
    """
    path = path.resolve()
    _check_free(path, replace, marker)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        with explained(path):
            yield work
            work.chmod(0o777 & ~_umask())
            if path.exists():
                shutil.rmtree(path)
            work.rename(path)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write {relative path: bytes} below `folder`, each file at once; other files stay.

    Everything is first written beside the folder, so that a full disk changes nothing.

    Raises:
        OutputError: a folder or file cannot be written.
    """
    folder = folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; name a folder")
    with explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        with explained(folder):
            for name, data in files.items():
                (work / name).parent.mkdir(parents=True, exist_ok=True)
                (work / name).write_bytes(data)
            for name in files:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (work / name).replace(folder / name)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_file(path: Path, data: bytes) -> None:
    """Write one file at once.

    Raises:
        OutputError: it cannot be written.
    """
    path = path.resolve()
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file")
    write_files(path.parent, {path.name: data})


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an OSError of writing `path` into one line.

    Raises:
        OutputError: in place of the OSError.
    """
    try:
        yield
    except OSError as error:
        hint = "free some space" if error.errno == errno.ENOSPC else "choose another folder"
        raise OutputError(
            f"{path}: cannot be written ({error.strerror or error}); {hint}"
        ) from None


def _check_free(path: Path, replace: bool, marker: str) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise OutputError(f"{path}: is a file; name a new folder")
    with explained(path):
        found = {item.name for item in path.iterdir()}
    if not found or (replace and marker in found):
        return
    if marker in found:
        raise OutputError(f"{path}: already holds a run; add --force to replace it")
    raise OutputError(f"{path}: exists and is not empty; name a new folder")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
