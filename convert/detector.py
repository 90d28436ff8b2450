"""The threshold of an anomaly detector, from the integer levels of normal recordings."""

import math
from dataclasses import replace

import numpy as np

from rnnedge.errors import DataError
from rnnedge.run import RunSpec, Windows
from rnnedge.simulator import detect
from rnnedge.simulator import quantize as quantize_raw
from rnnedge.spec import Detector, QuantizedModel

_MOST_LEVEL = 1 << 24


def with_threshold(model: QuantizedModel, run: RunSpec, windows: Windows) -> QuantizedModel:
    """Return the model with its detector, if its task has one.

    The threshold is the quantile `share` of the levels after each step of the normal recordings,
    behind the warm-up, times `margin`.

    Args:
        model: the quantised model, with feedback.
        run: whose `detector` says smoothing, warmup, share and margin.
        windows: with normal recordings.

    Raises:
        DataError: there is no normal recording longer than the warm-up.
    """
    if run.task != "anomaly" or windows.normal is None or windows.normal_ptr is None:
        return model
    rule = run.detector
    smoothing, warmup = int(rule["smoothing"]), int(rule["warmup"])
    trial = replace(model, detector=Detector(smoothing=smoothing, warmup=warmup, threshold=0))
    found = []
    for start, stop in zip(windows.normal_ptr[:-1], windows.normal_ptr[1:], strict=True):
        if stop - start > warmup:
            x = quantize_raw(model.input, windows.normal[None, start:stop])
            found.append(detect(trial, x).levels[0, warmup:])
    if not found:
        raise DataError(
            f"the threshold needs a normal recording of more than {warmup} rows in the validation "
            "part; record more, or give a larger --validation-fraction"
        )
    level = float(np.quantile(np.concatenate(found), float(rule["share"])))
    threshold = min(_MOST_LEVEL, math.ceil(level * float(rule["margin"])))
    return replace(
        model, detector=Detector(smoothing=smoothing, warmup=warmup, threshold=threshold)
    )
