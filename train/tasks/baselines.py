"""What needs no network: the last value goes on, or a linear map of the last values."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnedge.arrays import F32, F64
from rnnedge.run import Channel
from rnnedge.train.tasks.series import Series

ORDER = 48
_MOST_COLUMNS = 600
_RIDGE = 1e-3


def linear_model(
    train: Sequence[Series], channels: Sequence[Channel], targets: Sequence[Channel]
) -> dict[str, Any]:
    """Fit every output as a linear map of the last values of its own channel.

    An output whose name is no channel takes all channels.

    Args:
        train: the training part.
        channels: their order in the samples, with their normalisation.
        targets: of the outputs, with their normalisation.

    Returns:
        {"order": last values that count, "weights": for each output [constant, those of the
        oldest value of each of its channels, ...], normalised}; for run.json.
    """
    order = ORDER
    longest = max(len(item.x) for item in train)
    while order > 1 and (order * 4 > longest or order * len(channels) > _MOST_COLUMNS):
        order //= 2
    weights = []
    for output, target in enumerate(targets):
        rows, answers = [], []
        for item in train:
            if len(item.x) < order:
                continue
            v = _normalised(item.x, channels)
            y = (item.y[order - 1 :, output] - target.mean) / target.std
            known = np.isfinite(y)
            rows.append(_lags(v, channels, target, order)[known])
            answers.append(y[known])
        A, b = np.concatenate(rows), np.concatenate(answers).astype(np.float64)
        gram = A.T @ A + _RIDGE * np.eye(A.shape[1])
        weights.append(np.linalg.solve(gram, A.T @ b).round(6).tolist())
    return {"order": order, "weights": weights}


def forecasts(
    linear: dict[str, Any], x: F32, channels: Sequence[Channel], targets: Sequence[Channel]
) -> F64:
    """Return the linear model's answers, float64 (rows, outputs), raw units.

    The first order - 1 rows, and outputs that were not fitted, are NaN.
    """
    order = int(linear["order"])
    found = np.full((len(x), len(targets)), np.nan)
    if len(x) < order:
        return found
    v = _normalised(x, channels)
    for output, target in enumerate(targets):
        lags = _lags(v, channels, target, order)
        found[order - 1 :, output] = lags @ np.array(linear["weights"][output])
        found[:, output] = found[:, output] * target.std + target.mean
    return found


def persistence(x: F32, channels: Sequence[Channel], targets: Sequence[Channel]) -> F64:
    """Return the last values, float64 (rows, outputs), raw units; NaN for no channel."""
    places = {channel.name: index for index, channel in enumerate(channels)}
    found = np.full((len(x), len(targets)), np.nan)
    for output, target in enumerate(targets):
        if target.name in places:
            found[:, output] = x[:, places[target.name]]
    return found


def _normalised(x: F32, channels: Sequence[Channel]) -> F64:
    mean = np.array([channel.mean for channel in channels])
    std = np.array([channel.std for channel in channels])
    return np.asarray((x - mean) / std, np.float64)


def _lags(v: F64, channels: Sequence[Channel], target: Channel, order: int) -> F64:
    """Return a constant and the last `order` values of each step from `order` - 1 on."""
    names = [channel.name for channel in channels]
    own = v[:, [names.index(target.name)]] if target.name in names else v
    views = np.lib.stride_tricks.sliding_window_view(own, order, axis=0)
    flat = views.transpose(0, 2, 1).reshape(len(views), -1)
    return np.concatenate([np.ones((len(flat), 1)), flat], axis=1)
