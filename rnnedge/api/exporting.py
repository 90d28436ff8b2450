"""Exports: sources, packages, golden vectors, TFLite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnedge.api.figures import Known, figures, known, measured_targets
from rnnedge.api.opened import GOLDEN_WINDOWS, Document, open_run
from rnnedge.api.tflite import WantedTflite, tflite_files, with_tflite
from rnnedge.errors import OutputError
from rnnedge.modelfile import model_hash
from rnnedge.output import content_hash, new_folder, resolved
from rnnedge.replacing import Place, places_in, planned
from rnnedge.run import RUN_JSON
from rnnedge.spec import EmbeddingLayer, QuantizedModel

if TYPE_CHECKING:
    from rnnedge.imported import Imported
    from rnnedge.targets.target import CountingTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an export is to hold.

    Attributes:
        targets: names of targets whose weights are wanted, or "all".
        format: one of rnnedge.convert.packages.FORMATS, or "all".
        measure: targets on which its figures are measured, "all" or "none"; None: the Cortex-M4,
            or the first of `targets` that counts.
        counts_per_unit: raw int16 counts per unit, of each channel or one for all; None: counts
            are what the training data has.
        tflite: which forms of it for TensorFlow Lite Micro.
    """

    targets: Sequence[str] = ("all",)
    format: str = "all"
    measure: Sequence[str] | None = None
    counts_per_unit: Sequence[float] | None = None
    tflite: WantedTflite = field(default_factory=WantedTflite)

    def kernels(self) -> list[str]:
        """Return the kernels of its targets.

        Raises:
            RnnedgeError: an unknown target.
        """
        from rnnedge.convert.c import kernels_of

        return kernels_of(self.targets)

    def formats(self) -> tuple[str, ...]:
        """Return its formats.

        Raises:
            RnnedgeError: an unknown one.
        """
        from rnnedge.convert.packages import formats_of

        return formats_of(self.format)

    def measured(self) -> "list[CountingTarget]":
        """Return the targets to measure on.

        Raises:
            RnnedgeError: an unknown one, or one whose weights are not exported.
        """
        return measured_targets(self.measure, self.kernels())


_ALL = Wanted()
_TO_EDIT = "examples/"
_TOLD = ("windows", "accuracy", "measured", "not_measured", "input")


def export(run: Path, out: Path, wanted: Wanted = _ALL, *, force: bool = False) -> Document:
    """Write a run's model as packages, with golden vectors and for TFLite Micro.

    Args:
        run: run folder.
        out: folder to write into; for Arduino there is also <out>.zip.
        wanted: what it is to hold.
        force: replace the user's own files that are in the way.

    Returns:
        out, name, sha256, formats, zip (or None), kernels, const_bytes, ram_bytes, tflite (a row
        for each .tflite) and no_tflite (variant and reason) of rnnedge.api.tflite.tflite_files,
        tflite_bytes and arena_bytes (of the first one, or None), windows, accuracy, measured and
        not_measured of rnnedge.api.figures.figures, input (why it has 8 or 16 bits), without_unit
        (channels), files (all of the folder), kept (files of an earlier export that would be gone
        or replaced, had they not been changed since), replaced (name of another model that was
        there, or None).

    Raises:
        RnnedgeError: no such run, tflite-micro is missing, the folder cannot be written, or the
            user's own files are in the way.
    """
    _check(wanted)
    spec, model, windows = open_run(run)
    return write_export(model, known(run, spec, model, windows), out, wanted, force=force)


def export_keras(
    path: Path,
    data: Sequence[Path],
    out: Path,
    wanted: Wanted = _ALL,
    *,
    keep_run: Path | None = None,
    force: bool = False,
    **options: Any,
) -> Document:
    """Quantise a user's own Keras model and export it.

    Args:
        path: a .keras file.
        data: what its input looks like, for calibration.
        out: folder to write into; for Arduino there is also <out>.zip.
        wanted: what it is to hold.
        keep_run: also leave a run folder there, for verify, simulate, bench and evaluate.
        force: replace an existing run folder, and the user's own files that are in the way.
        options: of `rnnedge.imported.import_keras`.

    Returns:
        As `export`.

    Raises:
        RnnedgeError: an unsupported layer, bad data, or a folder cannot be written.
    """
    from rnnedge.imported import import_keras

    _check(wanted)
    if keep_run is None:
        return _export_imported(import_keras(path, data, **options), out, wanted, force)
    _check_apart(keep_run, out)
    with new_folder(keep_run, replace=force, marker=RUN_JSON) as folder:  # both, or neither
        imported = import_keras(path, data, **options)
        imported.save(folder)
        return _export_imported(imported, out, wanted, force)


def _export_imported(imported: "Imported", out: Path, wanted: Wanted, force: bool) -> Document:
    knows = known(None, imported.run, imported.model, imported.windows)
    return write_export(imported.model, knows, out, wanted, force=force)


def write_export(
    model: QuantizedModel, knows: Known, out: Path, wanted: Wanted, *, force: bool = False
) -> Document:
    """Write every file of an export; see `export`."""
    from rnnedge.convert.c import const_bytes, export_c, ram_bytes
    from rnnedge.convert.packages import arduino, make_package, package_files
    from rnnedge.targets.exported import MANIFEST
    from rnnedge.targets.written import last_written

    kernels, formats = wanted.kernels(), wanted.formats()
    golden = knows.windows.given(GOLDEN_WINDOWS)
    extras, tflite, refused = tflite_files(model, wanted.tflite)
    files = export_c(model, golden, kernels, wanted.counts_per_unit)
    measured = {**figures(model, knows, files, wanted.measured()), "tflite": tflite}
    files |= extras | {MANIFEST: with_tflite(files[MANIFEST], tflite)}
    package = make_package(model, files, measured, wanted.counts_per_unit)
    content = package_files(package, files, formats)
    zipped = None
    if "arduino" in formats:
        zipped = arduino.zipped(package, package_files(package, files, ("arduino",)))
    zip_path = _zip_of(out, package.library)
    before = last_written(out).model
    kept = _write(out, content, zip_path, zipped, force)
    return {
        "out": str(out),
        "name": model.name,
        "sha256": model_hash(model),
        "formats": list(formats),
        "zip": None if zipped is None else str(zip_path),
        "kernels": kernels,
        "const_bytes": const_bytes(model),
        "ram_bytes": max(ram_bytes(model, kernel) for kernel in kernels),
        "tflite": tflite,
        "no_tflite": refused,
        "tflite_bytes": next((row["tflite_bytes"] for row in tflite), None),
        "arena_bytes": next((row["arena_bytes"] for row in tflite), None),
        **{key: measured[key] for key in _TOLD},
        "without_unit": without_unit(model),
        "files": sorted(content),
        "kept": kept,
        "replaced": before if before != model.name else None,
    }


def without_unit(model: QuantizedModel) -> list[str]:
    """Return the channels whose unit is not known; ids have none."""
    if isinstance(model.input, EmbeddingLayer):
        return []
    both = zip(model.channels, model.channel_units, strict=True)
    return [name for name, unit in both if not unit]


def _write(
    out: Path, content: Mapping[str, bytes], zip_path: Path, zipped: bytes | None, force: bool
) -> Sequence[str]:
    """Write the folder, and the zip beside it; return what the user has changed and so is kept."""
    from rnnedge.targets.exported import MANIFEST
    from rnnedge.targets.written import last_written, with_written

    folder = resolved(out)
    before = last_written(folder)
    places = places_in(folder, content, before.files, _TO_EDIT)
    if zipped is not None or before.zip is not None:
        path = resolved(zip_path.parent) / zip_path.name
        places.append(Place(name=str(zip_path), path=path, data=zipped, before=before.zip))
    plan = planned(folder, places, force=force)
    stale = {name: before.files[name] for name in plan.kept if name in before.files}
    zip_hash = before.zip if str(zip_path) in plan.kept else None
    manifest = with_written(
        content[MANIFEST],
        {name: digest for name, digest in stale.items() if name not in content},
        zip_hash if zipped is None else content_hash(zipped),
    )
    plan.carry_out({folder / MANIFEST: manifest})
    return plan.kept


def _check_apart(run: Path, out: Path) -> None:
    """Refuse folders of which one would be in the other."""
    one, other = resolved(run), resolved(out)
    if one.is_relative_to(other) or other.is_relative_to(one):
        raise OutputError(f"--run {run} and --out {out}: one is in the other; name two folders")
    if one == resolved(_zip_of(out, "")):
        raise OutputError(f"--run {run}: is the zip beside --out {out}; name another folder")


def _zip_of(out: Path, library: str) -> Path:
    """Return the path of the zip beside a folder."""
    if out.name not in ("", ".."):
        return out.with_name(f"{out.name}.zip")
    folder = out.resolve()  # such as "."
    return folder.parent / f"{folder.name or library}.zip"


def _check(wanted: Wanted) -> None:
    """Refuse what is not known before the long part."""
    wanted.formats()
    wanted.measured()
