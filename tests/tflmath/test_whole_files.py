"""Whole files: all that convert/tflite emits, run by the reference and by the interpreter."""

import numpy as np
import pytest

from rnnedge.convert.tflite import emit, variants
from rnnedge.errors import ModelError
from rnnedge.targets.tflm import run_tflm
from rnnedge.tflmath import Interpreter, read, run
from tests.models import CELLS, float_model, quantized
from tests.tflmath.files import DTYPES, Case, G, Op, T, one, pack, tflm

SHAPES = [
    *({"cells": (cell,)} for cell in CELLS),
    *({"cells": (cell,), "bidirectional": True} for cell in CELLS),
    {"cells": ("gru", "lstm"), "hidden": (5,)},
    {"cells": ("lstm", "lstm"), "spread": 3.0},
    {"cells": ("rnn", "gru_before"), "sequences": True},
    {"cells": ("lstm",), "sequences": True},
]


def inputs(tensor, rng):
    """A random value of a graph's input, half of it extremes."""
    info = np.iinfo(DTYPES[tensor.type])
    x = rng.integers(info.min, info.max + 1, tensor.shape)
    edges = rng.choice([info.min, info.min + 1, -1, 0, 1, info.max], tensor.shape)
    return np.where(rng.random(tensor.shape) < 0.5, edges, x).astype(DTYPES[tensor.type])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "-".join(map(str, s.values())))
def test_every_variant_is_bit_exact_over_calls_and_a_reset(shape):
    model = quantized(float_model(3, units=7, **shape), window=6)
    files = {variant.name: emit(model, variant) for variant in variants(model)}
    rng = np.random.default_rng(0)
    cases = []
    for tflite in files.values():
        reference = Interpreter(tflite)
        calls = [[inputs(tensor, rng) for tensor in reference.inputs] for _ in range(6)]
        outputs = len(reference.outputs)
        cases.append(Case(tflite=tflite, calls=calls, outputs=outputs, resets={4}))
    for name, case, expected in zip(files, cases, tflm(cases), strict=True):
        reference = Interpreter(case.tflite)
        for step, (call, wanted) in enumerate(zip(case.calls, expected, strict=True)):
            if step in case.resets:
                reference.reset()
            for got, want in zip(reference.invoke(call), wanted, strict=True):
                assert got.dtype == want.dtype
                assert np.array_equal(got, want), (name, step)


def small():
    return quantized(float_model(1, units=4), window=6)


def test_windows_start_from_a_zero_state():
    tflite = emit(quantized(float_model(1, units=4, cells=("lstm",)), window=6))
    x = np.random.default_rng(0).integers(-32768, 32768, (5, 6, 3)).astype(np.int16)
    assert np.array_equal(run(tflite, x)[::-1], run(tflite, x[::-1]))


@pytest.mark.parametrize("state", ["io", "variables"])
def test_a_stream_is_its_steps_one_after_another(state):
    """Both kinds of state give the same scores."""
    model = small()
    (variant,) = [v for v in variants(model)
                  if (v.form, v.state, v.precision) == ("stream", state, "16x8")]  # fmt: skip
    (other,) = [v for v in variants(model)
                if (v.form, v.precision) == ("stream", "16x8") and v.state != state]  # fmt: skip
    x = np.random.default_rng(0).integers(-32768, 32768, (2, 9, 3)).astype(np.int16)
    y = run(emit(model, variant), x)
    assert y.shape[:2] == (2, 9)
    assert np.array_equal(y, run(emit(model, other), x))
    assert np.array_equal(y[:, :4], run(emit(model, variant), x[:, :4]))


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("sequences", [False, True])
def test_windows_and_streams_run_as_the_verifier_runs_them(cell, sequences):
    model = quantized(float_model(2, units=5, cells=(cell,), sequences=sequences), window=6)
    rng = np.random.default_rng(0)
    for variant in variants(model):
        tflite = emit(model, variant)
        kind = DTYPES[Interpreter(tflite).inputs[0].type]
        x = rng.integers(np.iinfo(kind).min, np.iinfo(kind).max + 1, (3, 6, 3)).astype(kind)
        expected = run_tflm(tflite, x, 1 << 20)
        got = run(tflite, x)
        assert got.shape == expected.shape, variant
        assert np.array_equal(got, expected), variant


def test_no_windows_give_no_scores():
    assert run(emit(small()), np.zeros((0, 6, 3), np.int16)).shape == (0, 4)


def test_what_does_not_fit_is_refused():
    tflite = emit(small())
    with pytest.raises(ModelError, match=r"input 'x' is int16 \(1, 5, 3\); the model takes int16"):
        run(tflite, np.zeros((1, 5, 3), np.int16))
    with pytest.raises(ModelError, match="expected \\(N, T, C\\)"):
        run(tflite, np.zeros((6, 3), np.int16))
    with pytest.raises(ModelError, match="float64"):
        run(tflite, np.zeros((1, 6, 3)))


def test_a_file_is_read_as_it_was_written():
    x = T(type="INT8", shape=(1, 3), scale=0.5, zero=-7, name="samples")
    data = [[1, -2, 3], [-128, 0, 127]]
    w = T(type="INT8", shape=(2, 3), scale=[0.25, 0.125], data=data)
    b = T(type="INT32", shape=(2,), scale=[0.125, 0.0625], data=[70_000, -70_000])
    y = T(type="INT8", shape=(1, 2), scale=1.0)
    options = {"fusedActivationFunction": 1}
    file = read(one("FULLY_CONNECTED", [x, w, b], [y], "FullyConnectedOptions", **options))
    (graph,), (op,) = file.subgraphs, file.subgraphs[0].operators
    found = [graph.tensors[i] for i in (*op.inputs, *op.outputs)]
    assert (op.name, op.custom, op.version, op.inputs) == ("FULLY_CONNECTED", False, 1, (0, 1, 2))
    assert op.options["fusedActivationFunction"] == "RELU"
    assert (graph.inputs, graph.outputs) == ((0,), (3,))
    assert [t.name for t in found] == ["samples", "t1", "t2", "t3"]
    assert [t.shape for t in found] == [(1, 3), (2, 3), (2,), (1, 2)]
    assert [t.type for t in found] == ["INT8", "INT8", "INT32", "INT8"]
    assert [t.quantization.scale for t in found] == [(0.5,), (0.25, 0.125), (0.125, 0.0625), (1,)]
    assert found[0].zero_point == -7
    assert np.array_equal(file.constant(found[1]), data)
    assert np.array_equal(file.constant(found[2]), [70_000, -70_000])
    assert file.constant(found[0]) is None


def test_a_subgraph_that_calls_itself_is_refused():
    """`run` would never come back."""
    i = T(type="INT32", shape=(1,))
    loop = Op(name="WHILE", inputs=[0], outputs=[1], options="WhileOptions",
              values={"condSubgraphIndex": 1, "bodySubgraphIndex": 0})  # fmt: skip
    graph = G(tensors=[i, i], inputs=[0], outputs=[1], operators=[loop])
    with pytest.raises(ModelError, match="a subgraph that calls itself"):
        read(pack(graph, G(tensors=[i], inputs=[0], outputs=[0], operators=[])))


def test_an_operator_whose_shapes_do_not_fit_is_one_line():
    x, y = T(type="INT8", shape=(1, 4), scale=0.5), T(type="INT8", shape=(5,), scale=0.5)
    model = Interpreter(one("RESHAPE", [x], [y]))
    with pytest.raises(ModelError, match="RESHAPE: inputs, options or shapes do not fit"):
        model.invoke([np.zeros((1, 4), np.int8)])
