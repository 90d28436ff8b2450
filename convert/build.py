"""From a Keras model and calibration windows to a proven QuantizedModel."""

from rnnedge.arrays import F32
from rnnedge.convert.calibrate import calibrate
from rnnedge.convert.floatmodel import FloatModel
from rnnedge.convert.proof import prove
from rnnedge.convert.quantize import quantize_input, quantize_layers
from rnnedge.errors import ModelError
from rnnedge.run import RunSpec
from rnnedge.spec import QuantizedModel


def quantize(
    model: FloatModel, run: RunSpec, calibration: F32, *, input_bits: int | None = None
) -> QuantizedModel:
    """Quantise a trained model: calibrate -> quantise -> prove.

    Args:
        model: float weights, from `extract`.
        run: names of channels and classes, window, rate.
        calibration: float32 (windows, steps, channels), raw units, of the training part.
        input_bits: 8 or 16 to fix the width of the first layer's input, None to choose it.

    Raises:
        ModelError: the run does not describe this model.
        RangeError: a value does not fit, or an accumulator could overflow.
    """
    if len(run.channels) != model.mean.size or len(run.classes) != model.head.bias.size:
        raise ModelError(
            f"the run names {len(run.channels)} channels and {len(run.classes)} classes, the Keras "
            f"model has {model.mean.size} and {model.head.bias.size}; they are not of one run"
        )
    source = calibrate(model, calibration, input_bits)
    quantized = QuantizedModel(
        name=run.name,
        task=run.task,
        window=run.window,
        channels=tuple(channel.name for channel in run.channels),
        channel_units=tuple(channel.unit for channel in run.channels),
        rate=run.rate,
        classes=run.classes,
        input=quantize_input(model.mean, model.std, source.limit),
        layers=quantize_layers(model, source),
    )
    prove(quantized)
    return quantized
