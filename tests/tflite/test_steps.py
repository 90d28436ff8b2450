"""Emitted models in the real TFLite Micro interpreter against the real-valued model.

The stream whose states are outputs shows every number of a step; each is compared with the real
step from the state before it. All other forms are the same operators: they agree with it bit for
bit.
"""

from dataclasses import replace

import numpy as np
import pytest

from rnnedge.convert.tflite import Variant, as_input, emit, output_scale, variants
from rnnedge.spec import BidirectionalLayer
from rnnedge.targets.tflm import run_stream, run_tflm
from tests.tflite import real
from tests.tflite.cases import CASES, STREAMS, case, samples

ARENA = 1 << 20
WIDE = {"16x8": 0.005, "8x8": 0.15}  # a wider bound, in units of the full scale, tells nothing


def stream(precision, state="io"):
    return Variant(form="stream", state=state, precision=precision)


@pytest.mark.parametrize("precision", ["16x8", "8x8"])
@pytest.mark.parametrize("name", STREAMS)
def test_every_step_is_the_real_step_within_the_rounding_of_the_formats(name, precision):
    check_steps(case(name), precision, 0.8)


@pytest.mark.parametrize("precision", ["16x8", "8x8"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gru", {"units": 1, "channels": 1, "limit": 8.0}),
        ("gru", {"units": 33, "channels": 5, "limit": 100.0}),
        ("gru", {"units": 4, "channels": 1, "limit": 4.0, "spread": 6.0}),
        ("gru_before", {"units": 1, "channels": 9, "limit": 0.7}),
        ("gru_before", {"units": 4, "channels": 2, "limit": 2.0, "spread": 8.0}),
        ("gru_before", {"units": 31, "channels": 6, "input_bits": 8}),
        ("lstm", {"units": 1, "channels": 1, "limit": 0.3}),
        ("lstm", {"units": 32, "channels": 9, "limit": 16.0, "input_bits": 8}),
        ("lstm", {"units": 5, "channels": 2, "spread": 5.0}),
        ("rnn", {"units": 32, "channels": 9, "input_bits": 8}),
        ("rnn_relu", {"units": 17, "channels": 1, "limit": 64.0}),
    ],
)
def test_steps_of_other_shapes_ranges_and_weights(name, options, precision):
    check_steps(case(name, seed=2, **options), precision, 2.5)


def check_steps(model, precision, slack):
    x = samples(model, 12, steps=7)
    variant = stream(precision)
    x = as_input(x, variant)
    got = run_stream(emit(model, variant), x, ARENA)
    states, place = got.states.astype(np.int64), 0
    v = x
    for layer in model.recurrent:
        sizes = [layer.units] * (layer.state_size // layer.units)
        parts = []
        for size in sizes:
            parts.append(states[..., place : place + size])
            place += size
        units = [2.0 ** (layer.output_shift - 15)]
        if layer.kind == "lstm":
            units.append(2.0 ** (layer.state_shift - 15))
        for t in range(x.shape[1]):
            before = [part[:, t - 1] if t else 0 * part[:, 0] for part in parts]
            now = v[:, t] if v.dtype == np.int8 else v[:, t].astype(np.int64)
            expected, bounds = real.STEPS[layer.kind](layer, now, before, precision)
            for part, wanted, bound, unit in zip(parts, expected, bounds, units, strict=True):
                error = np.abs(part[:, t] * unit - np.clip(wanted, -(2**15) * unit, 32767 * unit))
                assert (error <= bound).all(), (layer.kind, t, (error / bound).max())
                assert np.median(bound) < slack * WIDE[precision] * max(1, unit * 2**15)
        v = parts[0]
    last = states_of_output(model, states)
    wanted, bound = real.scores(model.dense, last.reshape(-1, last.shape[-1]))
    error = np.abs(got.scores.reshape(wanted.shape) * output_scale(model) - wanted)
    assert (error <= bound).all(), (error / bound).max()


def states_of_output(model, states):
    """The last layer's h, of all steps."""
    before = sum(layer.state_size for layer in model.recurrent[:-1])
    return states[..., before : before + model.recurrent[-1].units]


@pytest.mark.parametrize("precision", ["16x8", "8x8"])
@pytest.mark.parametrize("name", STREAMS)
def test_state_inside_the_graph_gives_the_same_scores(name, precision):
    model = case(name)
    x = as_input(samples(model, 5, steps=9), stream(precision))
    inside = run_stream(emit(model, stream(precision, "variables")), x, ARENA)
    outside = run_stream(emit(model, stream(precision)), x, ARENA)
    assert np.array_equal(inside.scores, outside.scores)
    assert inside.states.size == 0 < outside.states.size


@pytest.mark.parametrize("precision", ["16x8", "8x8"])
@pytest.mark.parametrize("window", [1, 2, 6])
@pytest.mark.parametrize("name", [name for name in STREAMS if "lstm" not in name])
def test_a_window_is_the_stream_over_its_steps(name, window, precision):
    model = case(name, window=window)
    check_window(model, precision)


@pytest.mark.parametrize("precision", ["16x8", "8x8"])
def test_a_window_of_a_long_mixed_stack_is_the_stream(precision):
    check_window(case("mixed", units=12, window=40), precision)


def check_window(model, precision):
    window = Variant(precision=precision)
    x = as_input(samples(model, 8), window)
    steps = run_tflm(emit(model, stream(precision)), x, ARENA)
    expected = steps if model.recurrent[-1].return_sequences else steps[:, -1]
    assert np.array_equal(run_tflm(emit(model, window), x, ARENA), expected)


@pytest.mark.parametrize("precision", ["16x8", "8x8"])
@pytest.mark.parametrize("window", [1, 2, 6])
@pytest.mark.parametrize("name", [name for name in CASES if name not in STREAMS])
def test_a_bidirectional_window_is_two_streams(name, window, precision):
    check_layers(case(name, window=window), precision)


@pytest.mark.parametrize("precision", ["16x8", "8x8"])
@pytest.mark.parametrize("order", ["both ways first", "both ways last", "both ways between"])
def test_layers_of_one_and_of_two_directions_stack(order, precision):
    first, second, *dense = case("both_ways_twice").layers
    inner = narrowed(second, 7)
    if order == "both ways first":
        layers = (first, second.forward, replace(dense[0], inputs=7, W=dense[0].W[:, :7]))
    elif order == "both ways last":
        layers = (first.forward, inner, dense[0])
    else:
        middle = narrowed(second, 7, return_sequences=True)
        layers = (first.forward, middle, second.forward)
        layers += (replace(dense[0], inputs=7, W=dense[0].W[:, :7]),)
    check_layers(replace(case("both_ways_twice"), layers=(*layers, dense[1])), precision)


def narrowed(layer, inputs, **changes):
    """A bidirectional layer that reads only the first inputs."""
    ways = [
        replace(cell, inputs=inputs, W=cell.W[:, :inputs], **changes)
        for cell in (layer.forward, layer.backward)
    ]
    return BidirectionalLayer(forward=ways[0], backward=ways[1])


def check_layers(model, precision):
    """Each direction of each layer is run alone as a stream, then the real dense layers."""
    variant = Variant(precision=precision)
    x = as_input(samples(model, 8), variant)
    got = run_tflm(emit(model, variant), x, ARENA)
    v = x
    for layer in model.recurrent:
        both = isinstance(layer, BidirectionalLayer)
        ways = []
        for cell, order in zip(
            (layer.forward, layer.backward) if both else (layer,), (1, -1), strict=False
        ):
            content = emit_wide(one_way(model, cell), precision, v.dtype.name)
            states = run_stream(content, v[:, ::order], ARENA).states
            ways.append(states[:, ::order, : cell.units])
        v = np.concatenate(ways, axis=2)
    if not model.recurrent[-1].return_sequences:
        ends = [way[:, end] for way, end in zip(ways, (-1, 0), strict=False)]
        v = np.concatenate(ends, axis=1)[:, None]
    wanted, bound = real.scores(model.dense, v.reshape(-1, v.shape[-1]).astype(np.int64))
    error = np.abs(got.reshape(wanted.shape) * output_scale(model) - wanted)
    assert (error <= bound).all(), (error / bound).max()


def one_way(model, cell):
    """A model of one direction of one layer, and some head."""
    source, head = model.input, model.dense[-1]
    fields = ("mean", "std", "exponent", "multiplier", "offset", "shift")
    wide = {name: np.resize(getattr(source, name), cell.inputs) for name in fields}
    names = tuple(f"c{index}" for index in range(cell.inputs))
    weights = np.ones((head.units, cell.units), np.int8)
    return replace(
        model,
        input=replace(source, **wide),
        channels=names,
        channel_units=names,
        layers=(cell, replace(head, inputs=cell.units, W=weights)),
    )


def emit_wide(model, precision, dtype):
    """Emit a stream whose input has another type than its precision: an inner layer's."""
    from rnnedge.convert.tflite import scales

    if (precision, dtype) == ("8x8", "int16"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scales, "input_type", lambda _: "int16")
            return emit(model, stream(precision))
    return emit(model, stream(precision))


def test_variants_name_what_a_model_supports():
    names = [variant.name for variant in variants(case("mixed"))]
    assert names == [
        "window-16x8", "window-8x8", "stream-io-16x8", "stream-io-8x8",
        "stream-variables-16x8", "stream-variables-8x8",
    ]  # fmt: skip
    assert [v.name for v in variants(case("both_ways"))] == ["window-16x8", "window-8x8"]
