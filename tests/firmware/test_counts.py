"""A sensor's integers: the map is derived exactly, and the device computes it bit for bit."""

import ctypes
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.convert.quantize import quantize_input
from rnnedge.counts import CountsMap, counts_map
from rnnedge.errors import DataError, RangeError
from rnnedge.simulator import quantize, quantize_counts
from rnnedge.spec import InputLayer
from tests.instances import Instance, counts_table
from tests.models import float_model, quantized, raw_windows
from tests.runtime import Device

ALL = np.arange(-32768, 32768)


def one_channel(mean: float, std: float, limit: float) -> InputLayer:
    """An input layer of which only mean, deviation and limit matter."""
    zeros = np.zeros(1, np.int64)
    return InputLayer(
        mean=np.array([mean]),
        std=np.array([std]),
        limit=limit,
        exponent=zeros,
        multiplier=zeros,
        offset=zeros,
        shift=zeros,
    )


@st.composite
def sensors(draw: st.DrawFn) -> tuple[InputLayer, float]:
    """A channel of any size, and counts per unit that bring it somewhere near int16."""
    std = 10.0 ** draw(st.floats(-8, 8))
    std_in_counts = 10.0 ** draw(st.floats(-4, 7))
    mean = draw(st.floats(-40, 40)) * std
    per_unit = std_in_counts / std * draw(st.sampled_from([-1.0, 1.0]))
    return one_channel(mean, std, draw(st.sampled_from([0.3, 1.0, 5.0, 37.5]))), per_unit


@given(sensors())
def test_every_count_is_within_half_an_input_step_of_the_exact_value(
    drawn: tuple[InputLayer, float],
) -> None:
    """And 2^-9 of a step, for what 30-bit multipliers cannot hold."""
    layer, per_unit = drawn
    try:
        found = quantize_counts(counts_map(layer, ["a"], [per_unit]), ALL[:, None])
    except RangeError as error:
        assert "channel 'a'" in str(error)
        assert hopeless(layer, per_unit)
        return
    found = found[:, 0].astype(np.int64)
    gain = (1 << 15) / (Fraction(per_unit) * Fraction(float(layer.std[0])) * Fraction(layer.limit))
    centre = Fraction(float(layer.mean[0])) * Fraction(per_unit)
    unsaturated = [(int(n), int(q)) for n, q in zip(ALL, found, strict=True) if abs(q) < 32767]
    ends = [(int(n), int(found[n + 32768])) for n in (-32768, -1, 0, 1, 32767)]
    for count, q in [*ends, *unsaturated[:: max(1, len(unsaturated) // 200)]]:
        exact = min(max((count - centre) * gain, Fraction(-32768)), Fraction(32767))
        assert abs(q - exact) <= Fraction(1, 2) + Fraction(1, 512)


def hopeless(layer: InputLayer, per_unit: float) -> bool:
    """One count is 2^20 input steps, or all counts are the same step, or nearly."""
    gain = 2.0**15 / abs(per_unit * layer.std[0] * layer.limit)
    ends = (np.array([-32768, 32767]) / per_unit - layer.mean[0]) / layer.std[0] / layer.limit
    low, high = sorted(np.clip(ends * 2**15, -32768, 32767).tolist())
    return bool(gain > 2**20 * 0.999 or high - low < 1.01)


@given(st.lists(sensors(), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_c_makes_the_same_of_all_counts(
    library: ctypes.CDLL, drawn: list[tuple[InputLayer, float]], seed: int
) -> None:
    maps = []
    for layer, per_unit in drawn:
        try:
            maps.append(counts_map(layer, ["a"], [per_unit]))
        except RangeError:
            continue
    if not maps:
        return
    joined = CountsMap(
        counts_per_unit=None,
        multiplier=np.concatenate([each.multiplier for each in maps]),
        offset=np.concatenate([each.offset for each in maps]),
        shift=np.concatenate([each.shift for each in maps]),
    )
    rng = np.random.default_rng(seed)
    counts = np.stack([rng.permutation(ALL) for _ in maps], axis=1).astype(np.int16)
    # a model's inputs say how many counts a call takes: as many as there are here
    device = Device(library, quantized(float_model(1)))
    device.struct.inputs = len(maps)
    table, found = counts_table(joined), np.empty_like(counts)
    function, struct = library.rnnedge_model_quantize_counts, ctypes.byref(device.struct)
    step = 2 * len(maps)
    for at in range(0, counts.nbytes, step):
        x, n = (ctypes.c_void_p(array.ctypes.data + at) for array in (found, counts))
        assert function(struct, table, x, n) == 0
    assert np.array_equal(found, quantize_counts(joined, counts))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_an_instance_takes_counts_as_it_takes_raw_values(
    library: ctypes.CDLL, bidirectional: bool
) -> None:
    """Where both quantise to the same input, all results are the same."""
    source = float_model(3, bidirectional=bidirectional)
    object.__setattr__(source, "std", np.array([100.0, 2.5, 4000.0]))
    object.__setattr__(source, "mean", np.array([512.0, -1.0, 0.0]))
    model = quantized(source, window=7)
    per_unit = (1.0, 1000.0, 2.0)
    counts_of = counts_map(model.input, model.channels, per_unit)
    raw = raw_windows(source, 3, 1, 60)[0]
    counts = np.clip(np.rint(raw * np.array(per_unit)), -32768, 32767).astype(np.int16)
    x = quantize_counts(counts_of, counts)
    assert np.abs(quantize(model.input, counts / np.array(per_unit)) - x.astype(int)).max() <= 1
    by_hand, by_run = (Instance(Device(library, model), majority=2) for _ in range(2))
    table = counts_table(counts_of)
    from rnnedge.simulator import simulate

    ready, at = [], 0
    for t in range(len(counts)):
        if by_hand.call("rnnedge_step_counts", table, np.ascontiguousarray(counts[t])) == 1:
            ready.append((t + 1, by_hand.result))
            expected = simulate(model, x[None, t - 6 : t + 1]).scores[0]
            assert np.array_equal(by_hand.scores, expected)
    found = []
    while at < len(counts):
        done, left = ctypes.c_uint32(99), ctypes.c_uint32(len(counts) - at)
        part = np.ascontiguousarray(counts[at:])
        status = by_run.call("rnnedge_run_counts", table, part, left, ctypes.byref(done))
        at += done.value
        if status == 1:
            found.append((at, by_run.result))
    assert found == ready
    assert [at for at, _ in ready] == list(range(7, 61, 7))


def test_a_channel_without_counts_is_refused_on_both_sides(library: ctypes.CDLL) -> None:
    """Without counts per unit a count is a unit: of a tiny deviation that says nothing."""
    source = float_model(3)
    object.__setattr__(source, "std", np.array([1.0, 1e-9, 1.0]))
    object.__setattr__(source, "mean", np.zeros(3))
    model = quantized(source)
    counts_of = counts_map(model.input, model.channels)
    assert counts_of.counts_per_unit is None
    assert (counts_of.multiplier == 0).tolist() == [False, True, False]
    with pytest.raises(DataError, match="no counts"):
        quantize_counts(counts_of, np.zeros(3))
    instance = Instance(Device(library, model))
    table, counts = counts_table(counts_of), np.zeros(3, np.int16)
    assert instance.call("rnnedge_step_counts", table, counts) == -4
    assert instance.struct.count == 0
    done = ctypes.c_uint32(99)
    steps = ctypes.c_uint32(1)
    assert instance.call("rnnedge_run_counts", table, counts, steps, ctypes.byref(done)) == -4
    assert done.value == 0


def test_counts_that_say_nothing_are_refused_by_name() -> None:
    layer = quantize_input(np.array([0.0, 1e6]), np.array([1.0, 2.0]), 5.0)
    for per_unit, channel in (
        ([0.0, 1.0], "ax"),
        ([float("nan"), 1.0], "ax"),
        ([1e-7, 1.0], "ax"),  # a count is 2^20 input steps
        ([1.0, 1.0], "temperature"),  # its mean is far beyond int16
        ([1.0, -1.0], "temperature"),
    ):
        with pytest.raises(RangeError, match=f"channel '{channel}'.*cannot be resolved") as error:
            counts_map(layer, ["ax", "temperature"], per_unit)
        assert "\n" not in str(error.value)
    with pytest.raises(RangeError, match="3 counts per unit for 2 channels"):
        counts_map(layer, ["ax", "temperature"], [1, 2, 3])
    assert counts_map(layer, ["ax", "temperature"], [0.01]).counts_per_unit == (0.01, 0.01)


def test_a_switch_is_a_channel_too() -> None:
    """Counts 0 and 1 of a rare event, far apart in deviations."""
    layer = one_channel(0.0025, 0.05, 5.0)
    found = quantize_counts(counts_map(layer, ["switch"]), np.array([[0], [1]]))
    assert found[0, 0] == round(-0.0025 / 0.05 * 2**15 / 5)
    assert found[1, 0] == 32767


def test_counts_are_integers_of_16_bits() -> None:
    counts_of = counts_map(one_channel(0.0, 100.0, 5.0), ["a"])
    for value in (0.5, 32768, -32769):
        with pytest.raises(DataError, match="integers from -32768 to 32767"):
            quantize_counts(counts_of, np.array([[value]]))
