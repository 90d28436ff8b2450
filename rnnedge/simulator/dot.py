"""Exact integer matrix products through floating-point BLAS."""

import numpy as np

from rnnedge.arrays import F64, I8, I64


class Dot:
    """The exact sums ``W @ v`` of int8 rows, for many vectors at once.

    NumPy has no fast integer product. A float64 product is exact here in any order of summation:
    every partial sum is an integer below 2**31 (docs/arithmetic.md, section 9), far below 2**53.

    Calling it takes integer values (vectors, columns) and returns int64 (vectors, rows).
    """

    def __init__(self, W: I8) -> None:
        self._W: F64 = W.T.astype(np.float64)

    def __call__(self, v: I64) -> I64:
        """Return v @ W.T, exactly."""
        return (v.astype(np.float64) @ self._W).astype(np.int64)
