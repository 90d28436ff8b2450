"""What scores mean, and how they become inputs again: targets, feedback, starts, in integers."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnnedge.arrays import F64
from rnnedge.convert.floatmodel import FloatModel, FloatStart
from rnnedge.convert.quantize import quantize_dense, quantize_input
from rnnedge.errors import RangeError
from rnnedge.run import Channel, RunSpec
from rnnedge.spec import FeedbackLayer, InputLayer, LstmLayer, OutputLayer, Recurrent, StartLayer

_START_HEADROOM = 1.25
_BITS = 30
_MOST_OFFSET = 2.0**60


def quantize_output(targets: Sequence[Channel]) -> OutputLayer | None:
    """Return what the scores of a regression mean; None where there are no targets."""
    if not targets:
        return None
    return OutputLayer(
        units=tuple(target.unit for target in targets),
        mean=np.array([target.mean for target in targets]),
        std=np.array([target.std for target in targets]),
    )


def feedback_sources(run: RunSpec) -> list[int] | None:
    """Return the output that forecasts each channel one step ahead; None: not every one has it."""
    if run.task not in ("forecast", "anomaly", "generate", "translate") or not run.targets:
        return None
    found = []
    for channel in run.channels:
        for index, target in enumerate(run.targets):
            ahead = run.horizons[index] if run.horizons else 1
            if target.name == channel.name and ahead == 1:
                found.append(index)
                break
        else:
            return None
    return found


def quantize_feedback(run: RunSpec, source: InputLayer, fraction_bits: int) -> FeedbackLayer | None:
    """Return the map from scores to the next input, or None where a channel is not forecast.

    Args:
        run: channels, targets and horizons.
        source: the model's input layer.
        fraction_bits: of the scores.

    Raises:
        RangeError: a target and its channel are normalised too differently.
    """
    sources = feedback_sources(run)
    if sources is None:
        return None
    maps = []
    for channel, index in enumerate(sources):
        target = run.targets[index]
        per_unit = 2.0**15 / (source.std[channel] * source.limit)  # input steps of a raw unit
        gain = target.std * 2.0**-fraction_bits * per_unit
        constant = (target.mean - source.mean[channel]) * per_unit
        shift = min(62, _BITS - 1 - math.floor(math.log2(gain)))
        while shift > 0 and abs(constant) * 2.0**shift >= _MOST_OFFSET:
            shift -= 1
        multiplier = round(gain * 2.0**shift) if shift >= 0 else 0
        if not 1 <= multiplier <= 1 << _BITS:
            raise RangeError(
                f"target {target.name!r} cannot be fed back to channel {target.name!r}: their "
                "normalisations are too different; give them in one unit of measure"
            )
        maps.append((multiplier, math.floor((constant + 0.5) * 2.0**shift + 0.5), shift))
    columns = list(zip(*maps, strict=True))
    return FeedbackLayer(
        source=np.array(sources),
        multiplier=np.array(columns[0]),
        offset=np.array(columns[1], dtype=np.int64),
        shift=np.array(columns[2]),
    )


def quantize_start(
    start: FloatStart, model: FloatModel, layers: Sequence[Recurrent], run: RunSpec, features: F64
) -> StartLayer:
    """Return the integer form of a start.

    Args:
        start: float weights.
        model: whose states it makes.
        layers: the quantised recurrent layers of `model`.
        run: names of the features.
        features: float64 (windows, features), raw units, of the calibration.

    Raises:
        RangeError: a weight or bias is beyond every scale.
    """
    peak = float(np.abs((features - start.mean) / start.std).max(initial=1.0))
    source = quantize_input(start.mean, start.std, _START_HEADROOM * peak)
    gains = []
    for cell, layer in zip(model.cells, layers, strict=True):
        for part in cell.parts:
            if part == "c" and isinstance(layer, LstmLayer):
                gain = 2.0 ** (start.shift - layer.state_shift)
            else:
                gain = 2.0**-layer.output_shift
            gains.append(np.full(cell.units, gain))
    scale = np.concatenate(gains)
    dense = replace(start.dense, W=start.dense.W * scale, bias=start.dense.bias * scale)
    return StartLayer(
        names=tuple(feature.name for feature in run.features),
        units=tuple(feature.unit for feature in run.features),
        input=source,
        dense=quantize_dense(dense, source.limit, 0),
    )
