"""Exports: C arrays, runtime, golden vectors, TFLite."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnedge.api.opened import GOLDEN_WINDOWS, Document, open_run
from rnnedge.arrays import F32
from rnnedge.modelfile import model_hash
from rnnedge.output import new_folder, write_files
from rnnedge.run import RUN_JSON
from rnnedge.spec import QuantizedModel


def export(run: Path, out: Path, *, targets: Sequence[str] = ("all",)) -> Document:
    """Write the C arrays, runtime, golden vectors and, for GRUs, the TFLite model of a run.

    Args:
        run: run folder.
        out: folder to write into.
        targets: names of targets whose weights are wanted, or "all".

    Returns:
        name, sha256, kernels, const_bytes, ram_bytes, tflite_bytes and arena_bytes (None where
        there is no TFLite model), and the list of files.

    Raises:
        RnnedgeError: no such run, tflite-micro is missing, or the folder cannot be written.
    """
    _, model, windows = open_run(run)
    return write_export(model, windows.X_test, out, targets)


def export_keras(
    path: Path,
    data: Sequence[Path],
    out: Path,
    *,
    targets: Sequence[str] = ("all",),
    keep_run: Path | None = None,
    force: bool = False,
    **options: Any,
) -> Document:
    """Quantise a user's own Keras model and export it.

    Args:
        path: a .keras file.
        data: what its input looks like, for calibration.
        out: folder to write into.
        targets: names of targets whose weights are wanted, or "all".
        keep_run: also leave a run folder there, for verify, simulate, bench and evaluate.
        force: replace an existing run folder.
        options: of `rnnedge.imported.import_keras`.

    Returns:
        As `export`.

    Raises:
        RnnedgeError: an unsupported layer, bad data, or a folder cannot be written.
    """
    from rnnedge.convert.c import kernels_of
    from rnnedge.imported import import_keras

    kernels_of(targets)  # before the long part
    imported = import_keras(path, data, **options)
    raw = imported.windows.X_test
    if keep_run is None:
        return write_export(imported.model, raw, out, targets)
    with new_folder(keep_run, replace=force, marker=RUN_JSON) as folder:  # both, or neither
        imported.save(folder)
        return write_export(imported.model, raw, out, targets)


def write_export(
    model: QuantizedModel, raw: F32, out: Path, targets: Sequence[str] = ("all",)
) -> Document:
    """Write every file of an export; see `export`."""
    from rnnedge.convert.c import const_bytes, export_c, kernels_of, ram_bytes
    from rnnedge.convert.tflite import c_array, emit, supported
    from rnnedge.targets.tflm import find_arena

    kernels = kernels_of(targets)
    files = export_c(model, raw[:GOLDEN_WINDOWS], kernels)
    sizes: dict[str, int | None] = {"tflite_bytes": None, "arena_bytes": None}
    if supported(model):
        tflite = emit(model)
        arena = find_arena(tflite)
        array_h, array_c = c_array(model.name, tflite, arena, model)
        files |= {
            f"extras/tflite/{model.name}.tflite": tflite,
            f"extras/tflite/{model.name}_tflite.h": array_h.encode(),
            f"extras/tflite/{model.name}_tflite.c": array_c.encode(),
        }
        sizes = {"tflite_bytes": len(tflite), "arena_bytes": arena}
    write_files(out, files)
    return {
        "out": str(out),
        "name": model.name,
        "sha256": model_hash(model),
        "kernels": kernels,
        "const_bytes": const_bytes(model),
        "ram_bytes": max(ram_bytes(model, kernel) for kernel in kernels),
        **sizes,
        "files": sorted(files),
    }
