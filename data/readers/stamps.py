"""Time stamps to seconds: ISO 8601, dates as people write them, and counts of s, ms, us or ns."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from rnnedge.arrays import F64

TIME_NAME = re.compile(
    r"(time|timestamp|time_?stamp|date|date_?time|unix(_?time)?|epoch|ts|t|elapsed|uptime)"
    r"(_?(s|sec|seconds|ms|millis|us|micros|ns))?",
    re.IGNORECASE,
)
"""Names of columns that hold the time, where nothing else is said."""

_SECONDS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "millis": 1e-3, "us": 1e-6}
_SECONDS |= {"µs": 1e-6, "μs": 1e-6, "micros": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0}
_UNIX = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"), (1e8, "s"))
_DATES = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p")


def iso_seconds(field: str) -> float:
    """Return the seconds since 1970 (UTC where no zone is named) of an ISO 8601 time or date.

    >>> iso_seconds("1970-01-02 00:00:01.5")
    86401.5

    Raises:
        ValueError: it is none.
    """
    stamp = datetime.fromisoformat(field.strip())
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()


def word_seconds(words: Sequence[str]) -> tuple[F64 | None, str]:
    """Return the seconds since 1970 of dates that are not ISO 8601.

    Args:
        words: the stamps, in the order of the rows where possible.

    Returns:
        float64 (words,) and the format taken, or None and why not.
    """
    found: dict[str, F64] = {}
    for date in _DATES:
        for time in _TIMES:
            if (seconds := _parsed(words, date + time)) is not None:
                found[date + time] = seconds
    rising = {form: s for form, s in found.items() if len(s) > 1 and (np.diff(s) > 0).mean() > 0.9}
    best = found if len(found) == 1 else rising
    if len(best) == 1:
        form, seconds = next(iter(best.items()))
        return seconds, form
    if found:
        return None, f"may be {' or '.join(found)}; write ISO 8601, as 2026-01-31 12:00:00"
    return None, "is no time stamp that is known; write ISO 8601, as 2026-01-31 12:00:00"


def _parsed(words: Sequence[str], form: str) -> F64 | None:
    try:
        stamps = [datetime.strptime(word, form).replace(tzinfo=UTC).timestamp() for word in words]
    except ValueError:
        return None
    return np.array(stamps, dtype=np.float64)


def count_seconds(values: F64, name: str, unit: str) -> tuple[F64, str]:
    """Return numeric time stamps in seconds, and the unit that they were taken to be in.

    The unit is that of the header, else the end of the name, else what makes a date between 1973
    and 2286 of it, else seconds.

    Args:
        values: float64 (rows,).
        name: column name.
        unit: unit of measure of the column, "" if unknown.

    >>> count_seconds(np.array([0.0, 20.0]), "time", "ms")
    (array([0.  , 0.02]), 'ms')
    """
    ending = re.search(r"_(s|sec|seconds|ms|millis|us|micros|ns|min|h)$", name.lower())
    stated = unit.lower() if unit.lower() in _SECONDS else ending[1] if ending else ""
    if not stated:
        largest = float(np.abs(values).max(initial=0.0))
        stated = next((unit for least, unit in _UNIX if largest >= least), "s")
    return values * _SECONDS[stated], stated
