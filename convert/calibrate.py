"""The ranges of a model's integers, from real windows."""

import math

import numpy as np

from rnnedge.arrays import F64
from rnnedge.convert.floatmodel import (
    FloatBidirectional,
    FloatModel,
    FloatRecurrent,
    last_output,
)
from rnnedge.convert.quantize import InputRange, Ranges
from rnnedge.convert.rounding import mean_products
from rnnedge.errors import RangeError

_LIMITS_PER_OCTAVE = 4
_OCTAVES = 5
_HEADROOM = 1.25
_MOST_SHIFT = 10


def ranges(model: FloatModel, raw: F64, bits: int) -> Ranges:
    """Return the ranges that hold what the model does on calibration windows.

    Args:
        model: float weights.
        raw: float64 (windows, steps, channels), raw units.
        bits: 8 or 16, what the first layer reads.

    Raises:
        RangeError: outputs that are not finite.
    """
    normalised = model.normalise(raw)
    source = InputRange(limit=input_limit(normalised, bits), bits=bits)
    v, states, squares = normalised, [], list[F64]()
    for layer in model.recurrent:
        with np.errstate(over="ignore", invalid="ignore"):
            x, (v, held) = v, layer.run(v)
        if not np.isfinite(v).all() or not np.isfinite(held).all():
            raise RangeError(
                "on the calibration data the outputs of a recurrent layer grow without bound; "
                "train with weight decay, or use tanh"
            )
        states.append(power_of_two(held))
        squares += _mean_products(layer, x, v)
    last = model.recurrent[-1]
    v = v if last.return_sequences else last_output(last, v)
    hidden = []
    for dense in model.dense[:-1]:
        with np.errstate(over="ignore", invalid="ignore"):
            v = dense.run(v)
        if not np.isfinite(v).all():
            raise RangeError(
                f"layer {dense.name!r}: its outputs are beyond every bound in calibration; "
                "train with weight decay"
            )
        hidden.append(power_of_two(v))
    return Ranges(source=source, states=tuple(states), hidden=tuple(hidden), squares=tuple(squares))


def _mean_products(layer: FloatRecurrent, x: F64, outputs: F64) -> list[F64]:
    """Return the mean products of the inputs of each of a layer's cells."""
    if not isinstance(layer, FloatBidirectional):
        return [mean_products(x, outputs)]
    H = layer.forward.units
    back = mean_products(x[:, ::-1], outputs[:, ::-1, H:])
    return [mean_products(x, outputs[..., :H]), back]


def power_of_two(values: F64) -> int:
    """Return the smallest s in 0..10 for which 2**s holds `values` with a quarter to spare."""
    peak = float(np.abs(values).max()) * _HEADROOM if values.size else 0.0
    return min(max(0, math.ceil(math.log2(peak))), _MOST_SHIFT) if peak > 0 else 0


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
