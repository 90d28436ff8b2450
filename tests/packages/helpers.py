"""Packages of random models, written without training, measuring or TensorFlow."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnnedge.api.figures import Known, figures
from rnnedge.convert.c import export_c
from rnnedge.convert.packages import FORMATS, arduino, make_package, package_files
from rnnedge.output import write_files
from rnnedge.run import Windows
from rnnedge.runwindows import Given
from rnnedge.spec import QuantizedModel
from tests.models import float_model, raw_windows
from tests.taskmodels import task_data

GCC = [
    *("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wundef"),
    *("-Wcast-qual", "-Wmissing-prototypes", "-Wvla", "-Werror"),
]


def raw_of(model: QuantizedModel, windows: int = 2) -> np.ndarray:
    """Raw windows for a model of tests.models, around its normalisation."""
    noise = raw_windows(float_model(1, channels=model.input.channels), 7, windows, model.window)
    source = float_model(1, channels=model.input.channels)
    z = (noise - source.mean) / source.std
    return (z * model.input.std + model.input.mean).astype(np.float32)


def content(
    model: QuantizedModel,
    formats: Sequence[str] = FORMATS,
    counts_per_unit: Sequence[float] | None = None,
) -> dict[str, bytes]:
    """Every file of a package, but the TFLite model."""
    if model.task == "classify":
        given = Given(raw=raw_of(model))
    else:
        data = task_data(model, 1, 2, model.window)
        given = Given(raw=data.raw, features=data.features, encoder=data.encoder)
    raw = given.raw
    files = export_c(model, given, counts_per_unit=counts_per_unit)
    unknown = np.full(len(raw), -1, np.int64)
    windows = Windows(calibration=raw, X_test=raw, y_test=unknown)
    measured = figures(model, Known(windows=windows), files, ())
    return package_files(make_package(model, files, measured, counts_per_unit), files, formats)


def library_zip(model: QuantizedModel) -> bytes:
    """The zip for Arduino."""
    files = content(model, ("arduino",))
    package = make_package(model, files, {"sha256": ""}, None)
    return arduino.zipped(package, files)


def write_package(
    folder: Path,
    model: QuantizedModel,
    formats: Sequence[str] = FORMATS,
    counts_per_unit: Sequence[float] | None = None,
) -> Path:
    """Write a package and return its folder."""
    write_files(folder, content(model, formats, counts_per_unit))
    return folder


def run(*words: object, **options: object) -> str:
    """Run a program that must succeed; return what it printed."""
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout
