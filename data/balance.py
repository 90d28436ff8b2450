"""Whole groups chosen so that every class is on both sides."""

import warnings

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I64

_SHUFFLES = 8
_EXACT = 50_000

_Mask = npt.NDArray[np.bool_]


def divide(y: I64, group: I64, *, fraction: float, seed: int) -> _Mask:
    """Choose about `fraction` of the windows, whole groups, every class on both sides.

    Args:
        y: int64 (windows,), class of a window.
        group: int64 (windows,), group of a window.
        fraction: share to choose, 0 < fraction < 1.
        seed: decides among equally good choices.

    Returns:
        bool (windows,), True for the chosen. A class may still be missing on one side if its
        groups cannot be divided.
    """
    if len(y) > _EXACT:
        few = _thinned(y, group)
        return np.isin(group, group[few][divide(y[few], group[few], fraction=fraction, seed=seed)])
    from sklearn.model_selection import StratifiedGroupKFold

    count = max(2, round(1 / fraction))
    folds = min(count, len(np.unique(group)), int(np.bincount(y).max()))
    if folds < 2:
        return np.zeros(len(y), dtype=np.bool_)
    best, least = np.zeros(len(y), dtype=np.bool_), np.inf
    for shuffle in range(_SHUFFLES):
        folder = StratifiedGroupKFold(folds, shuffle=True, random_state=seed + 1000 * shuffle)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a class smaller than the folds
            for _, fold in folder.split(np.zeros(len(y)), y, group):
                chosen = np.zeros(len(y), dtype=np.bool_)
                chosen[fold] = True
                _repair(y, group, chosen)
                cost = _cost(y, chosen, fraction)
                if cost < least:
                    best, least = chosen, cost
        if least < 1:
            break
    return best


def _thinned(y: I64, group: I64) -> I64:
    """Return every n-th window of each group, and the first of each class in it."""
    _, number = np.unique(group, return_inverse=True)
    key = number * (int(y.max()) + 1) + y
    order = np.argsort(key, kind="stable")
    first = np.concatenate([[True], np.diff(key[order]) != 0])
    place = np.arange(len(y)) - np.maximum.accumulate(np.where(first, np.arange(len(y)), 0))
    return np.asarray(order[place % -(-2 * len(y) // _EXACT) == 0], dtype=np.int64)


def _repair(y: I64, group: I64, chosen: _Mask) -> None:
    """Move the smallest groups until every class stands on both sides, where that is possible."""
    for label in np.unique(y):
        for side in (True, False):
            here = (y == label) & (chosen == side)
            if here.any():
                continue
            groups, sizes = np.unique(group[y == label], return_counts=True)
            if len(groups) > 1:
                chosen[group == groups[np.argmin(sizes)]] = side


def _cost(y: I64, chosen: _Mask, fraction: float) -> float:
    """Mean distance from the wanted share over classes; 1 more for a class on one side only."""
    total = np.bincount(y)
    share = np.bincount(y[chosen], minlength=len(total))[total > 0] / total[total > 0]
    return float(np.abs(share - fraction).mean() + np.sum((share == 0) | (share == 1)))
