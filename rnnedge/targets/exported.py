"""An exported folder, as it stands on disk: what is in it and which sources build it."""

import json
from dataclasses import dataclass
from pathlib import Path

from rnnedge.archive import DAMAGED
from rnnedge.errors import ModelError

MANIFEST = "rnnedge.json"
SOURCE_FOLDER = "src"
RUNTIME_FOLDER = "rnnedge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A folder that rnnedge export wrote.

    Attributes:
        folder: its path.
        name: the model's name.
        sha256: hash of the quantised model it was made from.
        bidirectional: it sees whole windows and cannot stream.
        generates: it has free steps, a start or an encoder.
    """

    folder: Path
    name: str
    sha256: str
    bidirectional: bool
    generates: bool = False

    @property
    def model_source(self) -> Path:
        """The model's constants."""
        return self.folder / SOURCE_FOLDER / f"{self.name}_model.c"

    @property
    def runtime_folder(self) -> Path:
        """The runtime: headers, cells, kernels, serial line."""
        return self.folder / SOURCE_FOLDER / RUNTIME_FOLDER

    @property
    def runtime_sources(self) -> list[Path]:
        """The C and assembler files of cells and kernels."""
        folders = [self.runtime_folder / name for name in ("src", "kernels")]
        found = [path for folder in folders for path in sorted(folder.rglob("*"))]
        return [path for path in found if path.suffix in (".c", ".S")]

    @property
    def include_dirs(self) -> list[Path]:
        """Where its headers are."""
        return [self.folder / SOURCE_FOLDER]


def open_exported(folder: Path) -> Exported:
    """Read the manifest of an exported folder.

    Raises:
        ModelError: no such folder, not one of rnnedge export, or a file is missing.
    """
    if folder.is_dir() and not (folder / MANIFEST).exists():
        raise ModelError(f"{folder}: no {MANIFEST} here; is this a folder of rnnedge export?")
    if not folder.is_dir():
        raise ModelError(
            f"{folder}: no such folder; make one with rnnedge export RUN --out {folder}"
        )
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        exported = Exported(
            folder=folder,
            name=str(manifest["name"]),
            sha256=str(manifest["sha256"]),
            bidirectional=bool(manifest["bidirectional"]),
            generates=bool(manifest["generates"]),
        )
    except DAMAGED as error:
        raise ModelError(
            f"{folder / MANIFEST}: not readable ({error}); is this a folder of rnnedge export?"
        ) from None
    for path in (exported.model_source, folder / SOURCE_FOLDER / f"{exported.name}.h"):
        if not path.is_file():
            raise ModelError(f"{path}: missing; run rnnedge export again")
    if not exported.runtime_sources:
        raise ModelError(f"{exported.runtime_folder}: no C sources; run rnnedge export again")
    return exported
