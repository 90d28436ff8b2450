"""Raw sensor units, or counts, to int16; firmware/src/input.c and counts.c are its twins."""

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I16
from rnnedge.counts import CountsMap
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


def quantize_counts(counts_map: CountsMap, counts: npt.ArrayLike) -> I16:
    """Normalise and quantise a sensor's integers as the device does.

    Args:
        counts_map: of the model and sensor, from `rnnedge.counts.counts_map`.
        counts: (..., channels), -32768..32767.

    Returns:
        int16 of the same shape.

    Raises:
        DataError: a channel has no counts, or a value is no int16.
    """
    if (counts_map.multiplier == 0).any():
        raise DataError("a channel has no counts; the device refuses them (RNNEDGE_ERR_INPUT)")
    values = np.asarray(counts).astype(np.int64)
    if not np.array_equal(values, counts) or not np.array_equal(sat16(values), values):
        raise DataError("counts are integers from -32768 to 32767")
    return sat16((values * counts_map.multiplier + counts_map.offset) >> counts_map.shift).astype(
        np.int16
    )
