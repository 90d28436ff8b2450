"""The exported folder as a package of five ecosystems: one file for each."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from rnnedge.convert.packages import arduino, cmake, espidf, platformio, zephyr
from rnnedge.convert.packages.firmware import firmware_files
from rnnedge.convert.packages.package import Package
from rnnedge.convert.packages.readme import readme
from rnnedge.errors import ModelError
from rnnedge.output import content_hash
from rnnedge.spec import QuantizedModel
from rnnedge.targets.exported import MANIFEST, RUNTIME_FOLDER, SOURCE_FOLDER

FORMATS = ("arduino", "platformio", "esp-idf", "zephyr", "cmake")
ALL = "all"

__all__ = ["ALL", "FORMATS", "Package", "formats_of", "make_package", "package_files"]

_RUNTIME = f"{SOURCE_FOLDER}/{RUNTIME_FOLDER}/"


def formats_of(name: str) -> tuple[str, ...]:
    """Return the formats that a name stands for.

    Raises:
        ModelError: unknown; lists the known ones.
    """
    if name == ALL:
        return FORMATS
    if name not in FORMATS:
        raise ModelError(f"format {name!r} is not known; there are {', '.join(FORMATS)} and {ALL}")
    return (name,)


def make_package(
    model: QuantizedModel,
    files: Mapping[str, bytes],
    figures: Mapping[str, Any],
    counts_per_unit: Sequence[float] | None,
) -> Package:
    """Return what the packages of an export say.

    Args:
        model: the quantised model.
        files: of rnnedge.convert.c.export_c.
        figures: what was measured (rnnedge.api.figures).
        counts_per_unit: raw int16 counts per unit, of each channel or one for all; or None.
    """
    runtime = {path: data for path, data in files.items() if path.startswith(_RUNTIME)}
    digest = hashlib.sha256()
    for path, data in sorted(runtime.items()):
        digest.update(f"{path}\n{len(data)}\n".encode() + data)
    counts = None if counts_per_unit is None else tuple(counts_per_unit)
    if counts is not None and len(counts) == 1:
        counts *= len(model.channels)
    return Package(
        model=model,
        sources=[path for path in runtime if path.endswith((".c", ".S"))],
        runtime_hash=digest.hexdigest()[:16],
        figures=figures,
        counts_per_unit=counts,
    )


def package_files(
    package: Package, files: Mapping[str, bytes], formats: Sequence[str]
) -> dict[str, bytes]:
    """Return every file of a package.

    Args:
        package: what it says.
        files: sources, manifest and extras.
        formats: of FORMATS.
    """
    result = {**files, **_common(package, formats)}
    makers = {
        "arduino": arduino.files,
        "platformio": platformio.files,
        "esp-idf": espidf.files,
        "zephyr": zephyr.files,
        "cmake": cmake.files,
    }
    for name in formats:
        result |= makers[name](package)
    if "cmake" in formats:
        result |= firmware_files(package)
    plain, idf = "cmake" in formats, "esp-idf" in formats
    if plain or idf:
        result["CMakeLists.txt"] = cmake.lists(package, plain=plain, idf=idf)
    manifest = json.loads(files[MANIFEST])
    manifest["formats"] = list(formats)
    manifest["files"] = {
        path: content_hash(data) for path, data in sorted(result.items()) if path != MANIFEST
    }
    return result | {MANIFEST: (json.dumps(manifest, indent=2) + "\n").encode()}


def _common(package: Package, formats: Sequence[str]) -> dict[str, bytes]:
    templates = resources.files("rnnedge.convert.packages").joinpath("templates")
    return {
        "LICENSE": templates.joinpath("LICENSE").read_bytes(),
        "README.md": readme(package, formats),
        "extras/report.json": (json.dumps(package.figures, indent=2) + "\n").encode(),
    }
