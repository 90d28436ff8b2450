"""The integer primitives of docs/arithmetic.md in NumPy, one function for each of fixed.h.

All functions work element by element on int64 arrays that hold values of the stated range, and
return int64; int64 holds every intermediate of the definitions exactly.
"""

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I64

FIXED_LIMIT = 1 << 30
"""Bound of the fixed-point form of a raw sensor value."""


def sat16(v: I64) -> I64:
    """Limit `v` to the range of int16.

    >>> sat16(np.array([-40000, 5, 40000]))
    array([-32768,      5,  32767])
    """
    return np.asarray(np.clip(v, -32768, 32767), dtype=np.int64)


def narrow(v: I64) -> I64:
    """Return the top byte of int16 `v`, rounded half up, limited to -128..127.

    >>> narrow(np.array([-32768, 127, 128, 32767]))
    array([-128,    0,    1,  127])
    """
    return np.asarray(np.clip((v + 128) >> 8, -128, 127), dtype=np.int64)


def preactivation(acc: I64, m: npt.NDArray[np.integer], y: int) -> I64:
    """Multiply accumulators, shifted right by `y`, with their rows' 8-bit multipliers.

    >>> preactivation(np.array([-3, 300]), np.array([20, 255]), 1)
    array([  -40, 38250])
    """
    return (acc >> y) * m.astype(np.int64)


def reset(acc: I64, t: I64) -> I64:
    """Return ``acc * (1 + t) / 2`` for t in Q0.15; both halves truncated."""
    return (acc >> 1) + ((acc * t) >> 16)


def blend(h: I64, n: I64, t: I64) -> I64:
    """Return ``h + (n - h)(1 - t) / 2`` for t in Q0.15, rounded half up; between h and n.

    >>> blend(np.array([100]), np.array([-20000]), np.array([32767]))
    array([100])
    """
    return ((h << 16) + (32768 - t) * (n - h) + (1 << 15)) >> 16


def gate(v: I64, t: I64) -> I64:
    """Return ``v * (1 + t) / 2`` for t in Q0.15, rounded half up."""
    return (v * (32768 + t) + (1 << 15)) >> 16


def half(t: I64) -> I64:
    """Return the gate ``(1 + t) / 2`` in Q0.15, 0..32767."""
    return (32768 + t) >> 1


def scale(acc: I64, m: npt.NDArray[np.integer]) -> I64:
    """Return ``(acc * m) >> 16``; the bias inside `acc` carries the rounding half.

    >>> scale(np.array([-3, 3]), np.array([20000]))
    array([-1,  0])
    """
    return (acc * m.astype(np.int64)) >> 16
