"""Sigmoid and tanh as TensorFlow Lite's integer kernels compute them.

int16: a table of 256 values of the sigmoid with linear interpolation. int8: gemmlowp's fixed-point
exponential and Newton-Raphson division in 32 bits.
"""

import math

import numpy as np

from rnnedge.arrays import I64
from rnnedge.errors import ModelError
from rnnedge.tflmath.fixedpoint import (
    doubling_high,
    is_power_of_two,
    multiply,
    round_away,
    rounding_shift,
    wrap32,
)


def _table() -> I64:
    """Return the sigmoid of i/24, Q0.16: 256 points that are joined by straight lines.

    The chords lie below the curve; each point is raised by half of what they miss at most,
    ``h**2 / 16 * |sigmoid''|``. The last point is where the kernels saturate.
    """
    step = 1 / 24
    y = 1 / (1 + np.exp(-step * np.arange(256)))
    raised = y + step**2 / 16 * y * (1 - y) * (2 * y - 1)
    table: I64 = np.floor(65536 * raised + 0.5).astype(np.int64)
    table[-1] = 65535
    return table


_TABLE = _table()
_GATE = -15  # log2 of the scale that int16 outputs have
_ONE = (1 << 31) - 1  # of Q0.31
_INTEGER_BITS = 4  # of the int8 kernels' arguments


def sigmoid16(x: I64, multiplier: int, left_shift: int) -> I64:
    """Return the int16 sigmoid, Q0.15.

    Args:
        x: int16.
        multiplier: of `argument16`; the table's argument is ``x * multiplier / 2**left_shift``
            in units of 1/(3 * 4096).
        left_shift: of `argument16`.
    """
    argument = _argument(x, multiplier, left_shift)
    size = np.abs(argument)
    index = np.minimum(size >> 9, 254)
    low, high = _TABLE[index], _TABLE[index + 1]
    result = np.where(size >> 9 >= 255, 0x7FFF << 10, (low << 9) + (size & 0x1FF) * (high - low))
    result = np.where(argument >= 0, result + (1 << 9), (1 << 25) - result + (1 << 9) - 1)
    return np.asarray(result >> 10, np.int64)


def tanh16(x: I64, multiplier: int, left_shift: int) -> I64:
    """Return the int16 hyperbolic tangent, Q0.15: ``2 * sigmoid(2 * x) - 1``.

    Args:
        x: int16.
        multiplier: see `sigmoid16`.
        left_shift: see `sigmoid16`.
    """
    argument = _argument(x, multiplier, left_shift)
    size = np.abs(argument)
    index = np.minimum(size >> 8, 254)
    low, high = _TABLE[index], _TABLE[index + 1]
    result = np.where(size >> 8 >= 255, 0xFFFF << 8, (low << 8) + (size & 0xFF) * (high - low))
    half = (1 << 7) + np.where(argument >= 0, 0, -1)
    centred = result - (1 << 23)
    return np.asarray((np.where(argument >= 0, centred, -centred) + half) >> 8, np.int64)


def argument16(scale: float, powers: tuple[int, ...]) -> tuple[int, int]:
    """Return (multiplier, left shift) of an int16 kernel's argument.

    Args:
        scale: of the input.
        powers: shifts for which the kernel takes a power-of-two scale as it is.
    """
    power, log = is_power_of_two(scale)
    shift = 12 + log
    if power and shift in powers:
        return 0, shift
    multiplier, shift = float(np.float32(scale)) * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and shift <= 30:
        multiplier, shift = multiplier * 2.0, shift + 1
    return int(multiplier), shift


def check_gate(scale: float) -> None:
    """Refuse an int16 output whose scale is not 2**-15.

    Raises:
        ModelError: the interpreter refuses the model.
    """
    if is_power_of_two(scale) != (True, _GATE):
        raise ModelError(f"an int16 sigmoid or tanh has the output scale {scale:g}, not 2**-15")


def _argument(x: I64, multiplier: int, left_shift: int) -> I64:
    if multiplier == 0:  # a power of two
        multiplier, left_shift = 3 << left_shift, 0
    half = 1 << (left_shift - 1) if left_shift > 0 else 0
    return np.asarray((wrap32(x * multiplier) + half) >> left_shift, np.int64)


def sigmoid8(x: I64, scale: float, zero_point: int) -> I64:
    """Return the int8 sigmoid: scale 2**-8, zero point -128."""
    argument, inside, above = _argument8(x, scale, zero_point)
    wide = _logistic(argument)
    narrow = np.clip(rounding_shift(wide, 23) - 128, -128, 127)
    return np.asarray(np.where(inside, narrow, np.where(above, 127, -128)), np.int64)


def tanh8(x: I64, scale: float, zero_point: int) -> I64:
    """Return the int8 hyperbolic tangent: scale 2**-7, zero point 0."""
    argument, inside, above = _argument8(x, scale, zero_point)
    wide = _tanh(argument)
    narrow = np.clip(rounding_shift(wide, 24), -128, 127)
    return np.asarray(np.where(inside, narrow, np.where(above, 127, -128)), np.int64)


def _argument8(x: I64, scale: float, zero_point: int) -> tuple[I64, I64, I64]:
    """Return the argument, Q4.27, where it is inside the kernel's range, and where above."""
    fraction, shift = math.frexp(float(np.float32(scale)) * 2.0 ** (31 - _INTEGER_BITS))
    mantissa = int(wrap32(round_away(fraction * 2.0**31)))
    whole = ((1 << _INTEGER_BITS) - 1) * 2.0 ** (31 - _INTEGER_BITS)
    radius = math.floor(whole / 2.0**shift)
    centred = x - zero_point
    inside = np.abs(centred) < radius
    argument = multiply(np.where(inside, centred, 0), mantissa, shift)
    return argument, inside.astype(np.int64), (centred >= radius).astype(np.int64)


# gemmlowp's fixed-point functions. Names end in the number of integer bits of their format.


def _saturating_left(x: I64, bits: int) -> I64:
    return np.asarray(np.clip(x << bits, -(1 << 31), _ONE), np.int64)


def _exp_quarter(a: I64) -> I64:
    """Return exp(a) of -1/4 <= a < 0: a Taylor polynomial around -1/8; Q0.31 in and out."""
    at_centre, third = 1895147668, 715827883  # exp(-1/8), 1/3
    x = a + (1 << 28)
    x2 = doubling_high(x, x)
    x3 = doubling_high(x2, x)
    x4 = doubling_high(x2, x2)
    tail = doubling_high(rounding_shift(x4, 2) + x3, third) + x2
    return at_centre + doubling_high(x + rounding_shift(tail, 1), at_centre)


def _exp_negative(a: I64, integer_bits: int) -> I64:
    """Return exp(a) of a <= 0, Q0.31: quarters by the polynomial, the rest by a product."""
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    rest = (a & (quarter - 1)) - quarter
    result = _exp_quarter(rest << integer_bits)
    remainder = rest - a
    for exponent in range(-2, integer_bits):
        factor = round_away(math.exp(-(2.0**exponent)) * 2.0**31)
        bit = (remainder >> (fraction_bits + exponent)) & 1
        result = np.where(bit == 1, doubling_high(result, factor), result)
    return np.where(a == 0, _ONE, result)


def _newton(a: I64) -> I64:
    """Return 1 / ((1 + a) / 2) of 0 <= a <= 1, Q2.29, by three steps of Newton and Raphson."""
    total = a + _ONE
    half = np.where(total >= 0, total + 1, total - 1) // 2
    x = 1515870810 + doubling_high(half, -1010580540)  # 48/17, -32/17
    for _ in range(3):
        error = (1 << 29) - doubling_high(half, x)
        x = x + _saturating_left(doubling_high(x, error), 2)
    return np.asarray(x, np.int64)


def _logistic(a: I64) -> I64:
    size = np.abs(a)
    positive = _saturating_left(_newton(_exp_negative(-size, _INTEGER_BITS)), 1)
    result = np.where(a > 0, positive, _ONE - positive)
    return np.asarray(np.where(a == 0, 1 << 30, result), np.int64)


def _tanh(a: I64) -> I64:
    size = np.abs(a)
    # twice the argument: the same bits with one more integer bit
    x = _newton(_exp_negative(-size, _INTEGER_BITS + 1))
    t = _saturating_left(x - (1 << 29), 2)
    return np.asarray(np.where(a == 0, 0, np.where(a < 0, -t, t)), np.int64)
