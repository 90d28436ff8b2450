"""The emitted model in the real TFLite Micro interpreter against the real-valued model."""

from dataclasses import replace

import numpy as np
import pytest

from rnnedge.convert.tflite import emit, output_scale, supported
from rnnedge.errors import UnsupportedLayerError
from rnnedge.spec import DenseLayer
from rnnedge.targets.tflm import run_tflm
from tests.models import float_model, quantized

ARENA = 1 << 20
LSB = 2.0**-15  # of states and gates
GATE = 2.0**-12  # of pre-activations


def showing_state(model):
    """Return the model with a head that shows the state: scores = 127 * 2**-8 * h."""
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


def states(model, x):
    """Run `x` and return the last state, real (N, H), known to within `OBSERVED`."""
    shown = showing_state(model)
    scores = run_tflm(emit(shown), x, ARENA) * output_scale(shown)
    return scores / (127 * shown.dense[0].row_scale[0])


OBSERVED = 1.6 * LSB  # half a unit (at most 2**-15 * 128/127) of the product, half of the score


def one_step(layer, x, h, delta, models):
    """Return the next real state from `h` and the bound of the integers' error, (N, H) each.

    The bound follows from the formats, operator by operator, elementwise and first order: the
    derivative of the sigmoid is at most 1/4, that of tanh at most 1. `delta` is the error of `h`.
    The row-normalised sums of an int16 product fill int16 at the row of the largest bound.
    """
    H, scale, bias = layer.units, layer.row_scale, layer.real_bias
    zr, cand = np.s_[: 2 * H], np.s_[2 * H :]
    W = layer.W.astype(float)
    U = layer.U.astype(float)
    unit = 2.0**layer.input_exponent
    reach_x = np.abs(W).sum(axis=1) * unit * 2**15
    reach_h = np.abs(U).sum(axis=1)
    reach_b = np.abs(bias) / scale

    def rounding(reach, parts, scales):  # of the products, in real units, then of the gain
        return 1.001 * reach.max() / 32767 * scales * (parts / 2 + 2.0**-10) + 0.55 * GATE

    def clip(p):
        return np.clip(p, -8, 8 - GATE)

    p = clip((x @ W[zr].T * unit + h @ U[zr].T) * scale[zr] + bias[zr])
    p_error = rounding(reach_x[zr] + reach_h[zr] + reach_b[zr], 2, scale[zr])
    p_error = p_error + np.abs(U[zr]).sum(axis=1) * scale[zr] * delta
    gates, gate_error = models.sigmoid(p), p_error / 4 + 1.5 * LSB
    z, r = gates[:, :H], gates[:, H:]
    z_error, r_error = gate_error[:H], gate_error[H:]

    spread = np.abs(U[cand]).sum(axis=1) * scale[cand]
    if layer.reset_after:
        recurrent_bias = layer.real_recurrent_bias
        a = clip(x @ W[cand].T * unit * scale[cand] + bias[cand])
        b = clip(h @ U[cand].T * scale[cand] + recurrent_bias)
        n = np.tanh(clip(a + r * b))
        a_error = rounding(reach_x[cand] + reach_b[cand], 1, scale[cand])
        reach = reach_h[cand] + np.abs(recurrent_bias) / scale[cand]
        b_error = rounding(reach, 1, scale[cand]) + spread * delta
        n_error = a_error + r_error * np.abs(b) + r * b_error + 0.55 * GATE
    else:
        n = np.tanh(clip((x @ W[cand].T * unit + (r * h) @ U[cand].T) * scale[cand] + bias[cand]))
        g_error = (r_error * np.abs(h) + r * delta + 0.55 * LSB).max(axis=1, keepdims=True)
        n_error = rounding(reach_x[cand] + reach_h[cand] + reach_b[cand], 2, scale[cand])
        n_error = n_error + spread * g_error
    n_error = n_error + 3 * LSB
    after = h + (1 - z) * (n - h)
    update = (1 - z) * 1.1 * LSB + 1.1 * LSB + 0.55 * LSB  # SUB and MUL at 2**-14, ADD at 2**-15
    return after, z_error * np.abs(n - h) + (1 - z) * n_error + z * delta + update


@pytest.mark.parametrize(
    ("units", "channels", "reset_after", "input_bits", "limit", "weight"),
    [
        (1, 1, True, 8, 8.0, 1.0),
        (1, 9, False, 16, 0.7, 1.0),
        (2, 3, False, 8, 7.3, 1.0),
        (3, 2, True, 16, 3.1, 1.0),
        (5, 4, False, 16, 16.0, 1.0),
        (31, 6, True, 8, 5.9, 1.0),
        (33, 9, False, 8, 7.3, 1.0),
        (33, 5, True, 16, 100.0, 1.0),
        (4, 1, True, 8, 4.0, 6.0),
        (4, 2, False, 16, 2.0, 8.0),
    ],
)
def test_every_step_is_the_real_step_within_the_rounding_of_the_formats(
    units, channels, reset_after, input_bits, limit, weight, models
):
    """States before and after a step are read from windows of lengths T and T + 1."""
    shape = models.Shape(
        units=units,
        channels=channels,
        reset_after=reset_after,
        input_bits=input_bits,
        limit=limit,
        weight=weight,
    )
    model = models.random_model(units, shape)
    x = models.windows(model, 24)
    layer = model.recurrent[0]
    assert (layer.gain_exponent < 13) == (weight > 1)
    seen = {0: np.zeros((len(x), units))}
    for length in (1, 2, 5, 6):
        seen[length] = states(replace(model, window=length), x[:, :length])
    for before in (0, 1, 5):
        delta = OBSERVED if before else 0.0
        expected, bound = one_step(layer, x[:, before], seen[before], delta, models)
        error = np.abs(seen[before + 1] - expected)
        assert (error <= bound + OBSERVED).all(), (before, (error / (bound + OBSERVED)).max())
        assert np.median(bound) < 0.004, "the bound is too wide to tell anything"


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("update_bias", [0.0, 5.0])
def test_the_state_does_not_drift_over_a_long_window(reset_after, update_bias, models):
    """Measured: RMS 0.9e-4 to 1.4e-4 of full scale; 0.5e-4 to 1.2e-4 after 6 steps.

    The extreme window drives gates beyond the 8 at which Q3.12 ends; a slow gate that closes no
    further than sigmoid(-8) shows after 128 steps, so there the real gates end at 8 too.
    """
    shape = models.Shape(
        units=32, channels=6, window=128, reset_after=reset_after, update_bias=update_bias
    )
    model = models.random_model(3, shape)
    x = models.windows(model, 30)
    ordinary, extreme = models.real_states(model, x[:-1]), models.real_states(model, x[-1:], end=8)
    error = states(model, x) - np.concatenate([ordinary, extreme])[:, -1]
    assert np.sqrt(np.mean(error**2)) < 2e-4
    assert np.abs(error.mean()) < 3e-5, "the rounding that the biases carry is no part of them"
    assert np.abs(error).max() < 1.5e-3


@pytest.mark.parametrize("classes", [1, 2, 7])
def test_scores_and_classes_are_those_of_the_real_model(classes, models):
    """Tolerance: the state's error through the weights, and two units of the scores."""
    model = models.random_model(classes, models.Shape(units=12, classes=classes, window=40))
    x = models.windows(model, 200)
    scores = run_tflm(emit(model), x, ARENA) * output_scale(model)
    expected = models.real_scores(model, x)
    head = model.dense[0]
    reach = np.abs(head.W.astype(int)).sum(axis=1) * head.row_scale
    error = np.abs(scores - expected)
    assert (error < 1e-3 * reach + 2 * output_scale(model)).all()
    if classes > 1:
        first_two = np.sort(expected, axis=1)[:, -2:]
        decided = first_two[:, 1] - first_two[:, 0] > 0.02
        assert (scores.argmax(axis=1) == expected.argmax(axis=1))[decided].all()
        assert decided.mean() > 0.9


@pytest.mark.parametrize("reset_after", [True, False])
def test_stacked_layers_run_in_one_loop(reset_after, models):
    shape = models.Shape(units=9, layers=3, window=20, reset_after=reset_after)
    model = models.random_model(1, shape)
    x = models.windows(model, 50)
    scores = run_tflm(emit(model), x, ARENA) * output_scale(model)
    assert np.abs(scores - models.real_scores(model, x)).max() < 0.01


def test_a_large_head_bias_is_part_of_the_score_range(models, small):
    head = small.dense[0]
    head = replace(head, bias=head.bias + np.rint(30 / head.row_scale * 2**15).astype(int))
    model = replace(small, layers=(*small.recurrent, head))
    x = models.windows(model, 20)
    scores = run_tflm(emit(model), x, ARENA) * output_scale(model)
    assert np.abs(scores - models.real_scores(model, x)).max() < 0.01


def test_a_layer_of_zero_weights_keeps_its_biases(models, small):
    layer, head = small.layers
    layer = replace(layer, W=0 * layer.W, U=0 * layer.U)
    model = replace(small, layers=(layer, head))
    x = models.windows(model, 5)
    scores = run_tflm(emit(model), x, ARENA) * output_scale(model)
    assert np.abs(scores - models.real_scores(model, x)).max() < 0.01


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({"cells": ("lstm",)}, "lstm, dense"),
        ({"cells": ("gru", "rnn")}, "gru, rnn, dense"),
        ({"bidirectional": True}, "bidirectional, dense"),
        ({"hidden": (5,)}, "gru, dense, dense"),
        ({"sequences": True}, "gru, dense"),
    ],
)
def test_layers_that_have_no_window_model_are_refused(options, kinds):
    model = quantized(float_model(1, **options))
    assert not supported(model)
    for act in (emit, output_scale):
        with pytest.raises(UnsupportedLayerError, match=rf"layers {kinds}; \.tflite export takes"):
            act(model)
