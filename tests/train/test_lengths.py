"""Sequences of different lengths: what is behind their ends counts nowhere."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge import api
from rnnedge.api.opened import open_run
from rnnedge.kerasbackend import load_keras
from rnnedge.simulator import quantize, simulate
from rnnedge.train.evaluate import predict
from rnnedge.train.models import masked
from rnnedge.train.options import TrainOptions

LENGTHS = (5, 12)


def write(path: Path) -> Path:
    """Sequences whose class is the direction of their last steps, whatever was before."""
    rng = np.random.default_rng(0)
    rows, y = [], []
    for number in range(90):
        x = rng.normal(0, 0.3, (int(rng.integers(LENGTHS[0], LENGTHS[1] + 1)), 1))
        x[-4:, 0] += np.arange(4) * (1 if number % 2 else -1)
        rows.append(x)
        y.append(number % 2)
    rows[0] = np.zeros((LENGTHS[1], 1))
    ptr = np.cumsum([0, *map(len, rows)])
    np.savez(path, X=np.concatenate(rows).astype(np.float32), ptr=ptr, y=y)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("lengths")
    source = write(folder / "data.npz")
    options = TrainOptions(units=6, epochs=10, learning_rate=0.03, augment={"warp": 0.1})
    document = api.fit([source], folder / "run", options=options)
    return source, folder / "run", document


def test_they_are_kept_learnt_and_measured_at_their_ends(trained: Any) -> None:
    _, run, document = trained
    spec, model, windows = open_run(run)
    assert spec.window == LENGTHS[1]
    assert windows.lengths_test is not None
    assert windows.lengths_calibration is not None
    assert len(np.unique(windows.lengths_test)) > 4
    ends = windows.lengths_test
    assert document["variants"]["float"]["accuracy"] > 0.9
    assert document["variants"]["int8"]["accuracy"] > 0.9
    keras = load_keras(run / "model.keras")
    exact = predict(run / "model.keras", windows.X_test, ends)
    right, same = 0, 0
    for x, end, y, shares in zip(windows.X_test, ends, windows.y_test, exact, strict=True):
        got = simulate(model, quantize(model.input, x[None, :end])).scores.argmax()
        right += int(got == y)
        held = np.concatenate([np.repeat(x[:1] * 0 + 99, LENGTHS[1] - end, axis=0), x[:end]])
        again = masked(keras)({"x": np.roll(held, end, axis=0)[None], "steps": np.array([[end]])})
        np.testing.assert_allclose(again[0], shares, atol=1e-5)
        same += int(shares.argmax() == y)
    assert right / len(ends) == document["variants"]["int8"]["accuracy"]
    assert same / len(ends) == document["variants"]["float"]["accuracy"]


def test_evaluate_and_simulate_take_them(trained: Any) -> None:
    source, run, document = trained
    again = api.evaluate(run, tflite=api.WantedTflite(form="none"))
    assert again["variants"] == document["variants"]
    found = api.evaluate(run, [source], tflite=api.WantedTflite(form="window"))
    assert found["windows"] == 90
    assert found["short_recordings"] == 0
    assert "different lengths" in json.dumps(found["no_tflite"])
    predicted = api.predict(run, [source])["windows"]
    assert len(predicted) == 90
    right = np.mean([row["class"] == str(index % 2) for index, row in enumerate(predicted)])
    assert right == pytest.approx(found["variants"]["int8"]["accuracy"])


def test_streams_in_tensorflow_lite_micro_end_with_them(trained: Any) -> None:
    _, run, document = trained
    found = api.evaluate(run, tflite=api.WantedTflite(form="stream"))
    streamed = found["variants"]["tflm-stream-io-16x8"]
    assert streamed["accuracy"] == pytest.approx(document["variants"]["int8"]["accuracy"], abs=0.06)


def test_the_exported_code_gives_the_same_bits(trained: Any) -> None:
    found = api.verify(trained[1], ["host"], windows=4)[0]
    assert found["differences"] == 0
    assert found["states_compared"] == 4 * LENGTHS[1] * 6
