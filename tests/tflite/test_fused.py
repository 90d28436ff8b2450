"""Pure LSTM windows run through the fused operator: bounds, state, and what the weights become."""

from dataclasses import replace

import numpy as np
import pytest

from rnnedge.convert.tflite import Variant, as_input, emit, output_scale
from rnnedge.convert.tflite.fused import gate_weights
from rnnedge.spec import DenseLayer
from rnnedge.targets.tflm import run_tflm
from tests.tflite import real
from tests.tflite.cases import case, samples

ARENA = 1 << 20


def showing_state(model):
    """Return the model with a head that shows h: scores = 127 * 2**-8 * h."""
    units = model.recurrent[-1].units
    head = DenseLayer(
        units=units,
        inputs=units,
        activation="linear",
        W=127 * np.eye(units, dtype=int),
        bias=np.full(units, 2),  # 2**15 / multiplier, the rounding half: no bias
        multiplier=np.full(units, 1 << 14),
        fraction_bits=21,
    )
    return replace(model, layers=(*model.recurrent, head))


def real_window(model, x, precision):
    """The last h and the bound of its error, from the weights that the operator holds."""
    wide = precision == "16x8"
    sequence, error = None, None
    for layer in model.recurrent:
        unit = 2.0**layer.input_exponent * (1 if wide else 2**8)
        c_unit = 2.0 ** (layer.state_shift - 15)
        h_unit = real.LSB if wide else 2.0**-7
        h = c = dh = dc = np.zeros((len(x), layer.units))
        outputs, errors = [], []
        for t in range(x.shape[1]):
            if sequence is None:
                v, dv = x[:, t].astype(float) * unit, 0.0
            else:  # the weights of a stacked layer see the lower layer's h
                v, dv = sequence[:, t], error[:, t]
            gates, bounds = [], []
            for gate, sigmoid in enumerate(layer.SIGMOID):
                (W, w_scale), (U, u_scale), bias = gate_weights(layer, gate)
                a = real.clip(v @ W.T.astype(float) * w_scale + bias)
                b = real.clip(h @ U.T.astype(float) * u_scale)
                bound = 1.1 * real.GATE + dh @ np.abs(U).T * u_scale
                bound = bound + (dv @ np.abs(W).T * w_scale if sequence is not None else 0.0)
                p = real.clip(a + b)
                gates.append(real.sigmoid(p) if sigmoid else np.tanh(p))
                bounds.append(bound / 4 + real.TABLE if sigmoid else bound + 2 * real.TABLE)
            (i, f, g, o), (di, df, dg, do) = gates, bounds
            dc = f * dc + df * (np.abs(c) + dc) + di * np.abs(g) + i * dg + 1.2 * c_unit
            c = real.clip(f * c + i * g, c_unit)
            h = o * np.tanh(c)
            dh = do + o * (dc + 2 * real.TABLE) + 0.55 * h_unit
            dh = dh + np.maximum(np.abs(h) - h_unit * (32767 if wide else 127), 0)
            outputs.append(h)
            errors.append(dh)
        sequence, error = np.stack(outputs, axis=1), np.stack(errors, axis=1)
    return sequence[:, -1], error[:, -1]


@pytest.mark.parametrize("precision", ["16x8", "8x8"])
@pytest.mark.parametrize("window", [1, 2, 5])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("lstm", {"units": 7}),
        ("lstm", {"units": 32, "channels": 9, "limit": 16.0, "input_bits": 8}),
        ("lstm", {"units": 3, "channels": 1, "limit": 0.3}),
        ("two_lstm", {"units": 6}),
    ],
)
def test_the_last_state_is_the_real_one_within_the_formats(name, options, window, precision):
    model = showing_state(case(name, window=window, **options))
    variant = Variant(precision=precision)
    x = as_input(samples(model, 24), variant)
    scores = run_tflm(emit(model, variant), x, ARENA) * output_scale(model)
    h = scores / (127 * model.dense[0].row_scale[0])
    expected, bound = real_window(model, x, precision)
    bound = bound + 3 * real.LSB  # of the score, and of the head's one scale
    assert (np.abs(h - expected) <= bound).all(), (np.abs(h - expected) / bound).max()
    limit = 0.02 if precision == "16x8" else 0.2
    assert np.median(bound) < limit, "the bound is too wide to tell anything"


def test_one_scale_for_each_gate_costs_half_a_step_of_its_largest_weight():
    layer = case("lstm", units=12).recurrent[0]
    for gate in range(4):
        rows = slice(gate * 12, (gate + 1) * 12)
        for (found, scale), given in zip(
            gate_weights(layer, gate)[:2], (layer.W, layer.U), strict=True
        ):
            wanted = given[rows] * layer.row_scale[rows, None]
            assert np.abs(found * scale - wanted).max() <= scale / 2
            assert np.abs(wanted).max() / 127 <= scale <= np.abs(wanted).max() / 127 * 1.0002


@pytest.mark.parametrize("precision", ["16x8", "8x8"])
def test_every_step_of_a_sequence_is_the_last_step_of_a_shorter_window(precision):
    model = case("lstm_every_step", window=5)
    variant = Variant(precision=precision)
    x = as_input(samples(model, 6), variant)
    scores = run_tflm(emit(model, variant), x, ARENA)
    assert scores.shape == (6, 5, 4)
    last = replace(model.recurrent[0], return_sequences=False)
    for steps in (1, 3, 5):
        short = replace(model, window=steps, layers=(last, *model.dense))
        found = run_tflm(emit(short, variant), x[:, :steps], ARENA)
        assert np.array_equal(found, scores[:, steps - 1])


def test_windows_start_from_zero_whatever_came_before():
    model = case("two_lstm")
    x = samples(model, 9)
    content = emit(model)
    assert np.array_equal(run_tflm(content, x[::-1], ARENA)[::-1], run_tflm(content, x, ARENA))
