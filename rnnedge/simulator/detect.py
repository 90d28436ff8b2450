"""The detector: when a forecast was wrong for too long; its twin is firmware/src/detector.c."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I16, I32, I64
from rnnedge.errors import ModelError
from rnnedge.simulator.generate import feedback
from rnnedge.simulator.model import step_scores
from rnnedge.spec import QuantizedModel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detection:
    """What the detector says after every step.

    Attributes:
        errors: int32 (windows, steps), steps of the int16 input; 0 at the first step.
        levels: int32 (windows, steps), 2**-8 of these.
        labels: int8 (windows, steps), 1: an anomaly.
    """

    errors: I32
    levels: I32
    labels: npt.NDArray[np.int8]


def detect(model: QuantizedModel, x: I16) -> Detection:
    """Run windows, or recordings, from a reset.

    Args:
        model: one with a detector; its threshold decides nothing but the labels.
        x: int16 (windows, steps, channels).

    Raises:
        ModelError: the model has no detector, or x another number of channels.
    """
    rule = model.detector
    if rule is None:
        raise ModelError(f"model {model.name} (task {model.task}): has no detector")
    forecast = feedback(model, step_scores(model, x)[:, :-1]).astype(np.int64)
    errors: I64 = np.zeros(x.shape[:2], np.int64)
    errors[:, 1:] = np.abs(x[:, 1:].astype(np.int64) - forecast).max(axis=2)
    levels = np.zeros_like(errors)
    for t in range(1, x.shape[1]):
        before = levels[:, t - 1]
        levels[:, t] = before + (((errors[:, t] << 8) - before) >> rule.smoothing)
    warm = np.arange(1, x.shape[1] + 1) > rule.warmup
    return Detection(
        errors=errors.astype(np.int32),
        levels=levels.astype(np.int32),
        labels=(warm & (levels > rule.threshold)).astype(np.int8),
    )
