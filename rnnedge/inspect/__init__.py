"""What is in a model file, and what TensorFlow Lite Micro and rnnedge can make of it."""

from pathlib import Path
from typing import Any

from rnnedge.errors import ModelError

__all__ = ["inspect"]

_LARGEST = 1 << 28  # bytes of a .tflite file


def inspect(path: Path) -> dict[str, Any]:
    """Describe a .keras file, a .tflite file or a run folder, known by its content.

    Args:
        path: what to look into; it is not changed.

    Returns:
        A JSON document; ``kind`` is "keras", "tflite" or "run".

    Raises:
        ModelError: neither of them, missing or damaged; one line.
        ToolError: a package that reading it needs is not installed.
    """
    if path.is_dir():
        from rnnedge.inspect import runfolder

        return {"file": str(path), **runfolder.describe(path)}
    if not path.is_file():
        raise ModelError(f"{path}: no such file; name a .keras or .tflite file, or a run folder")
    if path.stat().st_size > _LARGEST:
        raise ModelError(f"{path}: larger than {_LARGEST >> 20} MiB; no model for a device")
    with path.open("rb") as file:
        start = file.read(8)
    if start[:4] == b"PK\x03\x04" and path.suffix != ".tflite":
        from rnnedge.inspect import kerasfile

        return {"file": str(path), **kerasfile.describe(path)}
    if start[4:] != b"TFL3" and path.suffix != ".tflite":
        raise ModelError(f"{path}: neither a .keras nor a .tflite file nor a run folder")
    from rnnedge.inspect import tflitefile

    return {"file": str(path), **tflitefile.describe(path.read_bytes(), str(path))}
