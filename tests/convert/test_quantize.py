"""From float weights to integers: the bound of the error, and what is refused."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.convert.build import quantize as quantize_model
from rnnedge.convert.calibrate import input_limit
from rnnedge.convert.floatmodel import FloatModel
from rnnedge.convert.proof import prove
from rnnedge.errors import ModelError, RangeError
from rnnedge.simulator import quantize, simulate
from rnnedge.spec import DenseLayer, QuantizedModel
from tests.models import float_model, quantized, raw_windows, run_spec


def dequantized(model: FloatModel, limit: float, bits: int) -> FloatModel:
    """The float model that the integers stand for."""
    from rnnedge.convert.floatmodel import FloatDense, FloatGru

    q = quantized(model, limit=limit, input_bits=bits)
    layer, head = q.recurrent[0], q.head[0]
    H = layer.units
    scale, bias = layer.row_scale, layer.real_bias
    split = layer.reset_after
    gru = FloatGru(
        name="g",
        units=H,
        reset_after=split,
        return_sequences=False,
        W=(layer.W * scale[: 3 * H, None]).T * 2.0**layer.input_exponent * 2**15 / limit,
        U=(layer.U * scale[np.r_[: 2 * H, 3 * H : 4 * H] if split else np.r_[: 3 * H], None]).T,
        input_bias=bias[: 3 * H],
        recurrent_bias=np.concatenate([np.zeros(2 * H), bias[3 * H :] if split else np.zeros(H)]),
    )
    dense = FloatDense(name="d", W=(head.W * head.row_scale[:, None]).T, bias=head.real_bias)
    return FloatModel(mean=model.mean, std=model.std, recurrent=(gru,), head=dense)


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([8, 16]))
def test_weights_and_biases_are_within_half_a_step_of_the_float_ones(
    seed: int, reset_after: bool, bits: int
) -> None:
    model = float_model(seed, units=6, reset_after=reset_after)
    limit = 5.0
    back = dequantized(model, limit, bits).recurrent[0]
    layer = quantized(model, limit=limit, input_bits=bits).recurrent[0]
    H, scale = layer.units, layer.row_scale
    u_scale = scale[np.r_[: 2 * H, 3 * H : 4 * H]] if reset_after else scale
    source = model.recurrent[0]
    k = 2.0 ** (layer.input_exponent + 15)
    assert (np.abs(back.W - source.W) <= scale[: 3 * H] * k / limit * 0.501).all()
    assert (np.abs(back.U - source.U) <= u_scale * 0.501).all()
    total = source.input_bias + np.concatenate(
        [source.recurrent_bias[: 2 * H], np.zeros(H)] if reset_after else [np.zeros(3 * H)]
    )
    assert (np.abs(back.input_bias - total) <= scale[: 3 * H] * 2.0**-7 * 0.501).all()


@given(st.integers(0, 2**32 - 1), st.booleans(), st.integers(1, 24))
def test_one_step_of_the_simulator_is_within_the_derived_bound_of_the_float_cell(
    seed: int, reset_after: bool, units: int
) -> None:
    """One step from a zero state, on the weights that the integers stand for.

    Errors, in units of 1 (16-bit input): the input's half step and the shift of its product, each
    below 2^-11 of a row's weight sum; pre-activation 1.5 Q3.12 steps (floor, rounding in the
    bias); tables 7 steps of Q0.15, slopes of at most 1/4 and 1; the update half a step.
    """
    model = float_model(seed, units=units, reset_after=reset_after, spread=0.5)
    limit = 5.0
    q = quantized(model, limit=limit, input_bits=16)
    raw = raw_windows(model, seed, windows=20, steps=1)
    x = quantize(q.input, raw)
    states = simulate(q, x).states[:, 0] / 2.0**15
    back = dequantized(model, limit, 16).recurrent[0]
    normalised = x.astype(np.float64) * limit / 2**15
    exact = back.forward(normalised)[:, 0]
    pre = 1.5 * 2.0**-12 + q.recurrent[0].row_scale.max() * 2.0**-7
    bound = 7 * 2.0**-15 + pre + 2 * (0.25 * pre + 2 * 2.0**-15) + 2.0**-15
    saturated = np.abs(normalised @ back.W).max() > 7
    if not saturated:
        assert np.abs(states - exact).max() <= bound


def test_a_long_sequence_stays_close_to_the_float_model() -> None:
    for reset_after in (True, False):
        model = float_model(7, units=24, reset_after=reset_after, spread=0.5)
        raw = raw_windows(model, 7, windows=20, steps=200) * 0 + np.float32(0)
        rng = np.random.default_rng(1)
        raw = (rng.normal(size=raw.shape) * model.std + model.mean).astype(np.float32)
        q = quantized(model, limit=4.0)
        (states,), _ = model.forward(raw)
        error = simulate(q, quantize(q.input, raw)).states / 2.0**15 - states
        assert np.sqrt(np.mean(error**2)) < 0.01


def test_impossible_models_are_refused_by_layer_and_row() -> None:
    model = float_model(1)
    model.recurrent[0].input_bias[5] = 1e9
    with pytest.raises(RangeError, match=r"layer 'gru0', row 5"):
        quantized(model)
    model = float_model(1)
    model.head.W[2, 1] = 1e12
    with pytest.raises(RangeError, match=r"layer 'head', row 1"):
        quantized(model)


def test_the_proof_finds_the_row_that_could_overflow() -> None:
    """A dense head of 600 equal weights reads int16: 600 * 127 * 2^15 > 2^31."""
    model = float_model(1, units=600)
    model.head.W[:, 2] = 1.0
    with pytest.raises(RangeError, match=r"layer 1 \(dense\), output 2: .* overflow by 0\.[2-3]"):
        quantized(model)


def test_the_proof_covers_the_worst_case_exactly() -> None:
    """Rows just inside the bound are accepted and really do not overflow; just outside: refused."""
    q = quantized(float_model(1, units=16, classes=1))
    room = 2**31 - 1 - 16 * 127 * 2**15

    def with_bias(bias: int):
        head = DenseLayer(
            units=1, inputs=16, W=np.full((1, 16), 127, np.int8),
            bias=np.array([bias], np.int32), multiplier=np.array([1], np.int16), fraction_bits=3,
        )  # fmt: skip
        return dataclasses.replace(q, layers=(q.recurrent[0], head))

    prove(with_bias(room))
    with pytest.raises(RangeError, match="overflow"):
        prove(with_bias(room + 1))


def test_the_proof_counts_the_shift_of_the_input() -> None:
    """100 weights of 127 on 8-bit inputs, shifted left: 2^10 times is safe, 2^11 times is not."""
    q = quantized(float_model(1, units=1, channels=100))

    def shifted(by: int) -> QuantizedModel:
        layer = dataclasses.replace(
            q.recurrent[0],
            W=np.full((3, 100), 127, np.int8),
            multiplier=np.ones(4, np.int16),
            input_shift=by,
        )
        return dataclasses.replace(q, layers=(layer, q.head[0]))

    prove(shifted(10))
    with pytest.raises(RangeError, match=r"gate z, unit 0: the accumulator can overflow"):
        prove(shifted(11))


def test_a_channel_far_from_zero_is_refused_where_float32_cannot_hold_it() -> None:
    model = float_model(1, channels=1)
    model.mean[0], model.std[0] = 1e9, 1e-3
    with pytest.raises(RangeError, match="channel 0: mean 1e\\+09"):
        quantized(model)


def test_limit_serves_the_many_not_one_far_value() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 100, 3))
    x[0, 0, 0] = 12.0
    assert 4 < input_limit(x, 8) < 8
    assert input_limit(x, 16) == 15.0
    assert input_limit(np.clip(x, -2, 2), 8) > 1.5
    assert input_limit(np.zeros((2, 2, 2)), 8) == 1.0


def test_16_bit_inputs_are_chosen_where_8_bits_lose_windows() -> None:
    """A wide channel sets the range; the class hangs on a narrow one, within one 8-bit step."""
    model = float_model(2, units=4, channels=2, classes=2, spread=0.0)
    model.mean[:], model.std[:] = 0, 1
    model.recurrent[0].W[1, 8:] = 20.0
    model.head.W[:], model.head.bias[:] = [[1, -1]] * 4, 0
    rng = np.random.default_rng(0)
    raw = np.empty((200, 16, 2), np.float32)
    raw[..., 0] = rng.uniform(-4, 4, size=(200, 16))
    raw[..., 1] = rng.uniform(-0.01, 0.01, size=(200, 1))
    assert quantize_model(model, run_spec(model), raw).recurrent[0].input_bits == 16
    raw[..., 1] *= 100
    assert quantize_model(model, run_spec(model), raw).recurrent[0].input_bits == 8


def test_a_run_of_another_model_is_refused() -> None:
    model = float_model(1)
    other = run_spec(float_model(1, channels=5))
    with pytest.raises(ModelError, match="5 channels and 4 classes"):
        quantize_model(model, other, raw_windows(model, 1, 2, 16))
