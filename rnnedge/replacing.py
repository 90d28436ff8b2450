"""Replacing what an earlier export wrote, and nothing of the user's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnnedge.errors import OutputError
from rnnedge.output import content_hash, exchange_files, explained

_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file that is to be written, or that was written the last time.

    Attributes:
        name: what the user knows it by.
        path: resolved, but for the file itself.
        data: its content; None: it is no longer wanted.
        before: hash of what was written there the last time, or None.
        to_edit: the user is asked to fill it in.
    """

    name: str
    path: Path
    data: bytes | None
    before: str | None
    to_edit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What becomes of places.

    Attributes:
        folder: resolved.
        write: the places that are written.
        remove: files that are removed.
        kept: names of files that stay, because the user has changed them.
    """

    folder: Path
    write: Sequence[Place]
    remove: Sequence[Path]
    kept: Sequence[str]

    def carry_out(self, late: Mapping[Path, bytes]) -> None:
        """Write and remove files, all or none.

        Args:
            late: content that is only known now that there is a plan, by path.

        Raises:
            OutputError: a file cannot be written.
        """
        files = {place.path: place.data for place in self.write if place.data is not None}
        exchange_files(self.folder, {**files, **late}, self.remove)


def places_in(
    folder: Path, files: Mapping[str, bytes], before: Mapping[str, str], to_edit: str
) -> list[Place]:
    """Return the places of files in a folder, and of those that were there the last time.

    Args:
        folder: resolved.
        files: content by relative path.
        before: hash of each file that was written the last time; names that are none are ignored.
        to_edit: beginning of the paths that the user is asked to fill in.

    Raises:
        OutputError: a folder on the way to a file is a link that leads elsewhere.
    """
    found = {}
    for name, data in files.items():
        path = _inside(folder, name)
        if path is None:
            raise OutputError(f"{(folder / name).parent}: leads out of {folder}; remove that link")
        found[path] = Place(
            name=name,
            path=path,
            data=data,
            before=before.get(name),
            to_edit=name.startswith(to_edit),
        )
    for name in sorted(before):
        old = _inside(folder, name)
        if old is not None and old not in found:
            found[old] = Place(name=name, path=old, data=None, before=before[name])
    return list(found.values())


def planned(folder: Path, places: Iterable[Place], *, force: bool = False) -> Plan:
    """Decide what becomes of each place; nothing is changed yet.

    A file that is as it was written is replaced, or removed if it is no longer wanted. One that
    was changed since stays if it is no longer wanted or was there to be edited.

    Args:
        folder: resolved.
        places: of all files.
        force: replace files of the user.

    Raises:
        OutputError: a file of the user is in the way and `force` is not given.
    """
    write, remove, kept, in_the_way = [], [], [], []
    for place in places:
        with explained(place.path):
            ours = _is_ours(place)
        if place.data is None:
            if ours and place.path.is_file():
                remove.append(place.path)
            elif not ours:
                kept.append(place.name)
        elif ours or force:
            write.append(place)
        elif place.to_edit and place.before is not None:
            kept.append(place.name)
        else:
            in_the_way.append(place.name)
    if in_the_way:
        raise OutputError(
            f"{folder}: {_some(in_the_way)}: not written by the last export, or changed since; "
            "--force replaces them, or choose another --out"
        )
    return Plan(folder=folder, write=write, remove=remove, kept=kept)


def _inside(folder: Path, name: str) -> Path | None:
    """Return a file's path with its folders resolved, or None if it is not below `folder`."""
    try:
        path = folder / name
        path = path.parent.resolve() / path.name
        path.is_symlink()
    except (OSError, ValueError, RuntimeError):  # too long, with a NUL, a loop of links
        return None
    return path if path != folder and path.is_relative_to(folder) else None


def _is_ours(place: Place) -> bool:
    """Tell whether nothing of the user's is lost when a place is written to."""
    if place.path.is_symlink():
        return False
    if not place.path.is_file():
        # a folder is left alone, or refused when it comes to writing
        return not place.path.exists() or place.path.is_dir()
    found = place.path.read_bytes()
    return found == place.data or content_hash(found) == place.before


def _some(names: Sequence[str]) -> str:
    """Return the first of some names.

    >>> _some(["a", "b"]), _some(["a", "b", "c", "d"])
    ('a, b', 'a, b, c and 1 more')
    """
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
