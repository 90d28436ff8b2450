"""Weights to int8: what compensated rounding gains, and what it leaves as it is."""

import numpy as np
import pytest

from rnnedge.convert.calibrate import ranges
from rnnedge.convert.quantize import quantize_layers
from rnnedge.convert.rounding import compensated, mean_products, rounded, seen
from tests.models import float_model, raw_windows


def correlated(seed, columns=20):
    """Inputs that go together, weights, scales."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(4000, 3)) @ rng.normal(size=(3, columns))
    x += 0.3 * rng.normal(size=x.shape)
    weights = rng.normal(size=(12, columns))
    return x, weights, np.abs(weights).max(axis=1) / 127


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sums_of_inputs_that_go_together_are_nearer(seed):
    x, weights, scale = correlated(seed)
    one_by_one, together = (
        np.mean((x @ (q * scale[:, None] - weights).T) ** 2)
        for q in (rounded(weights, scale), compensated(weights, scale, x.T @ x / len(x)))
    )
    assert together < 0.5 * one_by_one


def test_inputs_of_no_relation_leave_the_nearest_integers():
    _, weights, scale = correlated(1)
    assert np.array_equal(compensated(weights, scale, np.eye(20)), rounded(weights, scale))
    assert np.array_equal(compensated(weights, scale, np.zeros((20, 20))), rounded(weights, scale))


def test_integers_stay_within_127():
    x, weights, scale = correlated(4)
    found = compensated(weights, scale / 2, x.T @ x)
    assert found.dtype == np.int8
    assert (found.min(), found.max()) == (-127, 127)


def test_mean_products_are_of_the_input_and_the_state_before():
    rng = np.random.default_rng(0)
    x, h = rng.normal(size=(70, 5, 2)), rng.normal(size=(70, 5, 3))
    total = np.zeros((5, 5))
    for n in range(70):
        for t in range(5):
            v = np.concatenate([x[n, t], h[n, t - 1] if t else np.zeros(3)])
            total += np.outer(v, v)
    assert np.allclose(mean_products(x, h), total / 350)


def test_products_as_the_weights_see_them_keep_the_sum():
    x, weights, _ = correlated(5)
    each = np.r_[np.full(7, 4.0), np.ones(13)]
    squares = seen(x.T @ x, 7, 4.0)
    bigger = weights * each
    assert np.allclose(weights @ (x.T @ x) @ weights.T, bigger @ squares @ bigger.T)


@pytest.mark.parametrize("both", [False, True])
def test_calibration_feeds_it_for_every_cell(both):
    model = float_model(3, units=9, channels=3, cells=("gru", "lstm"), bidirectional=both)
    held = ranges(model, raw_windows(model, 1, 20, 12).astype(np.float64), 8)
    assert len(held.squares) == (4 if both else 2)
    plain = quantize_layers(model, type(held)(source=held.source, states=held.states))
    cells = [layer.backward if both else layer for layer in quantize_layers(model, held)[:2]]
    for cell, other in zip(cells, plain, strict=False):
        assert not np.array_equal(cell.U, (other.backward if both else other).U)
