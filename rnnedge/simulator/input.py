"""Raw sensor units to int16; firmware/src/input.c is its twin."""

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I16
from rnnedge.errors import DataError
from rnnedge.fixedpoint import FIXED_LIMIT, sat16
from rnnedge.spec import InputLayer


def quantize(layer: InputLayer, raw: npt.ArrayLike) -> I16:
    """Normalise and quantise raw values as the device does.

    Args:
        layer: the model's input layer.
        raw: (..., channels), raw units; cast to float32, as they arrive on the device.

    Returns:
        int16 of the same shape, ``round((raw - mean) / std * 2**15 / limit)`` saturated.

    Raises:
        DataError: a value is NaN.
    """
    values = np.asarray(raw, dtype=np.float32)
    if np.isnan(values).any():
        raise DataError("a raw value is NaN; the device refuses it (RNNEDGE_ERR_INPUT)")
    with np.errstate(over="ignore"):
        v = values * np.ldexp(np.float32(1), layer.exponent).astype(np.float32)
    fixed = np.trunc(np.clip(v, -FIXED_LIMIT, FIXED_LIMIT)).astype(np.int64)
    return sat16((fixed * layer.multiplier + layer.offset) >> layer.shift).astype(np.int16)
