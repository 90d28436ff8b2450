"""What fits the data: the length of a window, the task."""

import numpy as np

from rnnedge.arrays import F32, F64
from rnnedge.data.readers import Recordings
from rnnedge.data.windows import FIXED_LIMIT

_ROWS = 4096
_LEAST, _MOST = 16, 256
_PERIODS = 3
_STRONG = 0.3
_FIRST = 0.65  # of the highest: a day is a period, though two of them are alike still more
_SLOW = 65
_SECONDS = 2.56


def suggested_window(data: Recordings, rate: float | None) -> tuple[int, str]:
    """Return time steps of a window, and why.

    Args:
        data: the recordings.
        rate: samples per second, or None.
    """
    lengths = np.array([len(item.values) for item in data.items])
    if len(set(lengths.tolist())) == 1 and len(lengths) > 1 and lengths[0] <= FIXED_LIMIT:
        return int(lengths[0]), "all recordings have this length"
    most = int(max(1, min(_MOST, np.median(lengths) // 2)))
    longest = data.items[int(np.argmax(lengths))].values
    period = _period(np.asarray(longest[:_ROWS]))
    if period is not None and _PERIODS * period <= most:
        rows = max(_PERIODS * period, min(_LEAST, most))
        return rows, f"{_PERIODS} times the strongest period, {period} rows"
    if rate is not None and _LEAST <= round(rate * _SECONDS) <= most:
        return round(rate * _SECONDS), f"{_SECONDS:g} s"
    wanted = 64 if most >= 64 else most
    return wanted, "no period found" if wanted == 64 else "half the median recording"


def _period(values: F32) -> int | None:
    """Return the rows of the strongest period by the autocorrelation of the channels, or None."""
    if len(values) < 2 * _SLOW:
        return None
    best: tuple[float, int] = (_STRONG, 0)
    for column in np.nan_to_num(values.astype(np.float64)).T:
        around = column - np.convolve(column, np.ones(_SLOW) / _SLOW, "same")  # without slow drift
        if around.std() < 1e-9 * (1 + np.abs(column).max()):
            continue
        found = _peak(around)
        if found is not None:
            best = max(best, found)
    return best[1] or None


def _peak(signal: F64) -> tuple[float, int] | None:
    """Return height and lag of the first high peak of the autocorrelation behind its first zero."""
    size = 1 << (2 * len(signal) - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(signal, size)) ** 2
    lags = np.fft.irfft(spectrum)[: len(signal) // 3]
    lags = lags / lags[0] * len(signal) / (len(signal) - np.arange(len(lags)))
    below = np.flatnonzero(lags < 0)
    if not len(below):
        return None
    tail = lags[below[0] :]
    high = float(tail.max())
    peaks = np.flatnonzero(
        (tail[1:-1] >= tail[:-2]) & (tail[1:-1] > tail[2:]) & (tail[1:-1] > _FIRST * high)
    )
    return (high, int(below[0] + peaks[0] + 1)) if len(peaks) else None
