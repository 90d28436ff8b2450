"""The input's range and width, from real windows."""

import numpy as np

from rnnedge.arrays import F32, F64
from rnnedge.convert.floatmodel import FloatModel
from rnnedge.convert.quantize import InputRange
from rnnedge.errors import DataError

_LIMITS_PER_OCTAVE = 4
_OCTAVES = 5


def input_limit(normalised: F64) -> float:
    """Return the limit that quantises `normalised` to 8 bits with the least squared error.

    A few far values may saturate where that serves all the others better. Tried are the largest
    magnitude and fractions of it, four an octave.
    """
    peak = float(np.abs(normalised).max())
    if peak == 0:
        return 1.0
    limits = [peak * 2.0 ** (-i / _LIMITS_PER_OCTAVE) for i in range(_OCTAVES * _LIMITS_PER_OCTAVE)]

    def error(limit: float) -> float:
        step = limit / 128
        held = np.clip(np.floor(normalised / step + 0.5), -128, 127) * step
        return float(np.mean((held - normalised) ** 2))

    return float(min(limits, key=error))


def normalised_windows(model: FloatModel, raw: F32) -> F64:
    """Return the calibration windows as the first layer sees them in float.

    Raises:
        DataError: no window, or values that are not finite.
    """
    if raw.size == 0 or not np.isfinite(raw).all():
        raise DataError("calibration needs at least one window of finite values")
    return model.normalise(raw.astype(np.float64))


def choose_bits(normalised: F64, limit: float) -> int:
    """Return 8, or 16 where 8 bits would blur a channel.

    A channel is blurred if one 8-bit step exceeds a fifth of its typical change between steps
    (slow sensors), so that the network would see stairs instead of the signal's slope.
    """
    step = limit / 128
    change = np.sqrt(np.mean(np.diff(normalised, axis=1) ** 2, axis=(0, 1)))
    return 16 if bool((change < 5 * step).any()) else 8


def calibrate(model: FloatModel, raw: F32, bits: int | None = None) -> InputRange:
    """Choose how the input is held.

    Args:
        model: float model, for the normalisation.
        raw: float32 (windows, steps, channels) of the training part, raw units.
        bits: 8 or 16 to fix the width.
    """
    normalised = normalised_windows(model, raw)
    limit = input_limit(normalised)
    return InputRange(limit=limit, bits=bits or choose_bits(normalised, limit))
