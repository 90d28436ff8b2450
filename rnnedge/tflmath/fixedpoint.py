"""The integer primitives of TensorFlow Lite's kernels: multipliers, roundings, clamps.

All functions take and give int64 arrays that hold values of the width that the kernel has; where a
kernel's own arithmetic wraps around, so does the function.
"""

import math
from typing import Any

import numpy as np

from rnnedge.arrays import I64
from rnnedge.errors import ModelError

LIMITS = {
    "INT8": (-(1 << 7), (1 << 7) - 1),
    "INT16": (-(1 << 15), (1 << 15) - 1),
    "INT32": (-(1 << 31), (1 << 31) - 1),
}
"""Smallest and largest value of a type."""
_NARROW_END = 0x7FFF0000  # multipliers from here on would round to 2**15


def wrap32(x: Any) -> I64:
    """Return `x` modulo 2**32, as int32 holds it."""
    return np.asarray(((np.asarray(x, np.int64) + (1 << 31)) & 0xFFFFFFFF) - (1 << 31), np.int64)


def round_away(x: float) -> int:
    """Round half away from zero, as C's round."""
    return math.floor(abs(x) + 0.5) * (1 if x >= 0 else -1)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Write a multiplier as ``mantissa * 2**(shift - 31)``.

    Args:
        real: >= 0.

    Returns:
        The mantissa, 2**30..2**31 - 1 or 0, and the shift, positive to the left.

    >>> quantize_multiplier(1.0)
    (1073741824, 1)
    >>> quantize_multiplier(0.75)
    (1610612736, 0)
    """
    if not 0 <= real < math.inf:
        raise ModelError(f"a quantised multiplier is {real}; the scales are damaged")
    fraction, shift = math.frexp(real)
    mantissa = round_away(fraction * 2.0**31)
    if mantissa == 1 << 31:
        mantissa, shift = 1 << 30, shift + 1
    return (mantissa, shift) if shift >= -31 else (0, 0)


def smaller_than_one(real: float) -> tuple[int, int]:
    """Return ``quantize_multiplier(real)`` where the kernels insist on 0 < real < 1.

    Raises:
        ModelError: it is not; the interpreter would end its process.
    """
    if not 0 < real < 1:
        raise ModelError(f"a multiplier of ADD or SUB is {real:g}; the kernels need 0 to 1")
    return quantize_multiplier(real)


def doubling_high(x: I64, mantissa: Any) -> I64:
    """Return ``x * mantissa / 2**31``, half rounded up; int32.

    The one product that gemmlowp saturates, of twice -2**31, does not occur here.
    """
    product = np.asarray(x, np.int64) * np.asarray(mantissa, np.int64)
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    # C's division truncates
    return np.asarray(np.where(nudged >= 0, nudged >> 31, -(-nudged >> 31)), np.int64)


def rounding_shift(x: I64, bits: Any) -> I64:
    """Return ``x / 2**bits``, half rounded away from zero; int32."""
    x, bits = np.asarray(x, np.int64), np.asarray(bits, np.int64)
    mask = (np.int64(1) << bits) - 1
    threshold = (mask >> 1) + (x < 0)
    return np.asarray((x >> bits) + ((x & mask) > threshold), np.int64)


def multiply(x: I64, mantissa: Any, shift: Any) -> I64:
    """Scale an int32 by a quantised multiplier; rounds twice, as this build of TFLM does."""
    shift = np.asarray(shift, np.int64)
    left = wrap32(np.asarray(x, np.int64) << np.maximum(shift, 0))
    return rounding_shift(doubling_high(left, mantissa), np.maximum(-shift, 0))


def multiply_wide(x: I64, mantissa: Any, shift: Any) -> I64:
    """Scale an int64 accumulator; keeps 15 bits of the multiplier, rounds half up, gives int32."""
    mantissa, right = np.asarray(mantissa, np.int64), 15 - np.asarray(shift, np.int64)
    narrow = np.where(mantissa < _NARROW_END, (mantissa + (1 << 15)) >> 16, 0x7FFF)
    return wrap32((np.asarray(x, np.int64) * narrow + (np.int64(1) << (right - 1))) >> right)


def activation_range(activation: str, scale: float, zero_point: int, kind: str) -> tuple[int, int]:
    """Return the integers between which a fused activation clamps an output of type `kind`.

    Raises:
        ModelError: no such activation in quantised kernels.
    """
    low, high = LIMITS[kind]

    def integer(real: float) -> int:
        return zero_point + round_away(float(np.float32(real) / np.float32(scale)))

    match activation:
        case "NONE":
            return low, high
        case "RELU":
            return max(low, integer(0.0)), high
        case "RELU6":
            return max(low, integer(0.0)), min(high, integer(6.0))
        case "RELU_N1_TO_1":
            return max(low, integer(-1.0)), min(high, integer(1.0))
    raise ModelError(f"a fused {activation} has no quantised kernel")


def is_power_of_two(scale: float) -> tuple[bool, int]:
    """Tell whether the kernels take `scale` for a power of two, and which."""
    log = np.log(np.float32(scale)) * (np.float32(1) / np.log(np.float32(2)))
    nearest = round_away(float(log))
    return bool(abs(np.float32(log - np.float32(nearest))) < np.float32(1e-3)), nearest
