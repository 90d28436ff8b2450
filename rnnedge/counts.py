"""A sensor's integers as the model's input: one integer map for each channel.

``x = sat16((count * multiplier + offset) >> shift)`` in int64, for int16 counts: what the float
path gives for ``count / counts_per_unit``, to half an input step and 2**-9 of one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rnnedge.arrays import I32, I64, frozen
from rnnedge.errors import RangeError
from rnnedge.spec import EmbeddingLayer, InputLayer

_MULTIPLIER_BITS = 29  # the multiplier is 2^29..2^30: it errs by 2^-15 of a step over the range
_MAX_SHIFT = 46  # |offset| < 2^62
_MAX_GAIN = 1 << 20  # input steps of a count: the shift stays at 9 or more
_LOWEST, _HIGHEST = -32768, 32767


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountsMap:
    """How counts of each channel become its int16 input.

    Attributes:
        counts_per_unit: of each channel, as it was given; None: not given, 1 is taken.
        multiplier: int32 (channels,), not 0; 0: not given, and 1 cannot be resolved.
        offset: int64 (channels,), rounding half included, below 2**62.
        shift: int32 (channels,), 0..46.
    """

    counts_per_unit: tuple[float, ...] | None
    multiplier: I32
    offset: I64
    shift: I32


def counts_map(
    layer: InputLayer | EmbeddingLayer,
    channels: Sequence[str],
    counts_per_unit: Sequence[float] | None = None,
) -> CountsMap:
    """Derive the map of every channel, exactly; of ids: one that the device refuses.

    Args:
        layer: the model's input layer.
        channels: their names.
        counts_per_unit: one for all channels, or one for each; negative where the sensor counts the
            other way. None: the training data are counts.

    Raises:
        RangeError: not one for each channel, or no int16 count of a channel can be told from
            another; names the channel. Or the model takes ids, and counts per unit are given.
    """
    if isinstance(layer, EmbeddingLayer):
        if counts_per_unit is not None:
            raise RangeError("the model takes ids, which are no counts of a sensor; leave them out")
        nothing = np.zeros(layer.channels, np.int64)
        return CountsMap(
            counts_per_unit=None,
            multiplier=frozen(nothing, np.int32),
            offset=frozen(nothing, np.int64),
            shift=frozen(nothing, np.int32),
        )
    given = None if counts_per_unit is None else tuple(map(float, counts_per_unit))
    if given is not None and len(given) == 1:
        given *= len(channels)
    if given is not None and len(given) != len(channels):
        raise RangeError(
            f"{len(given)} counts per unit for {len(channels)} channels; give one for all, or one "
            f"for each of {', '.join(channels)}"
        )
    maps = []
    for i, name in enumerate(channels):
        mean, std = float(layer.mean[i]), float(layer.std[i])
        per_unit = 1.0 if given is None else given[i]
        found = _channel(mean, std, layer.limit, per_unit)
        if found is None and given is not None:
            raise RangeError(
                f"channel {name!r}: {per_unit:g} counts per unit cannot be resolved in int16; the "
                f"training data has mean {mean:g} and standard deviation {std:g} in this unit"
            )
        maps.append(found or (0, 0, 0))
    columns = list(zip(*maps, strict=True))
    return CountsMap(
        counts_per_unit=given,
        multiplier=frozen(np.array(columns[0]), np.int32),
        offset=frozen(np.array(columns[1], dtype=np.int64), np.int64),
        shift=frozen(np.array(columns[2]), np.int32),
    )


def _channel(mean: float, std: float, limit: float, per_unit: float) -> tuple[int, int, int] | None:
    """Return multiplier, offset and shift of one channel; None: it cannot be resolved."""
    if not math.isfinite(per_unit) or per_unit == 0:
        return None
    gain = (1 << 15) / (Fraction(per_unit) * Fraction(std) * Fraction(limit))  # steps per count
    if abs(gain) > _MAX_GAIN:
        return None
    shift = min(_MAX_SHIFT, _MULTIPLIER_BITS - _floor_log2(abs(gain)))
    multiplier = round(gain * (1 << shift))
    # what the multiplier's rounding takes is made good at the mean, where most values are
    exact = Fraction(1 << shift, 2) - Fraction(mean) * Fraction(per_unit) * multiplier
    offset = math.floor(exact + Fraction(1, 2))
    ends = [
        min(max((count * multiplier + offset) >> shift, _LOWEST), _HIGHEST)
        for count in (_LOWEST, _HIGHEST)
    ]
    return None if ends[0] == ends[1] else (multiplier, offset, shift)


def _floor_log2(value: Fraction) -> int:
    """Return the integer part of a positive number's binary logarithm, exactly."""
    guess = value.numerator.bit_length() - value.denominator.bit_length()
    return guess if Fraction(2) ** guess <= value else guess - 1
