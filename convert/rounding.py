"""Weights to int8: each rounded by itself, or such that a row's sum stays on real data.

Compensated rounding takes a row's weights one after another and spreads each one's rounding error
over those still to come, by how their inputs go together (the optimal brain surgeon's update, known
from GPTQ). The format is the same, the sum's error is half as large.
"""

import numpy as np

from rnnedge.arrays import F64, I8

MAX_WEIGHT = 127
_DAMPING = 0.01  # of the mean square, so that inputs that never move do no harm
_WINDOWS = 32  # at a time


def rounded(weights: F64, scale: F64) -> I8:
    """Return the nearest integers.

    Args:
        weights: float64 (rows, columns).
        scale: float64 (rows,), real value of one unit.

    Returns:
        int8 (rows, columns), -127..127.
    """
    steps = np.floor(weights / scale[:, None] + 0.5)
    return np.clip(steps, -MAX_WEIGHT, MAX_WEIGHT).astype(np.int8)


def compensated(weights: F64, scale: F64, squares: F64) -> I8:
    """Return integers whose rows' products with the inputs are near those of `weights`.

    Args:
        weights: float64 (rows, columns).
        scale: float64 (rows,), real value of one unit.
        squares: float64 (columns, columns), mean products of the inputs, as the weights see them.

    Returns:
        int8 (rows, columns), -127..127.
    """
    size = weights.shape[1]
    mean = float(np.trace(squares)) / size
    if not np.isfinite(mean) or mean <= 0:
        return rounded(weights, scale)
    order = np.argsort(-np.diag(squares), kind="stable")
    damped = squares[np.ix_(order, order)] + np.eye(size) * (_DAMPING * mean)
    spread = np.linalg.cholesky(np.linalg.inv(damped)).T
    left = weights[:, order] / scale[:, None]
    found = np.empty(weights.shape, np.int8)
    for place, column in enumerate(order):
        found[:, column] = rounded(left[:, [place]], np.ones(len(left)))[:, 0]
        error = (left[:, place] - found[:, column]) / spread[place, place]
        left[:, place + 1 :] -= error[:, None] * spread[place, place + 1 :]
    return found


def to_int8(weights: F64, scale: F64, squares: F64 | None) -> I8:
    """Return `compensated` weights, or `rounded` ones if nothing is known of their inputs."""
    if squares is None:
        return rounded(weights, scale)
    return compensated(weights, scale, squares)


def seen(squares: F64, inputs: int, factor: float) -> F64:
    """Return mean products as weights see them whose first `inputs` columns `factor` multiplies."""
    each = np.ones(len(squares))
    each[:inputs] /= factor
    return squares * np.outer(each, each)


def expected_error(W: F64, U: F64, factor: float, squares: F64) -> float:
    """Return what rounding costs rows with one scale for ``W * factor`` and U; to compare factors.

    Args:
        W: float64 (I, rows), input weights.
        U: float64 (H, rows), recurrent weights.
        factor: real value of the input's unit.
        squares: float64 (I + H, I + H), `mean_products`.
    """
    peak = np.maximum(np.abs(W).max(axis=0) * factor, np.abs(U).max(axis=0))
    return float(np.sum(peak**2) * np.trace(seen(squares, len(W), factor)))


def mean_products(x: F64, states: F64) -> F64:
    """Return the mean products of what a cell's rows meet: its input, and the state before.

    Args:
        x: float64 (windows, steps, I).
        states: float64 (windows, steps, H), after each step; the first step starts from zero.

    Returns:
        float64 (I + H, I + H).
    """
    before = np.concatenate([np.zeros_like(states[:, :1]), states[:, :-1]], axis=1)
    size = x.shape[2] + states.shape[2]
    total = np.zeros((size, size))
    for start in range(0, len(x), _WINDOWS):
        part = slice(start, start + _WINDOWS)
        rows = np.concatenate([x[part], before[part]], axis=2).reshape(-1, size)
        total += rows.T @ rows
    mean: F64 = total / max(x.shape[0] * x.shape[1], 1)
    return mean
