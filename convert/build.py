"""From a Keras model and calibration windows to a proven QuantizedModel."""

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F32, F64
from rnnedge.convert.calibrate import ranges
from rnnedge.convert.floatmodel import FloatModel
from rnnedge.convert.inputbits import InputBits, choose
from rnnedge.convert.proof import prove
from rnnedge.convert.quantize import quantize_input, quantize_layers
from rnnedge.errors import DataError, ModelError
from rnnedge.run import RunSpec
from rnnedge.simulator import quantize as quantize_raw
from rnnedge.simulator import simulate, step_scores
from rnnedge.spec import QuantizedModel


def quantize(
    model: FloatModel, run: RunSpec, calibration: F32, *, input_bits: int | None = None
) -> QuantizedModel:
    """Return the model of `quantize_and_tell` alone."""
    return quantize_and_tell(model, run, calibration, input_bits=input_bits)[0]


def quantize_and_tell(
    model: FloatModel, run: RunSpec, calibration: F32, *, input_bits: int | None = None
) -> tuple[QuantizedModel, InputBits]:
    """Quantise a trained model: calibrate -> quantise -> prove.

    The first layer reads 8-bit inputs unless 16 bits serve the calibration windows better
    (rnnedge.convert.inputbits), by agreement of the integer model's class with the float model's.

    Args:
        model: float weights, from `extract`.
        run: names of channels and classes, window, rate.
        calibration: float32 (windows, steps, channels), raw units, of the training part.
        input_bits: 8 or 16 to fix the width of the first layer's input, None to choose it.

    Returns:
        The model, and why its input has the width that it has.

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
        return _quantize(model, run, calibration, input_bits), InputBits(bits=input_bits)
    narrow, wide = (_quantize(model, run, calibration, bits) for bits in (8, 16))
    _, exact = model.forward(calibration.astype(np.float64))
    agree = [_agreement(quantized, calibration, exact) for quantized in (narrow, wide)]
    chosen = choose(*agree)
    return (wide if chosen.bits == 16 else narrow), chosen


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


def _agreement(quantized: QuantizedModel, raw: F32, exact: F64) -> npt.NDArray[np.bool_]:
    """Return for each window (or step) whether the class is the float model's."""
    x = quantize_raw(quantized.input, raw)
    scores = step_scores(quantized, x) if exact.ndim == 3 else simulate(quantized, x).scores
    return np.asarray(scores.argmax(axis=-1) == exact.argmax(axis=-1))
