"""From float weights to integers: the bound of the error, and what is refused."""

import ctypes
import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.convert.build import quantize as quantize_model
from rnnedge.convert.calibrate import input_limit
from rnnedge.convert.floatmodel import FloatCell, FloatGru, FloatModel
from rnnedge.convert.proof import bounds, is_narrow, prove
from rnnedge.errors import ModelError, RangeError
from rnnedge.simulator import quantize, simulate
from rnnedge.spec import DenseLayer, GruLayer, QuantizedModel, RecurrentLayer
from tests.models import CELLS, extreme_inputs, float_model, quantized, raw_windows, run_spec
from tests.runtime import Device

CELLS_AND_BITS = [(cell, bits) for cell in CELLS for bits in (8, 16)]


def dequantized(q: QuantizedModel, model: FloatModel) -> FloatCell:
    """The float cell that the first layer's integers stand for, on normalised input."""
    layer, source = q.cells[0], model.recurrent[0]
    scale = layer.row_scale
    fields = {
        "W": (layer.W * scale[:, None]).T * 2.0**layer.input_exponent * 2**15 / q.input.limit,
        "U": (layer.U * scale[:, None]).T,
        "bias": layer.real_bias,
    }
    if isinstance(layer, GruLayer):
        H = layer.units
        fields["recurrent_bias"] = np.concatenate([np.zeros(2 * H), layer.real_recurrent_bias])
    return dataclasses.replace(source, **fields)


@given(st.integers(0, 2**32 - 1), st.sampled_from(CELLS_AND_BITS))
def test_weights_and_biases_are_within_half_a_step_of_the_float_ones(
    seed: int, kind: tuple[str, int]
) -> None:
    cell, bits = kind
    model = float_model(seed, units=6, cells=(cell,))
    q = quantized(model, input_bits=bits)
    layer, back, source = q.cells[0], dequantized(q, model), model.recurrent[0]
    scale = layer.row_scale
    to_input = 2.0 ** (layer.input_exponent + 15) / q.input.limit
    assert (np.abs(back.W - source.W) <= scale * to_input * 0.501).all()
    assert (np.abs(back.U - source.U) <= scale * 0.501).all()
    total = source.bias.copy()
    if isinstance(source, FloatGru):
        total[:12] += source.recurrent_bias[:12]
        error = back.recurrent_bias[12:] - source.recurrent_bias[12:]
        assert (np.abs(error) <= scale[12:] * 2.0**-layer.unit_exponent * 0.501).all()
    assert (np.abs(back.bias - total) <= scale * 2.0**-layer.unit_exponent * 0.501).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from(CELLS), st.integers(1, 24))
def test_one_step_of_the_simulator_is_within_the_derived_bound_of_the_float_cell(
    seed: int, cell: str, units: int
) -> None:
    """One step from a zero state, 16-bit input, on the weights that the integers stand for.

    Errors, in units of 1. A pre-activation: half of the 2^-12 that the look-up drops (2^-11 for
    sigmoid), rounding of the bias half a step, at most two more of truncation. Look-up: 7 steps of
    Q0.15, for a sigmoid half of that. Slopes are at most 1/4 and 1; later roundings half a step.
    """
    model = float_model(seed, units=units, cells=(cell,), spread=0.5)
    q = quantized(model, input_bits=16)
    layer = q.cells[0]
    raw = raw_windows(model, seed, windows=20, steps=1)
    x = quantize(q.input, raw)
    back = dequantized(q, model)
    normalised = x.astype(np.float64) * q.input.limit / 2**15
    exact = back.run(normalised)[0][:, 0]
    H, unit = layer.units, 2.0 ** (layer.output_shift - 15)
    states = simulate(q, x).states[:, 0, :H] * unit
    step = float((layer.row_scale * 2.0**-layer.unit_exponent).max()) * 2**layer.acc_shift
    pre = 2.0**-13 + 3 * step
    sigmoid = (2 * pre) / 4 + 4 * 2.0**-15
    tanh = pre + 7.5 * 2.0**-15
    bound = {
        "gru": tanh + float(np.abs(layer.real_recurrent_bias).max()) * sigmoid + sigmoid + 2.0**-15
        if isinstance(layer, GruLayer)
        else 0.0,
        "gru_before": tanh + sigmoid + 2.0**-15,
        # c = i g: both errors, and the unit of c; then tanh, and o
        "lstm": tanh + sigmoid + 2.0 ** (getattr(layer, "state_shift", 0) - 14) + 2.0**-13
        + 8 * 2.0**-15 + sigmoid,
        "rnn": tanh,
        "rnn_relu": unit + 3 * step,
    }[cell]  # fmt: skip
    held = exact < 0.99 * 2.0**layer.output_shift if cell == "rnn_relu" else exact < 2
    assert (np.abs(states - exact)[held] <= bound).all()
    assert bound < 0.02 or cell == "rnn_relu"


@pytest.mark.parametrize(("cell", "most"), [("gru", 0.01), ("gru_before", 0.01), ("lstm", 0.01),
                                            ("rnn", 0.02), ("rnn_relu", 0.02)])  # fmt: skip
def test_a_long_sequence_stays_close_to_the_float_model(cell: str, most: float) -> None:
    """RMS error of the output over 200 steps, relative to its range where that is not 1."""
    model = float_model(7, units=24, cells=(cell,), spread=0.5)
    rng = np.random.default_rng(1)
    raw = (rng.normal(size=(20, 200, 3)) * model.std + model.mean).astype(np.float32)
    q = quantized(model, limit=4.0, window=200)
    (states,), _ = model.forward(raw)
    layer = q.cells[0]
    got = simulate(q, quantize(q.input, raw)).states[..., : layer.units] / 2.0**15
    error = got - np.minimum(states * 2.0**-layer.output_shift, 1)
    assert np.sqrt(np.mean(error**2)) < most


def test_impossible_models_are_refused_by_layer_and_row() -> None:
    model = float_model(1)
    model.recurrent[0].bias[5] = 1e9
    with pytest.raises(RangeError, match=r"layer 'gru0', row 5"):
        quantized(model)
    model = float_model(1)
    model.dense[0].W[2, 1] = 1e12
    with pytest.raises(RangeError, match=r"layer 'dense0', row 1"):
        quantized(model)
    model = float_model(1, hidden=(5,))
    model.dense[0].W[2, 1] = 1e12
    with pytest.raises(RangeError, match=r"layer 'dense0', row 1"):
        quantized(model)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bits", [8, 16])
def test_weights_far_larger_than_usual_get_wider_scales(cell: str, bits: int) -> None:
    """Up to the shifts' end, and then a refusal; never a silent loss."""
    shifts = set()
    for size in (1.0, 5.0, 12.0, 30.0, 80.0, 1e4):
        model = float_model(3, units=4, cells=(cell,), spread=0.1)
        model.recurrent[0].U[1, :] = size
        try:
            q = quantized(model, input_bits=bits)
        except RangeError as error:
            assert "row" in str(error) or "unit" in str(error)
            continue
        layer = q.cells[0]
        scale = layer.row_scale
        assert (np.abs(layer.U.T * scale - model.recurrent[0].U) <= 0.501 * scale).all()
        shifts.add(layer.gain_exponent)
    assert len(shifts) >= 3 or cell == "rnn_relu"


def test_the_proof_finds_the_row_that_could_overflow() -> None:
    """A dense head of 600 equal weights reads int16: 600 * 127 * 2^15 > 2^31."""
    model = float_model(1, units=600)
    model.dense[0].W[:, 2] = 1.0
    with pytest.raises(RangeError, match=r"dense layer 0, output 2: .* overflow by 0\.[2-3]"):
        quantized(model)


def test_the_proof_covers_the_worst_case_exactly() -> None:
    """Rows just inside the bound are accepted and really do not overflow; just outside: refused."""
    q = quantized(float_model(1, units=16, classes=1))
    room = 2**31 - 1 - 16 * 127 * 2**15

    def with_bias(bias: int):
        head = DenseLayer(
            units=1, inputs=16, activation="linear", W=np.full((1, 16), 127, np.int8),
            bias=np.array([bias], np.int32), multiplier=np.array([1], np.int16), fraction_bits=3,
        )  # fmt: skip
        return dataclasses.replace(q, layers=(q.recurrent[0], head))

    prove(with_bias(room))
    with pytest.raises(RangeError, match="overflow"):
        prove(with_bias(room + 1))


def test_the_proof_counts_the_shift_of_the_input() -> None:
    """20 weights of 127 on inputs shifted left by 8 are safe with 160 units, not with 600."""
    for units, safe in ((160, True), (600, False)):
        q = quantized(float_model(1, units=units, channels=20, spread=0.1))
        layer = dataclasses.replace(
            q.recurrent[0],
            W=np.full((3 * units, 20), 127, np.int8),
            U=np.full((3 * units, units), 127, np.int8),
            multiplier=np.ones(3 * units, np.uint8),
            bias=np.zeros(4 * units, np.int32),
            x_shift=8,
            h_shift=8,
        )
        shifted = dataclasses.replace(q, layers=(layer, *q.dense))
        if safe:
            prove(shifted)
        else:
            with pytest.raises(RangeError, match=r"gate z, unit 0: the accumulator can overflow"):
                prove(shifted)


@pytest.mark.parametrize("cell", CELLS)
def test_models_on_both_sides_of_every_bound_are_exact_or_refused(
    library: ctypes.CDLL, cell: str
) -> None:
    """The largest bias that the proof accepts, one row at a time: exact in C at all extremes."""
    q = quantized(float_model(5, units=3, cells=(cell,), channels=2, spread=0.5))
    layer = q.cells[0]
    x = extreme_inputs(5, windows=4, steps=6, channels=2)

    def with_bias(row: int, value: int) -> QuantizedModel:
        bias = layer.bias.copy()
        bias[row] = value
        changed = dataclasses.replace(layer, bias=bias)
        return dataclasses.replace(q, layers=(changed, *q.dense))

    def accepted(row: int, value: int) -> bool:
        try:
            prove(with_bias(row, value))
        except RangeError as error:
            assert "recurrent layer 0" in str(error)
            assert "unit" in str(error)
            return False
        return True

    for row in range(layer.bias.size):
        for sign in (1, -1):
            low, high = 0, 2**31 - 1
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if accepted(row, sign * middle) else (low, middle)
            assert low > 2**20
            model = with_bias(row, sign * low)
            expected, got = simulate(model, x), Device(library, model).run(x)
            assert np.array_equal(got.states, expected.states), (row, sign)


def test_the_narrow_limit_is_exact() -> None:
    """Accumulators of 24 bits: a row just below 2^23 is narrow, at 2^23 not."""
    layer = quantized(float_model(5, units=3, channels=2, spread=0.5)).cells[0]
    worst = {gate: int(bound[1]) for gate, bound in bounds(layer).items()}
    room = 2**23 - 1 - worst["z"] + abs(int(layer.bias[1]))

    def with_bias(value: int) -> RecurrentLayer:
        bias = layer.bias.copy()
        bias[1] = value
        return dataclasses.replace(layer, bias=bias)

    assert is_narrow(layer)
    assert is_narrow(with_bias(room))
    assert not is_narrow(with_bias(room + 1))
    assert not is_narrow(dataclasses.replace(layer, input_bits=16, x_shift=0))


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
    model.dense[0].W[:], model.dense[0].bias[:] = [[1, -1]] * 4, 0
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
