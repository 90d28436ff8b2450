"""What the last export into a folder wrote, as its manifest says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnnedge.archive import DAMAGED
from rnnedge.output import content_hash
from rnnedge.targets.exported import MANIFEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An earlier export.

    Attributes:
        model: name of its model, or None if there was no export.
        files: hash of each file that it wrote, or left because the user had changed it, by path.
        zip: hash of the zip beside the folder, or None.
    """

    model: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    zip: str | None = None


def last_written(folder: Path) -> Written:
    """Return what the last export wrote; nothing if it is not known."""
    try:
        data = (folder / MANIFEST).read_bytes()
        manifest = json.loads(data)
        files = {**manifest.get("kept", {}), **manifest["files"], MANIFEST: content_hash(data)}
        return Written(
            model=str(manifest["name"]),
            files={str(path): str(digest) for path, digest in files.items()},
            zip=str(manifest["zip"]) if "zip" in manifest else None,
        )
    except DAMAGED:
        return Written()


def with_written(manifest: bytes, kept: Mapping[str, str], zip_hash: str | None) -> bytes:
    """Return a manifest that also says what lies there but is not of its files.

    Args:
        manifest: the manifest.
        kept: hash of files of earlier exports, as they were before the user changed them.
        zip_hash: hash of the zip beside the folder, or None.
    """
    more: dict[str, Any] = {"kept": dict(kept)} if kept else {}
    if zip_hash is not None:
        more["zip"] = zip_hash
    return (json.dumps({**json.loads(manifest), **more}, indent=2) + "\n").encode()
