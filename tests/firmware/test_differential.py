"""The simulator and the portable C runtime on the same random models and inputs: every bit equal.

Models have any cell, width (also no multiple of 4 or 16), depth and direction, 8- and 16-bit
inputs, weights from tiny to the largest that the converter accepts; inputs are extremes, edges and
noise. The kernels of each core are compared in tests/targets.
"""

import ctypes
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.convert.floatmodel import FloatModel
from rnnedge.errors import DataError, RangeError
from rnnedge.simulator import quantize, simulate, softmax, step_scores
from tests.instances import Golden, Instance
from tests.models import CELLS, extreme_inputs, float_model, quantized, raw_windows
from tests.runtime import Device

WIDTHS = st.sampled_from([1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33])


@st.composite
def models(draw: st.DrawFn) -> tuple[FloatModel, int]:
    model = float_model(
        draw(st.integers(0, 2**32 - 1)),
        units=draw(WIDTHS),
        channels=draw(st.integers(1, 12)),
        classes=draw(st.integers(1, 7)),
        cells=tuple(draw(st.lists(st.sampled_from(CELLS), min_size=1, max_size=3))),
        spread=draw(st.sampled_from([0.0, 1e-4, 0.1, 1.0, 4.0, 30.0])),
        hidden=tuple(draw(st.lists(st.sampled_from([1, 5, 16]), max_size=2))),
        bidirectional=draw(st.booleans()),
        sequences=draw(st.booleans()),
    )
    return model, draw(st.sampled_from([8, 16]))


@given(models(), st.integers(0, 2**32 - 1), st.sampled_from([0.3, 1.0, 5.0, 100.0]))
def test_c_equals_simulator_for_every_model_and_input(
    library: ctypes.CDLL, drawn: tuple[FloatModel, int], seed: int, limit: float
) -> None:
    model, bits = drawn
    try:
        q = quantized(model, input_bits=bits, limit=limit, window=12)
    except RangeError as error:  # the largest spreads may be refused, but by layer and row
        assert "layer" in str(error)
        assert "row" in str(error) or "unit" in str(error) or "output" in str(error)
        return
    x = extreme_inputs(seed, windows=4, steps=12, channels=model.mean.size)
    expected, got = simulate(q, x), Device(library, q).run(x)
    assert np.array_equal(got.states, expected.states)
    assert np.array_equal(got.scores, expected.scores)


@pytest.mark.parametrize("cell", CELLS)
def test_models_of_ordinary_weights_are_not_refused(cell: str) -> None:
    """The test above must not pass by refusing everything."""
    for seed in range(10):
        for spread in (0.0, 0.1, 1.0, 3.0):
            for bits in (8, 16):
                relu = cell == "rnn_relu"  # whose state grows without bound
                spread = min(spread, 1.0) if relu else spread
                quantized(
                    float_model(seed, units=33, cells=(cell,), spread=spread), input_bits=bits
                )


@given(models(), st.integers(0, 2**32 - 1))
def test_a_window_equals_the_steps_of_a_model_that_streams(
    library: ctypes.CDLL, drawn: tuple[FloatModel, int], seed: int
) -> None:
    model, bits = drawn
    try:
        q = quantized(model, input_bits=bits, window=7)
    except RangeError:
        return
    if q.bidirectional:
        return
    device = Device(library, q)
    x = extreme_inputs(seed, windows=1, steps=7, channels=model.mean.size)
    every = q.recurrent[-1].return_sequences
    scores = np.zeros((7 if every else 1, q.outputs), np.int32)
    buffer = np.zeros(q.buffer_size, np.int16)
    scratch = np.zeros(device.struct.scratch_size, np.int32)
    count = ctypes.c_uint16(7)
    assert device.call("rnnedge_model_window", x[0], count, buffer, scratch, scores) == 0
    expected = step_scores(q, x)[0]
    assert np.array_equal(scores, expected if every else expected[-1:])


def test_a_bidirectional_model_says_that_it_cannot_stream(library: ctypes.CDLL) -> None:
    q = quantized(float_model(1, bidirectional=True))
    device = Device(library, q)
    state, x, scratch = np.zeros(200, np.int16), np.zeros(64, np.int16), np.zeros(400, np.int32)
    assert device.call("rnnedge_model_check") == 0
    assert device.call("rnnedge_model_step", state, x, scratch) == -6
    assert device.call("rnnedge_model_run", state, x, ctypes.c_uint32(1), scratch) == -6
    assert device.call("rnnedge_model_output", state, scratch, np.zeros(8, np.int32)) == -6
    count = ctypes.c_uint16(0)
    assert (
        device.call("rnnedge_model_window", x, count, state, scratch, np.zeros(8, np.int32)) == -4
    )


@given(st.lists(st.integers(-(2**31) + 1, 2**31 - 1), min_size=1, max_size=9), st.integers(0, 30))
def test_c_softmax_equals_the_simulators(
    library: ctypes.CDLL, scores: list[int], fraction_bits: int
) -> None:
    values, found = np.array(scores, np.int32), np.zeros(len(scores), np.uint16)
    library.rnnedge_softmax(
        ctypes.c_void_p(values.ctypes.data), ctypes.c_uint16(len(scores)),
        ctypes.c_uint8(fraction_bits), ctypes.c_void_p(found.ctypes.data),
    )  # fmt: skip
    assert np.array_equal(found, softmax(values, fraction_bits))


@given(
    st.integers(0, 2**32 - 1),
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e6),
    st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=20),
)
def test_c_quantises_raw_values_as_the_simulator(
    library: ctypes.CDLL, seed: int, mean: float, std: float, values: list[float]
) -> None:
    model = float_model(seed, channels=1)
    model.mean[0], model.std[0] = mean, std
    try:
        q = quantized(model)
    except RangeError as error:
        assert "cannot be resolved" in str(error)
        return
    rng = np.random.default_rng(seed)
    near = (mean + std * rng.normal(size=50)).astype(np.float32)
    raw = np.concatenate([np.array(values, np.float32), near, np.float32([np.inf, -np.inf])])
    device, x = Device(library, q), np.zeros(1, np.int16)
    expected = quantize(q.input, raw[:, None])
    for value, want in zip(raw, expected[:, 0], strict=True):
        assert device.call("rnnedge_model_quantize", x, np.array([value], np.float32)) == 0
        assert x[0] == want


def test_the_input_layer_is_the_normalisation_to_half_a_step() -> None:
    for seed in range(30):
        model = float_model(seed, channels=5)
        q = quantized(model)
        raw = raw_windows(model, seed, windows=3, steps=50)
        exact = (raw.astype(np.float64) - model.mean) / model.std * 2**15 / q.input.limit
        error = quantize(q.input, raw) - np.clip(exact, -32768, 32767)
        assert np.abs(error).max() < 0.55


def test_nan_is_refused_on_both_sides(library: ctypes.CDLL) -> None:
    q = quantized(float_model(1))
    raw = np.array([1.0, np.nan, 2.0], np.float32)
    assert Device(library, q).call("rnnedge_model_quantize", np.zeros(3, np.int16), raw) == -4
    with pytest.raises(DataError, match="NaN"):
        quantize(q.input, raw)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_run_equals_steps_under_any_chunking(
    library: ctypes.CDLL, seed: int, chunks: list[int]
) -> None:
    q = quantized(float_model(seed, units=5, cells=("gru", "lstm", "rnn_relu"), spread=0.5))
    device = Device(library, q)
    x = extreme_inputs(seed, windows=4, steps=sum(chunks) or 1, channels=3)[3]
    state, scratch = np.zeros(q.state_size, np.int16), np.zeros(200, np.int32)
    start = 0
    for size in chunks:
        part = np.ascontiguousarray(x[start : start + size])
        pointer = part if size else np.zeros(1, np.int16)
        assert device.call("rnnedge_model_run", state, pointer, ctypes.c_uint32(size), scratch) == 0
        start += size
    if start:
        assert np.array_equal(state, simulate(q, x[None, :start]).states[0, -1])


@pytest.mark.parametrize("cell", CELLS)
def test_scratch_contents_do_not_matter(library: ctypes.CDLL, cell: str) -> None:
    device = Device(library, quantized(float_model(3, units=7, cells=(cell, "lstm"))))
    x = extreme_inputs(3, windows=2, steps=8, channels=3)
    assert np.array_equal(device.run(x, fill=0x00).states, device.run(x, fill=0xFF).states)


@pytest.mark.parametrize("cell", CELLS)
def test_two_instances_interleave_and_a_saved_state_goes_on(
    library: ctypes.CDLL, cell: str
) -> None:
    q = quantized(float_model(4, units=9, cells=(cell, "gru")))
    device, x = Device(library, q), extreme_inputs(4, windows=2, steps=20, channels=3)
    expected = simulate(q, x).states
    states = np.zeros((2, q.state_size), np.int16)
    scratch = np.zeros(device.struct.scratch_size, np.int32)
    for t in range(20):
        for instance in (0, 1):
            assert device.call("rnnedge_model_step", states[instance], x[instance, t], scratch) == 0
            assert np.array_equal(states[instance], expected[instance, t])
        if t == 9:
            saved = states.copy()
            assert device.call("rnnedge_model_reset", states[0]) == 0
            assert not states[0].any()
            states[:] = saved


def test_zero_weights_keep_the_zero_state(library: ctypes.CDLL) -> None:
    q = quantized(float_model(0, spread=0.0))
    x = extreme_inputs(0, windows=3, steps=9, channels=3)
    assert not Device(library, q).run(x).states.any()


def test_a_slow_gate_still_moves_the_state() -> None:
    """With z near 1 the state moves by less than 1/256 a step: 16 bits must not stall."""
    model = float_model(0, units=1, channels=1, classes=1, spread=0.0)
    gru = model.recurrent[0]
    gru.bias[:] = [5.5, 0.0, 2.0]  # z = 0.996, n = tanh(2)
    q = quantized(model, window=1500)
    x = np.zeros((1, 1500, 1), np.int16)
    states = simulate(q, x).states[0, :, 0] / 2**15
    assert abs(states[-1] - np.tanh(2)) < 0.01
    assert np.abs(states - gru.run(np.zeros((1, 1500, 1)))[0][0, :, 0]).max() < 0.01


def test_every_pointer_is_checked(library: ctypes.CDLL) -> None:
    q = quantized(float_model(1))
    device = Device(library, q)
    state, x = np.zeros(64, np.int16), np.zeros(64, np.int16)
    scratch, scores = np.zeros(200, np.int32), np.zeros(8, np.int32)
    assert device.call("rnnedge_model_check") == 0
    for function, arguments in (
        ("rnnedge_model_reset", [state]),
        ("rnnedge_model_step", [state, x, scratch]),
        ("rnnedge_model_run", [state, x, ctypes.c_uint32(1), scratch]),
        ("rnnedge_model_output", [state, scratch, scores]),
        ("rnnedge_model_window", [x, ctypes.c_uint16(1), state, scratch, scores]),
        ("rnnedge_model_quantize", [x, np.zeros(3, np.float32)]),
    ):
        assert device.call(function, *arguments) == 0, function
        assert getattr(library, function)(None, *(None for _ in arguments)) == -1
        for index, argument in enumerate(arguments):
            if isinstance(argument, np.ndarray):
                broken = [*arguments[:index], None, *arguments[index + 1 :]]
                assert device.call(function, *broken) == -1, (function, index)


def test_check_refuses_models_that_do_not_fit(library: ctypes.CDLL) -> None:
    q = quantized(float_model(1, cells=("gru", "lstm")))
    for field, value, status in (
        ("abi", 1, -2),
        ("inputs", 4, -3),
        ("state_size", 3, -3),
        ("outputs", 9, -3),
        ("n_layers", 0, -3),
        ("dense", None, -1),
        ("bidirectional", 1, -3),
    ):
        device = Device(library, q)
        setattr(device.struct, field, value)
        assert device.call("rnnedge_model_check") == status, field


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_selftest_passes_and_notices_a_changed_weight(
    library: ctypes.CDLL, bidirectional: bool, sequences: bool
) -> None:
    model = float_model(1, cells=("gru", "lstm"), bidirectional=bidirectional, sequences=sequences)
    q = quantized(model)
    raw = raw_windows(model, 5, windows=2, steps=16)
    x = quantize(q.input, raw)
    trace = simulate(q, x)
    states = np.array([zlib.crc32(s.astype("<i2").tobytes()) for s in trace.states], np.uint32)
    first = np.ascontiguousarray(raw[:, 0])
    arrays = {"raw": first, "x": x, "scores": trace.scores, "states": states}
    places = {name: array.ctypes.data for name, array in arrays.items()}
    golden = Golden(windows=2, steps=16, **places)
    instance = Instance(Device(library, q))
    assert instance.call("rnnedge_selftest", ctypes.byref(golden)) == 0
    # each is compared on its own; the first sample of a window with the raw values
    for expected, index in ((states, -1), (trace.scores, -1), (x[-1, 0], -1)):
        expected.flat[index] ^= 1
        assert instance.call("rnnedge_selftest", ctypes.byref(golden)) == -5
        expected.flat[index] ^= 1
    for value in (np.nan, first.flat[-1] + q.input.std[-1]):
        kept, first.flat[-1] = first.flat[-1], value
        assert instance.call("rnnedge_selftest", ctypes.byref(golden)) == -5
        first.flat[-1] = kept
    assert instance.call("rnnedge_selftest", ctypes.byref(golden)) == 0
    instance.device.weights[0][0] += 1
    assert instance.call("rnnedge_selftest", ctypes.byref(golden)) == -5
    assert instance.result == (-1, -1, 0)
    assert instance.call("rnnedge_selftest", None) == -1
