"""Writing results: whole or not at all."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rnnedge.errors import OutputError

WORK_PREFIX = ".rnnedge-"
"""How the names of temporary folders begin."""


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
    path = resolved(path)
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
    """Write {relative path: bytes} below `folder`, all of them or none; other files stay.

    Raises:
        OutputError: a folder or file cannot be written.
    """
    folder = resolved(folder)
    exchange_files(folder, {folder / name: data for name, data in files.items()})


def exchange_files(folder: Path, files: Mapping[Path, bytes], remove: Sequence[Path] = ()) -> None:
    """Write files and remove others; if one of them fails, everything is as it was.

    All are first written to temporary folders, so that a full disk changes nothing.

    Args:
        folder: resolved path, where most of them are.
        files: content by resolved path, in `folder` or elsewhere; old files are replaced.
        remove: existing files in or beside `folder`.

    Raises:
        OutputError: a folder or file cannot be written; or a folder is where a file is to be.
    """
    with explained(folder):
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder}: is a file; name a folder")
        for path in files:
            _check_place(path)
    inside = {path: data for path, data in files.items() if path.is_relative_to(folder)}
    beside = {path: data for path, data in files.items() if path not in inside}
    with ExitStack() as stack:
        staged = _staged(stack, folder, inside) if inside else []
        for path, data in beside.items():
            staged += _staged(stack, path, {path: data})
        moves = stack.enter_context(_moves())
        for path in (*files, *remove):
            if path.is_symlink() or path.exists():
                moves.aside(path, folder if path.is_relative_to(folder) else path.parent)
        for source, path in staged:
            moves.move(source, path)
    for path in remove:
        _remove_empty(path.parent, folder)


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


def _check_place(path: Path) -> None:
    """Refuse a folder where a file is to be, and a file where one of its folders is to be."""
    if path.is_dir() and not path.is_symlink():
        raise OutputError(f"{path}: is a folder; remove it, or choose another one")
    for parent in path.parents:
        if parent.is_dir():
            return
        if parent.exists() or parent.is_symlink():
            raise OutputError(
                f"{parent}: is a file, and no folder can be made in it; choose another one"
            )


class _Moves:
    """Moves of files that can be taken back."""

    def __init__(self) -> None:
        self._done: list[tuple[Path, Path]] = []
        self._made: list[Path] = []
        self._asides: dict[Path, Path] = {}

    def move(self, source: Path, path: Path) -> None:
        """Move a file to where nothing is."""
        with explained(path):
            for parent in reversed(path.parents):
                if not parent.exists():
                    self._made.append(parent)
                    parent.mkdir(exist_ok=True)
            self._done.append((source, path))  # before: an interrupt may come in between
            source.rename(path)

    def aside(self, path: Path, home: Path) -> None:
        """Move a file out of the way, into a folder in `home`."""
        with explained(path):
            if home not in self._asides:
                self._asides[home] = Path(tempfile.mkdtemp(prefix=".rnnedge-old-", dir=home))
            self.move(path, self._asides[home] / f"{len(self._done)}-{path.name}"[:100])

    def forget(self) -> None:
        """Delete what was moved out of the way."""
        for aside in self._asides.values():
            shutil.rmtree(aside, ignore_errors=True)

    def take_back(self) -> None:
        """Undo all moves; a file that cannot go back stays in its folder .rnnedge-old-*."""
        for source, path in reversed(self._done):
            with suppress(OSError):
                path.rename(source)
        for folder in (*self._asides.values(), *reversed(self._made)):
            with suppress(OSError):  # not empty
                folder.rmdir()


@contextmanager
def _moves() -> Iterator[_Moves]:
    """Give moves that are taken back if the block does not end well."""
    moves = _Moves()
    try:
        yield moves
    except BaseException:
        moves.take_back()
        raise
    moves.forget()


def _remove_empty(path: Path, folder: Path) -> None:
    """Remove folders below `folder` that have become empty, from `path` upwards."""
    while path != folder and path.is_relative_to(folder):
        try:
            path.rmdir()
        except OSError:  # not empty
            return
        path = path.parent


@contextmanager
def _work_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder in `path`, if that exists, else beside it: on its file system.

    Whatever is left of it is removed in the end, and so are new parents if nothing came of them.
    """
    with explained(path):
        home = path if path.is_dir() else path.parent
        made = [parent for parent in (home, *home.parents) if not parent.exists()]
        home.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=home))
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
    path = resolved(path)
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


def resolved(path: Path) -> Path:
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
