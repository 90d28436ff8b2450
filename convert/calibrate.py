"""The input's range, from real windows."""

import numpy as np

from rnnedge.arrays import F64

_LIMITS_PER_OCTAVE = 4
_OCTAVES = 5
_HEADROOM = 1.25


def input_limit(normalised: F64, bits: int) -> float:
    """Return the largest normalised magnitude that the input should hold.

    With 8 bits, the limit of the least squared error over `normalised`: a few far values may
    saturate where that serves all the others better. Tried are the largest magnitude and fractions
    of it, four an octave. With 16 bits there is room: a quarter more than the largest magnitude.

    Args:
        normalised: float64 (windows, steps, channels), calibration windows as the model sees them.
        bits: 8 or 16, what the first layer reads.
    """
    peak = float(np.abs(normalised).max())
    if peak == 0:
        return 1.0
    if bits == 16:
        return _HEADROOM * peak
    limits = [peak * 2.0 ** (-i / _LIMITS_PER_OCTAVE) for i in range(_OCTAVES * _LIMITS_PER_OCTAVE)]

    def error(limit: float) -> float:
        step = limit / 128
        held = np.clip(np.floor(normalised / step + 0.5), -128, 127) * step
        return float(np.mean((held - normalised) ** 2))

    return float(min(limits, key=error))
