"""The primitives against rational numbers."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.errors import ModelError
from rnnedge.tflmath.fixedpoint import (
    activation_range,
    is_power_of_two,
    multiply,
    multiply_wide,
    quantize_multiplier,
    rounding_shift,
    smaller_than_one,
    wrap32,
)

INT32 = st.integers(-(1 << 31), (1 << 31) - 1)


def away(x: Fraction) -> int:
    """Round half away from zero."""
    whole = int(abs(x) + Fraction(1, 2))
    return whole if x >= 0 else -whole


def up(x: Fraction) -> int:
    """Round half up."""
    return (x + Fraction(1, 2)).__floor__()


@given(INT32, st.integers(0, 31))
def test_a_rounding_shift_rounds_half_away_from_zero(x, bits):
    assert rounding_shift(np.int64(x), bits) == away(Fraction(x, 2**bits))


@given(INT32, st.integers(1 << 30, (1 << 31) - 1), st.integers(-31, 0))
def test_multiply_rounds_twice(x, mantissa, shift):
    """Half up, then half away from zero."""
    first = up(Fraction(x * mantissa, 2**31))
    assert multiply(np.int64(x), mantissa, shift) == away(Fraction(first, 2**-shift))


@given(st.integers(-(1 << 20), 1 << 20), st.integers(1 << 30, (1 << 31) - 1), st.integers(0, 10))
def test_multiply_shifts_left_first(x, mantissa, shift):
    assert multiply(np.int64(x), mantissa, shift) == up(Fraction(x * 2**shift * mantissa, 2**31))


@given(st.integers(-(1 << 40), 1 << 40), st.integers(1 << 30, 0x7FFEFFFF), st.integers(-31, -10))
def test_multiply_wide_keeps_15_bits_and_rounds_half_up(x, mantissa, shift):
    narrow = (mantissa + (1 << 15)) >> 16
    expected = up(Fraction(x * narrow, 2 ** (15 - shift)))
    assert multiply_wide(np.int64(x), mantissa, shift) == expected


@given(st.floats(2.0**-31, 2.0**20))
def test_a_quantised_multiplier_is_right_to_31_bits(real):
    mantissa, shift = quantize_multiplier(real)
    assert 1 << 30 <= mantissa < 1 << 31
    assert abs(mantissa * 2.0 ** (shift - 31) / real - 1) <= 2.0**-31


def test_edges_of_multipliers():
    assert quantize_multiplier(0.0) == (0, 0)
    assert quantize_multiplier(1 - 2.0**-40) == (1 << 30, 1)  # rounds up to 1
    assert quantize_multiplier(2.0**-31) == (1 << 30, -30)
    assert quantize_multiplier(2.0**-32) == (1 << 30, -31)
    assert quantize_multiplier(2.0**-33) == (0, 0)  # all bits would be shifted out
    for bad in (-1.0, float("inf"), float("nan")):
        with pytest.raises(ModelError, match="the scales are damaged"):
            quantize_multiplier(bad)
    for bad in (0.0, 1.0):
        with pytest.raises(ModelError, match="the kernels need 0 to 1"):
            smaller_than_one(bad)


@given(st.integers(-(1 << 40), 1 << 40))
def test_wrap32_is_what_int32_holds(x):
    assert wrap32(x) == np.array(x, np.int64).astype(np.int32)


def test_fused_activations():
    assert activation_range("NONE", 0.1, 3, "INT8") == (-128, 127)
    assert activation_range("RELU", 0.1, 3, "INT8") == (3, 127)
    assert activation_range("RELU6", 0.1, 3, "INT8") == (3, 63)
    assert activation_range("RELU6", 0.01, 3, "INT8") == (3, 127)
    assert activation_range("RELU_N1_TO_1", 0.1, 3, "INT8") == (-7, 13)
    with pytest.raises(ModelError, match="TANH has no quantised kernel"):
        activation_range("TANH", 0.1, 0, "INT8")


def test_powers_of_two_are_known_with_a_tolerance():
    assert is_power_of_two(2.0**-15) == (True, -15)
    assert is_power_of_two(2.0**-15 * 1.0005) == (True, -15)
    assert is_power_of_two(2.0**-15 * 1.001)[0] is False
