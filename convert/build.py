"""From a Keras model and calibration windows to a proven QuantizedModel."""

import numpy as np

from rnnedge.arrays import F32
from rnnedge.convert.calibrate import ranges
from rnnedge.convert.floatmodel import FloatModel
from rnnedge.convert.proof import prove
from rnnedge.convert.quantize import quantize_input, quantize_layers
from rnnedge.errors import DataError, ModelError
from rnnedge.run import RunSpec
from rnnedge.simulator import quantize as quantize_raw
from rnnedge.simulator import simulate, step_scores
from rnnedge.spec import QuantizedModel

_WORTH_16_BITS = 0.005
"""Share of the calibration windows that 16-bit inputs must win back to be chosen."""


def quantize(
    model: FloatModel, run: RunSpec, calibration: F32, *, input_bits: int | None = None
) -> QuantizedModel:
    """Quantise a trained model: calibrate -> quantise -> prove.

    The first layer reads 8-bit inputs unless 16 bits win back more than 0.5 % of the calibration
    windows, by agreement of the integer model's class with the float model's.

    Args:
        model: float weights, from `extract`.
        run: names of channels and classes, window, rate.
        calibration: float32 (windows, steps, channels), raw units, of the training part.
        input_bits: 8 or 16 to fix the width of the first layer's input, None to choose it.

    Raises:
        ModelError: the run does not describe this model.
        DataError: no calibration windows, or values that are not finite.
        RangeError: a value does not fit, or an accumulator could overflow.
    """
    if len(run.channels) != model.mean.size or len(run.classes) != model.outputs:
        raise ModelError(
            f"the run names {len(run.channels)} channels and {len(run.classes)} classes, the Keras "
            f"model has {model.mean.size} and {model.outputs}; they are not of one run"
        )
    if calibration.size == 0 or not np.isfinite(calibration).all():
        raise DataError("calibration needs at least one window of finite values")
    if input_bits is not None:
        return _quantize(model, run, calibration, input_bits)
    narrow, wide = (_quantize(model, run, calibration, bits) for bits in (8, 16))
    gain = _agreement(model, wide, calibration) - _agreement(model, narrow, calibration)
    return wide if gain > _WORTH_16_BITS else narrow


def _quantize(model: FloatModel, run: RunSpec, calibration: F32, bits: int) -> QuantizedModel:
    held = ranges(model, calibration.astype(np.float64), bits)
    quantized = QuantizedModel(
        name=run.name,
        task=run.task,
        window=run.window,
        channels=tuple(channel.name for channel in run.channels),
        channel_units=tuple(channel.unit for channel in run.channels),
        rate=run.rate,
        classes=run.classes,
        input=quantize_input(model.mean, model.std, held.source.limit),
        layers=quantize_layers(model, held),
    )
    prove(quantized)
    return quantized


def _agreement(model: FloatModel, quantized: QuantizedModel, raw: F32) -> float:
    """Return the share of windows (or steps) with the same class in float and in integers."""
    _, exact = model.forward(raw.astype(np.float64))
    x = quantize_raw(quantized.input, raw)
    scores = step_scores(quantized, x) if exact.ndim == 3 else simulate(quantized, x).scores
    return float(np.mean(scores.argmax(axis=-1) == exact.argmax(axis=-1)))
