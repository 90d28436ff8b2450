"""A classifier whose state runs on over whole test recordings, beside its accuracy per window."""

from pathlib import Path

import numpy as np

from rnnedge import api
from rnnedge.api.opened import open_run
from rnnedge.run import DataFormat
from rnnedge.simulator import quantize, simulate
from rnnedge.train.options import TrainOptions
from tests.train.helpers import waves_csv


def test_accuracy_streamed_over_recordings_stands_beside_that_of_windows(tmp_path: Path) -> None:
    source = waves_csv(tmp_path / "waves.csv", recordings=24)
    options = TrainOptions(units=4, window=2, epochs=3, batch_size=16, learning_rate=0.02)
    api.fit([source], tmp_path / "run", options=options, form=DataFormat(recording="r"))
    document = api.evaluate(tmp_path / "run", tflite=api.WantedTflite(form="none"))
    spec, model, windows = open_run(tmp_path / "run")
    assert spec.hop == 1
    assert windows.stream is not None
    assert windows.stream_ptr is not None
    assert windows.stream_y is not None
    right, alone = [], []
    for start, stop in zip(windows.stream_ptr[:-1], windows.stream_ptr[1:], strict=True):
        assert stop - start == 24
        for last in range(start + 2, stop + 1):
            rows = quantize(model.input, windows.stream[None, start:last])
            label = windows.stream_y[last - 1]
            right.append(simulate(model, rows).scores.argmax() == label)
            alone.append(simulate(model, rows[:, -2:]).scores.argmax() == label)
    figures = document["variants"]["int8"]
    assert len(right) == document["windows"]
    assert np.isclose(figures["streamed_accuracy"], np.mean(right))
    assert np.isclose(figures["accuracy"], np.mean(alone))
    assert right != alone
    assert abs(document["variants"]["float"]["streamed_accuracy"] - np.mean(right)) < 0.1
