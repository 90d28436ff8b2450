"""Drives that boards show: found by name, and copied to."""

import os
import shutil
from pathlib import Path

from rnnedge.errors import ToolError

_MOUNTED = ("/media/*/{label}", "/media/{label}", "/run/media/*/{label}", "/mnt/{label}")


def find_drives(label: str) -> list[Path]:
    """Return where drives of this name are mounted."""
    root = Path("/")
    places = [place.format(label=label).lstrip("/") for place in _MOUNTED]
    return [path for place in places for path in sorted(root.glob(place)) if path.is_dir()]


def choose_drive(given: Path | None, label: str, connect: str = "") -> Path:
    """Return the drive to copy to: `given`, else the one with this name.

    Args:
        given: a drive, or None.
        label: name of the drive.
        connect: what makes it appear, if more than connecting the board.

    Raises:
        ToolError: there is none, or more than one, or it is no folder.
    """
    if given is not None:
        if not given.is_dir():
            raise ToolError(f"{given}: no such folder; name the board's drive with --drive")
        return given
    found = find_drives(label)
    if not found:
        raise ToolError(
            f"no drive {label} is mounted; {connect or 'connect the board'}, "
            "or name its drive with --drive"
        )
    if len(found) > 1:
        drives = ", ".join(map(str, found))
        raise ToolError(f"several drives {label}: {drives}; name one with --drive")
    return found[0]


def copy_image(image: Path, to: Path, drive: Path) -> None:
    """Copy an image to a drive and wait until it is there.

    Args:
        image: the file.
        to: where it goes on the drive, a folder or the file.
        drive: where that is mounted.

    Raises:
        ToolError: it cannot be copied; nothing half-written is left, if the drive still answers.
    """
    target = to / image.name if to.is_dir() else to
    if not target.parent.is_dir():
        raise ToolError(f"{target.parent}: no such folder; is {drive} the board's drive?")
    try:
        with image.open("rb") as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())  # the board starts when the last block has arrived
    except OSError as error:
        target.unlink(missing_ok=True)
        raise ToolError(f"{target}: cannot be written ({error.strerror or error})") from None
