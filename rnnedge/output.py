"""Writing results: whole or not at all."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rnnedge.errors import OutputError


@contextmanager
def new_folder(path: Path, *, replace: bool = False, marker: str = "") -> Iterator[Path]:
    """Give a temporary folder whose content becomes `path` when the block ends without an error.

    Args:
        path: the folder to make; may exist if it is empty.
        replace: whether a folder that holds the file `marker` may be replaced.
        marker: name of the file by which such a folder is known.

    Raises:
        OutputError: `path` cannot be made, or exists and must not be replaced.
    """
    path = _resolved(path)
    before = _check_free(path, replace, marker)
    with _work_folder(path) as work:
        yield work
        if work.parent != path:
            work.chmod(0o777 & ~_umask())
            work.rename(path)  # fails if somebody else has filled path in the meantime
            return
        if _check_free(path, replace, marker, but=work.name) != before:
            raise OutputError(f"{path}: was changed by another program; name a new folder")
        for name in before:
            old = path / name
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        for item in list(work.iterdir()):
            item.rename(path / item.name)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write {relative path: bytes} below `folder`, each file at once; other files stay.

    Everything is first written to a temporary folder there, so that a full disk changes nothing.

    Raises:
        OutputError: a folder or file cannot be written.
    """
    replace_files(folder, files)


def replace_files(
    folder: Path,
    files: Mapping[str, bytes],
    before: Mapping[str, str] | None = None,
    beside: Mapping[Path, bytes] | None = None,
) -> list[str]:
    """Write files as `write_files` does, and remove those of before that are no longer among them.

    Args:
        folder: the folder.
        files: by relative path.
        before: hash of each file (`content_hash`) that was written there before.
        beside: further files, by path; written with the others, or not at all.

    Returns:
        Paths of before that stay, because they were changed since.

    Raises:
        OutputError: a folder or file cannot be written.
    """
    folder = _resolved(folder)
    with explained(folder):
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder}: is a file; name a folder")
    with ExitStack() as stack:
        moves = _staged(stack, folder, {folder / name: data for name, data in files.items()})
        for path, data in (beside or {}).items():
            if path.is_dir():
                raise OutputError(f"{path}: is a folder; remove it, or choose another one")
            moves += _staged(stack, _resolved(path), {_resolved(path): data})
        for source, target in moves:
            with explained(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                source.replace(target)
        return _remove(folder, {k: v for k, v in (before or {}).items() if k not in files})


def content_hash(data: bytes) -> str:
    """Return what tells a file's content from another one."""
    return hashlib.sha256(data).hexdigest()[:16]


def _staged(stack: ExitStack, home: Path, files: Mapping[Path, bytes]) -> list[tuple[Path, Path]]:
    """Write files to a temporary folder in or beside `home`; return (where they are, to be)."""
    work = stack.enter_context(_work_folder(home))
    moves = [(work / str(number), path) for number, path in enumerate(files)]
    for source, path in moves:
        source.write_bytes(files[path])
    return moves


def _remove(folder: Path, before: Mapping[str, str]) -> list[str]:
    """Remove unchanged files and the folders that become empty; return the changed ones."""
    kept = []
    for name, digest in sorted(before.items()):
        path = folder / name
        if not path.resolve().is_relative_to(folder) or not path.is_file():
            continue
        if content_hash(path.read_bytes()) != digest:
            kept.append(name)
            continue
        path.unlink()
        for parent in path.parents:
            if parent == folder or any(parent.iterdir()):
                break
            parent.rmdir()
    return kept


@contextmanager
def _work_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder in `path`, if that exists, else beside it: on its file system.

    Whatever is left of it is removed in the end, and so are new parents if nothing came of them.
    """
    with explained(path):
        home = path if path.is_dir() else path.parent
        made = [parent for parent in (home, *home.parents) if not parent.exists()]
        home.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".rnnedge-", dir=home))
    try:
        with explained(path):
            yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        for parent in made:
            with suppress(OSError):  # not empty: it is in use
                parent.rmdir()


def write_file(path: Path, data: bytes) -> None:
    """Write one file at once.

    Raises:
        OutputError: it cannot be written.
    """
    path = _resolved(path)
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


def _resolved(path: Path) -> Path:
    """Return the absolute path behind symbolic links."""
    try:
        with explained(path):
            return path.resolve()
    except RuntimeError as error:
        raise OutputError(f"{path}: {error}; choose another folder") from None


def _check_free(path: Path, replace: bool, marker: str, but: str = "") -> set[str]:
    """Return the names in `path` that are to be replaced; `but` does not count."""
    with explained(path):
        if not path.exists():
            return set()
        if not path.is_dir():
            raise OutputError(f"{path}: is a file; name a new folder")
        found = {item.name for item in path.iterdir()} - {but}
    if not found or (replace and marker in found):
        return found
    if marker in found:
        raise OutputError(f"{path}: already holds a run; add --force to replace it")
    raise OutputError(f"{path}: exists and is not empty; name a new folder")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
