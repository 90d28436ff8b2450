"""A run folder and its export made of random weights, for tests that need no training."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.convert.c import export_c
from rnnedge.modelfile import save_model
from rnnedge.output import write_files
from rnnedge.run import QUANTIZED_FILE, Windows, seal
from rnnedge.spec import QuantizedModel
from rnnedge.targets.exported import Exported, open_exported
from tests.models import float_model, quantized, raw_windows, run_spec


def make_run(
    folder: Path,
    *,
    seed: int = 1,
    name: str = "net",
    windows: int = 40,
    units: int = 8,
    channels: int = 3,
    cells: tuple[str, ...] = ("gru",),
    input_bits: int = 8,
    units_of_measure: tuple[str, ...] = (),
    **shape: Any,
) -> QuantizedModel:
    """Write what `rnnedge train` leaves, but for model.keras."""
    model = float_model(seed, units=units, channels=channels, cells=cells, **shape)
    q = quantized(model, name=name, input_bits=input_bits)
    q = replace(q, channel_units=units_of_measure or q.channel_units)
    raw = raw_windows(model, seed, windows, q.window)
    folder.mkdir(parents=True, exist_ok=True)
    labels = np.zeros(windows, np.int64)
    Windows(calibration=raw, X_test=raw, y_test=labels).save(folder)
    save_model(q, folder / QUANTIZED_FILE)
    seal(folder, run_spec(model, name=name))
    return q


def make_export(folder: Path, model: QuantizedModel, seed: int = 1) -> Exported:
    """Write the C files of `model`."""
    source = float_model(seed, channels=model.input.channels)
    raw = raw_windows(source, seed, 2, model.window)
    write_files(folder, export_c(model, raw))
    return open_exported(folder)
