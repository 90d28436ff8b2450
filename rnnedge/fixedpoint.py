"""The integer primitives of docs/arithmetic.md in NumPy, one function for each of fixed.h.

All functions work element by element on int64 arrays that hold values of the stated range, and
return int64; int64 holds every intermediate of the definitions exactly.
"""

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I16, I64

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


def mul_q15(a: I64, b: I64) -> I64:
    """Return ``a * b / 2**15`` rounded half up, for |a| <= 2**15 and |b| < 2**16.

    >>> mul_q15(np.array([16384, 32767]), np.array([3, -1]))
    array([ 2, -1])
    """
    return (a * b + (1 << 14)) >> 15


def scale(acc: I64, m: npt.NDArray[np.integer], s: int) -> I64:
    """Return ``(acc * m) >> s``; the bias inside `acc` carries the rounding half.

    >>> scale(np.array([-3, 3]), np.array([20000]), 16)
    array([-1,  0])
    """
    return (acc * m.astype(np.int64)) >> s


def requant(acc: I64, m: npt.NDArray[np.integer], s: int) -> I64:
    """Turn an accumulator into a Q3.12 pre-activation, saturated to int16."""
    return sat16(scale(acc, m, s))


def lookup(table: I16, p: I64) -> I64:
    """Interpolate a 257-entry Q0.15 `table` at Q3.12 `p`, rounded half up."""
    t = table.astype(np.int64)
    i, f = (p >> 8) + 128, p & 255
    result: I64 = ((t[i] << 8) + (t[i + 1] - t[i]) * f + 128) >> 8
    return result


def shl(v: I64, n: int) -> I64:
    """Shift left by `n`, or right (towards minus infinity) by ``-n`` if `n` is negative."""
    return v << n if n >= 0 else v >> -n
