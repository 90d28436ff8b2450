"""Run folders and exports of random models of every task, for tests that need no training."""

from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.convert.c import export_c
from rnnedge.modelfile import save_model
from rnnedge.output import write_files
from rnnedge.run import QUANTIZED_FILE, Channel, DataFormat, RunSpec, Windows, seal
from rnnedge.spec import QuantizedModel
from rnnedge.targets.exported import Exported, open_exported
from tests.taskmodels import TaskData, task_data


def export_task(folder: Path, model: QuantizedModel) -> Exported:
    """Write the C files of `model`."""
    write_files(folder, export_c(model, task_data(model, 1, 2, model.window).raw))
    return open_exported(folder)


def make_task_run(
    folder: Path,
    model: QuantizedModel,
    *,
    windows: int = 6,
    text: str = "",
    asked: tuple[str, ...] = (),
) -> TaskData:
    """Write what `rnnedge train` leaves, but for the .keras files; `asked`: an encoder's words."""
    folder.mkdir(parents=True)
    data = task_data(model, 2, windows, model.window)
    if model.output is not None:
        y: Any = np.full((windows, model.window, model.outputs), np.nan, np.float32)
    else:
        y = np.full((windows, model.window), -1, np.int64)
    Windows(
        calibration=data.raw,
        X_test=data.raw,
        y_test=y,
        start_test=data.features,
        encoder_test=data.encoder,
    ).save(folder)
    save_model(model, folder / QUANTIZED_FILE)
    encoder = () if model.encoder is None else model.encoder.channels
    run = RunSpec(
        name=model.name,
        task=model.task,
        cell=model.recurrent[0].kind,
        units=model.recurrent[0].units,
        layers=len(model.recurrent),
        reset_after=True,
        window=model.window,
        hop=model.window,
        rate=model.rate,
        channels=_channels(model.channels),
        classes=model.classes,
        every=model.every,
        targets=_channels(model.classes) if model.output is not None else (),
        features=_channels(() if model.start is None else model.start.names),
        encoder_channels=_channels(encoder),
        encoder_window=0 if data.encoder is None else data.encoder.shape[1],
        encoder_classes=asked,
        text=text,
        data_format=DataFormat(text=text),
    )
    seal(folder, run)
    return data


def _channels(names: tuple[str, ...]) -> tuple[Channel, ...]:
    return tuple(Channel(name=name, unit="", mean=0.0, std=1.0) for name in names)
