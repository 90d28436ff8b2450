"""The .tflite files of an exported folder, as they stand on disk."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnedge.archive import DAMAGED
from rnnedge.errors import ModelError
from rnnedge.modelfile import model_hash
from rnnedge.spec import QuantizedModel
from rnnedge.targets.exported import MANIFEST

if TYPE_CHECKING:
    from rnnedge.convert.tflite import Variant

_AGAIN = "run rnnedge export again"


@dataclass(frozen=True, slots=True, kw_only=True)
class TfliteFile:
    """One of them.

    Attributes:
        path: where it is.
        content: what is in it.
        variant: what its metadata says that it is.
        arena: bytes, as the export found them.
    """

    path: Path
    content: bytes
    variant: "Variant"
    arena: int


def tflite_files_of(folder: Path, model: QuantizedModel) -> list[TfliteFile]:
    """Read the .tflite files of an exported folder.

    Raises:
        ModelError: there is none, one is missing or damaged, of another model, or not what its C
            array holds.
        ToolError: tflite-micro, which brings the schema, is missing.
    """
    manifest = folder / MANIFEST
    try:
        rows = [
            (str(row["file"]), int(row["arena_bytes"]))
            for row in json.loads(manifest.read_text()).get("tflite", [])
        ]
    except (*DAMAGED, AttributeError, TypeError) as error:
        raise ModelError(f"{manifest}: not readable ({error}); {_AGAIN}") from None
    if not rows:
        raise ModelError(f"{folder}: has no .tflite; run rnnedge export with --tflite window")
    return [_read(folder / name, arena, model) for name, arena in rows]


def _read(path: Path, arena: int, model: QuantizedModel) -> TfliteFile:
    from rnnedge.convert.tflite import Variant

    content = _bytes(path)
    said = _description(path, content)
    found = str(said.get("sha256"))
    if found != model_hash(model):
        raise ModelError(
            f"{path}: exported from another model ({found[:12]}) than the run's "
            f"({model_hash(model)[:12]}); {_AGAIN}"
        )
    try:
        variant = Variant(**{key: said[key] for key in ("form", "state", "precision")})
    except (KeyError, ModelError):
        raise ModelError(f"{path}: its metadata names no form of a model; {_AGAIN}") from None
    _check_array(path, content)
    return TfliteFile(path=path, content=content, variant=variant, arena=arena)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); {_AGAIN}") from None


def _description(path: Path, content: bytes) -> dict[str, Any]:
    """Return what rnnedge wrote into the file."""
    from rnnedge.convert.tflite import METADATA
    from rnnedge.tflmath import read

    file = read(content, str(path))
    try:
        said = json.loads(bytes(file.buffers[file.metadata[METADATA]]))
    except (KeyError, ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise ModelError(f"{path}: has no readable metadata of rnnedge; {_AGAIN}")
    return said


def _check_array(path: Path, content: bytes) -> None:
    """Refuse a C array, which is what a firmware holds, of other bytes than the file's."""
    source = path.with_name(f"{path.stem}_tflite.cc")
    text = _bytes(source).decode(errors="replace")
    held = bytes(int(word, 16) for word in re.findall(r"\b0x([0-9a-fA-F]{2})\b,", text))
    if held != content:
        raise ModelError(f"{source}: does not hold the bytes of {path.name}; {_AGAIN}")
