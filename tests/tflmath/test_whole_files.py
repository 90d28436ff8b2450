"""Whole files: what convert/tflite emits, run by the reference and by the interpreter."""

import numpy as np
import pytest

from rnnedge.convert.tflite import emit
from rnnedge.errors import ModelError
from rnnedge.targets.tflm import run_tflm
from rnnedge.tflmath import run
from tests.models import extreme_inputs, float_model, quantized

ARENA = 1 << 20


@pytest.mark.parametrize("cell", ["gru", "gru_before"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_window_models_are_bit_exact(cell, layers, spread):
    model = quantized(
        float_model(layers, cells=(cell,) * layers, units=9, spread=spread), window=8, limit=4.0
    )
    x = extreme_inputs(1, 12, 8, 3)
    assert np.array_equal(run(emit(model), x), run_tflm(emit(model), x, ARENA))


def test_no_windows_give_no_scores():
    model = quantized(float_model(1, units=4), window=6)
    assert run(emit(model), np.zeros((0, 6, 3), np.int16)).shape == (0, 4)


def test_what_does_not_fit_is_refused():
    tflite = emit(quantized(float_model(1, units=4), window=6))
    with pytest.raises(ModelError, match=r"input 'x' is int16 \(1, 5, 3\); the model takes int16"):
        run(tflite, np.zeros((1, 5, 3), np.int16))
    with pytest.raises(ModelError, match="expected \\(N, T, C\\)"):
        run(tflite, np.zeros((6, 3), np.int16))
    with pytest.raises(ModelError, match="float64"):
        run(tflite, np.zeros((1, 6, 3)))
