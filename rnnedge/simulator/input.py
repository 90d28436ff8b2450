"""Raw sensor units, or counts, to int16; firmware/src/input.c and counts.c are its twins."""

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F32, I16, I64
from rnnedge.counts import CountsMap
from rnnedge.errors import DataError
from rnnedge.fixedpoint import FIXED_LIMIT, sat16
from rnnedge.spec import EmbeddingLayer, InputLayer


def quantize(layer: InputLayer | EmbeddingLayer, raw: npt.ArrayLike) -> I16:
    """Make raw samples the input of the first layer, as the device does.

    Args:
        layer: the model's input layer.
        raw: (..., channels), raw units, or (..., 1), ids; cast to float32, as they arrive on the
            device.

    Returns:
        int16 (..., channels): ``round((raw - mean) / std * 2**15 / limit)`` saturated, or the row
        of the id times 2**8.

    Raises:
        DataError: a value is NaN, or no id.
    """
    values = np.asarray(raw, dtype=np.float32)
    if isinstance(layer, EmbeddingLayer):
        return embed(layer, ids_of(layer, values))
    if np.isnan(values).any():
        raise DataError("a raw value is NaN; the device refuses it (RNNEDGE_ERR_INPUT)")
    with np.errstate(over="ignore"):
        v = values * np.ldexp(np.float32(1), layer.exponent).astype(np.float32)
    fixed = np.trunc(np.clip(v, -FIXED_LIMIT, FIXED_LIMIT)).astype(np.int64)
    return sat16((fixed * layer.multiplier + layer.offset) >> layer.shift).astype(np.int16)


def ids_of(layer: EmbeddingLayer, raw: F32) -> I64:
    """Return the ids (...) of raw samples (..., 1).

    Raises:
        DataError: not one number a sample, or one that is no id.
    """
    if raw.ndim == 0 or raw.shape[-1] != 1:
        raise DataError(f"a sample of ids is one number; these have the shape {raw.shape}")
    ids = raw[..., 0]
    with np.errstate(invalid="ignore"):
        wrong = ~((ids >= 0) & (ids < layer.rows) & (np.trunc(ids) == ids))
    if wrong.any():
        raise DataError(
            f"{ids[wrong][0]:g} is no id, a whole number of 0 to {layer.rows - 1}; the device "
            "refuses it (RNNEDGE_ERR_INPUT)"
        )
    return ids.astype(np.int64)


def embed(layer: EmbeddingLayer, ids: I64) -> I16:
    """Return the rows of ids (...), int16 (..., channels)."""
    return layer.table[ids].astype(np.int16) << 8


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
