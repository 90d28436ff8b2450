"""Free steps, starts and encoders, against Python's own integers."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.errors import DataError, ModelError
from rnnedge.simulator import (
    Machine,
    feedback,
    first_state,
    quantize,
    run_free,
    simulate,
    step_scores,
)
from rnnedge.spec import EmbeddingLayer, FeedbackLayer, QuantizedModel
from tests.models import CELLS, float_model, quantized
from tests.taskmodels import GENERATING, task_data, task_model, task_models

WINDOWS, STEPS, FREE = 3, 6, 5


def back_by_hand(model: QuantizedModel, scores: list[int]) -> list[int]:
    """The input of a free step, one number after the other."""
    back = model.feedback
    if back is None:
        assert isinstance(model.input, EmbeddingLayer)
        best = scores.index(max(scores))  # the first of equals
        return [256 * int(weight) for weight in model.input.table[best]]
    maps = zip(back.source, back.multiplier, back.offset, back.shift, strict=True)
    values = [(scores[int(i)] * int(m) + int(o)) >> int(s) for i, m, o, s in maps]
    return [min(max(value, -32768), 32767) for value in values]


@given(task_models(GENERATING))
def test_a_free_step_takes_what_the_scores_before_say(model: QuantizedModel) -> None:
    data = task_data(model, 1, WINDOWS, STEPS)
    x = quantize(model.input, data.raw)
    found = run_free(model, FREE, x=x, features=data.features, encoder_raw=data.encoder)
    assert found.scores.shape == (WINDOWS, 1 + FREE, model.outputs)
    for window in range(WINDOWS):
        for step in range(FREE):
            scores = found.scores[window, step].tolist()
            assert found.x[window, step].tolist() == back_by_hand(model, scores)
    # the same steps, fed, from the same state
    first = first_state(model, data.features, data.encoder, windows=WINDOWS)
    again = simulate(model, np.concatenate([x, found.x], axis=1), first)
    encoded = 0 if data.encoder is None else data.encoder.shape[1]
    assert found.states.shape[1] == encoded + STEPS + FREE
    assert np.array_equal(again.states, found.states[:, encoded:])
    assert np.array_equal(again.scores, found.scores[:, -1])
    if encoded:
        assert np.array_equal(found.states[:, encoded - 1], first)


def test_feedback_rounds_by_its_offset_and_holds_the_largest_products() -> None:
    def fed(scores: list[int], multiplier: int, offset: int, shift: int) -> list[int]:
        back = FeedbackLayer(
            source=np.array([0]),
            multiplier=np.array([multiplier]),
            offset=np.array([offset]),
            shift=np.array([shift]),
        )
        model = dataclasses.replace(task_model(1, "generate", channels=1), feedback=back)
        return feedback(model, np.array(scores, np.int32)[:, None])[:, 0].tolist()

    assert fed([-3, -2, -1, 0, 1, 2, 3], 3, 2, 2) == [-2, -1, -1, 0, 1, 2, 2]
    largest = 2**30 - 1
    assert fed([largest, -largest], 1 << 30, (1 << 61) - 1, 62) == [0, 0]
    assert fed([largest, -largest], 1 << 30, 1 - (1 << 61), 60) == [-2, -3]
    assert fed([40000, -40000], 1, 0, 0) == [32767, -32768]


@pytest.mark.parametrize("kind", GENERATING)
def test_the_first_free_step_behind_a_start_takes_zero(kind: str) -> None:
    model = task_model(3, kind)
    data = task_data(model, 1, WINDOWS, STEPS)
    found = run_free(model, 2, features=data.features, encoder_raw=data.encoder, windows=WINDOWS)
    assert not found.x[:, 0].any()
    assert found.x[:, 1].any()
    assert found.scores.shape == (WINDOWS, 2, model.outputs)


def test_of_equal_scores_the_first_one_counts() -> None:
    model = task_model(1, "next", rows=4)
    assert isinstance(model.input, EmbeddingLayer)
    got = feedback(model, np.array([[3, 7, 7, 1]], np.int32))
    assert np.array_equal(got[0], model.input.table[1].astype(int) * 256)


@given(st.integers(0, 2**32 - 1), st.sampled_from(CELLS))
def test_a_start_is_a_dense_layer_that_saturates(seed: int, cell: str) -> None:
    model = task_model(seed, "start", cells=(cell,), units=5)
    data = task_data(model, seed, WINDOWS, 1)
    start = model.start
    assert start is not None
    assert data.features is not None
    x = quantize(start.input, data.features)
    expected = []
    for sample in x.tolist():
        for row, bias, scale in zip(
            start.dense.W.tolist(), start.dense.bias, start.dense.multiplier, strict=True
        ):
            acc = sum(w * v for w, v in zip(row, sample, strict=True)) + int(bias)
            expected.append(min(max((acc * int(scale)) >> 16, -32768), 32767))
    got = first_state(model, data.features)
    assert got.dtype == np.int16
    assert got.reshape(-1).tolist() == expected


def test_starts_reach_both_limits() -> None:
    model = task_model(2, "start", units=16)
    features = np.array([[1e6, 1e6], [-1e6, 1e6], [1e6, -1e6], [0, 0]], np.float32)
    got = first_state(model, features)
    assert got.min() == -32768
    assert got.max() == 32767


@pytest.mark.parametrize("kind", ["translate", "reply"])
def test_an_encoder_leaves_its_last_state(kind: str) -> None:
    model = task_model(4, kind, cells=("gru", "lstm"))
    data = task_data(model, 1, WINDOWS, STEPS, encoder_steps=7)
    assert model.encoder is not None
    assert data.encoder is not None
    encoded = simulate(model.encoder, quantize(model.encoder.input, data.encoder))
    assert encoded.scores.shape == (WINDOWS, 0)
    first = first_state(model, None, data.encoder)
    assert np.array_equal(first, encoded.states[:, -1])
    x = quantize(model.input, data.raw)
    assert not np.array_equal(step_scores(model, x, first), step_scores(model, x))
    assert np.array_equal(step_scores(model, x, first)[:, -1], simulate(model, x, first).scores)


def test_single_steps_are_those_of_a_window() -> None:
    model = quantized(float_model(5, cells=("lstm", "rnn_relu", "gru"), hidden=(4,)))
    x = np.random.default_rng(1).integers(-9000, 9000, size=(4, 9, 3)).astype(np.int16)
    machine, expected = Machine(model), simulate(model, x)
    state = np.zeros((4, model.state_size), np.int16)
    for t in range(9):
        state = machine.step(state, x[:, t])
        assert np.array_equal(state, expected.states[:, t])
    assert np.array_equal(machine.scores(state), expected.scores)


def test_what_a_model_does_not_have_is_named() -> None:
    plain = quantized(float_model(1))
    with pytest.raises(ModelError, match=r"task classify.*cannot run freely"):
        run_free(plain, 1)
    with pytest.raises(ModelError, match="starts from no features"):
        first_state(plain, [[1.0]])
    with pytest.raises(ModelError, match="has no encoder"):
        first_state(plain, None, np.zeros((1, 2, 3)))
    both = quantized(float_model(1, bidirectional=True))
    with pytest.raises(ModelError, match="whole windows"):
        Machine(both)
    with pytest.raises(ModelError, match="first states"):
        simulate(both, np.zeros((1, 16, 3), np.int16), np.zeros((1, 0), np.int16))
    started = task_model(1, "start")
    with pytest.raises(ModelError, match=r"shape \(1, 3\).*starts from 2: f0, f1"):
        first_state(started, [[1.0, 2.0, 3.0]])
    with pytest.raises(DataError, match="NaN"):
        first_state(started, [[1.0, float("nan")]])
    with pytest.raises(ModelError, match="an encoder reads"):
        first_state(task_model(1, "translate"), None, np.zeros((2, 0, 4)))


def test_ids_are_rows_of_the_table() -> None:
    layer = task_model(1, "next", rows=9, channels=4).input
    assert isinstance(layer, EmbeddingLayer)
    got = quantize(layer, np.arange(9).reshape(3, 3, 1))
    assert got.dtype == np.int16
    assert np.array_equal(got.reshape(9, 4), layer.table.astype(int) * 256)
    for wrong in (-1, 9, 0.5, float("nan"), float("inf"), -0.001, 2.0**40):
        with pytest.raises(DataError, match=r"is no id, a whole number of 0 to 8"):
            quantize(layer, np.array([[0.0], [wrong]]))
    with pytest.raises(DataError, match=r"one number.*\(2, 4\)"):
        quantize(layer, np.zeros((2, 4)))
