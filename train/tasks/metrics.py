"""How right the answers of a streaming task are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F32, F64, I64
from rnnedge.run import Channel

Found = dict[str, Any]


def class_steps(y: I64, scores: F64, classes: Sequence[str], *, matrix: bool = True) -> Found:
    """Measure classes given at each step.

    Args:
        y: int64 (steps,), -1 where not known.
        scores: float64 (steps, classes), before softmax.
        classes: their names.
        matrix: whether a confusion matrix is wanted.

    Returns:
        accuracy, macro_f1 (over the classes that occur), nats (mean of -log of the probability of
        the right class), steps, and confusion (rows: true class).
    """
    from rnnedge.train.evaluate import classification_metrics

    known = y >= 0
    y, scores = y[known], scores[known]
    found = classification_metrics(y, scores.argmax(axis=1), classes)
    found = {**found, "nats": nats(y, scores), "steps": found.pop("windows")}
    if not matrix:
        del found["confusion"]
    del found["classes"]
    return found


def nats(y: I64, scores: F64) -> float:
    """Return the mean of -log softmax of the right class; scores float64 (steps, classes)."""
    best = scores.max(axis=1, keepdims=True)
    total = np.log(np.exp(scores - best).sum(axis=1)) + best[:, 0]
    return float(np.mean(total - scores[np.arange(len(y)), y]))


def errors(y: F32, answer: npt.NDArray[np.floating], targets: Sequence[Channel]) -> Found:
    """Measure a regression.

    Args:
        y: float32 (steps, outputs), raw units, NaN where not known.
        answer: (steps, outputs), raw units; NaN where there is none.
        targets: of the outputs, with their normalisation.

    Returns:
        mse_normalised and rmse_normalised over all outputs, and for each output rmse, mse, mae in
        its unit and mse_normalised; None where nothing is known.
    """
    std = np.array([target.std for target in targets])
    difference = np.asarray(answer, np.float64) - y
    normalised = np.square(difference / std)
    outputs = []
    for index in range(len(targets)):
        column = difference[:, index]
        column = column[np.isfinite(column)]
        square = _mean(np.square(column))
        outputs.append(
            {
                "rmse": None if square is None else square**0.5,
                "mse": square,
                "mae": _mean(np.abs(column)),
                "mse_normalised": None if square is None else square / std[index] ** 2,
                "steps": len(column),
            }
        )
    whole = _mean(normalised[np.isfinite(normalised)])
    return {
        "mse_normalised": whole,
        "rmse_normalised": None if whole is None else whole**0.5,
        "outputs": outputs,
    }


def _mean(values: F64) -> float | None:
    return float(values.mean()) if values.size else None


def alarms(
    labels: npt.NDArray[np.integer], normal: npt.NDArray[np.bool_], rate: float | None
) -> Found:
    """Measure a detector on one recording.

    An alarm is a stretch of steps that are labelled 1; it is false where none of its steps, and
    none of the normal ones right before it, is in an anomaly.

    Args:
        labels: (steps,), 1: an anomaly, as the detector says.
        normal: bool (steps,), False: an anomaly, as the data says.
        rate: steps per second, or None.

    Returns:
        windows and found (labelled anomalies, and those with an alarm in them), alarms,
        false_alarms, false_alarms_per_day (None without a rate), and share_of_normal_steps that are
        labelled 1.
    """
    said = np.asarray(labels) > 0
    events, calls = _runs(~normal), _runs(said)
    found = [bool(said[start:stop].any()) for start, stop in events]
    false = sum(bool(normal[start:stop].all()) for start, stop in calls)
    days = None if rate is None else int(normal.sum()) / rate / 86400
    return {
        "windows": len(events),
        "found": found,
        "alarms": len(calls),
        "false_alarms": false,
        "false_alarms_per_day": false / days if days else None,
        "share_of_normal_steps": float(said[normal].mean()) if normal.any() else None,
    }


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
