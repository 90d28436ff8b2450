"""What a data set holds, and what is wrong with it, before anything is trained."""

from collections import defaultdict
from dataclasses import asdict
from typing import Any

import numpy as np

from rnnedge.data.channelstats import ChannelStats, channel_stats
from rnnedge.data.duplicates import Duplicates, duplicates
from rnnedge.data.gaps import cut_at_gaps
from rnnedge.data.hints import column_hints
from rnnedge.data.prepare import even_but_cuts, prepare
from rnnedge.data.readers import Recordings
from rnnedge.data.rounding import lost, remedy
from rnnedge.data.suggest import suggested_window
from rnnedge.data.tasks import found_task
from rnnedge.data.timeline import Timeline, round_rate, timeline, usual_step
from rnnedge.errors import DataError
from rnnedge.plaintext import counted
from rnnedge.run import DataFormat

_UNBALANCED, _LONGER, _OTHER_RATE = 10, 2.0, 1.1
_PARTS = 3
_RARE = 0.005
_SAME_ROWS, _SAME_NUMBERS = 8, 24  # fewer of a coarse sensor are the same by chance
_NAMED = 5


def describe(
    data: Recordings, form: DataFormat, task: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Describe recordings as they were read; nothing is changed.

    Args:
        data: the recordings; missing values are NaN.
        form: how they were read, and are to be filled and resampled.
        task: what they are for, and why; None: found from them.

    Returns:
        ``{"recordings", "rows", "lengths": {"min", "median", "max"}, "seconds", "rate", "time",
        "uneven" (time stamps that --resample mends), "text", "channels": [...], "groups", "parts",
        "classes": [{"name", "recordings", "rows", "median_rows"}], "task": {"name", "reason"},
        "window": {"rows", "reason"}, "notes": [...], "warnings": [...]}``; seconds, rate and time
        (rnnedge.data.timeline) are None without time stamps, window is None of text, channels are
        as in rnnedge.data.channelstats.
    """
    seen = None if data.text else timeline(data)
    rate = form.resample or (None if seen is None else seen.rate)
    lengths = np.array([len(item.values) for item in data.items])
    window, reason = suggested_window(data, rate)
    stats = () if data.text else channel_stats(data)
    task = task or found_task(data, form)
    least = max(_SAME_ROWS, -(-_SAME_NUMBERS // max(1, len(data.channels))))
    copies = duplicates(data, max(least, min(window, int(lengths.min()))))
    notes = [*data.notes, *column_hints(stats, data, form)]
    other = _rates(data, seen)
    warnings = [*_channel_warnings(stats, len(data.channels), form.targets), *other]
    try:
        notes += [line for line in prepare(data, form).notes if line not in notes]
    except DataError as error:
        warnings.append(str(error))
    classes = _classes(data)
    warnings += [*_class_warnings(classes, data), *(() if data.text else _copies(copies))]
    return {
        "recordings": len(data.items),
        "rows": int(lengths.sum()),
        "lengths": {
            "min": int(lengths.min()),
            "median": float(np.median(lengths)),
            "max": int(lengths.max()),
        },
        "seconds": _seconds(data),
        "rate": None if seen is None else seen.rate,
        "time": None if seen is None else asdict(seen),
        "uneven": bool(other) or not (seen is None or even_but_cuts(seen, cut_at_gaps(data)[1])),
        "text": {"by": data.text, "vocabulary": len(data.classes)} if data.text else None,
        "channels": [asdict(channel) for channel in stats],
        "groups": len({item.group for item in data.items if item.group is not None}),
        "parts": {
            part: sum(item.part == part for item in data.items) for part in sorted(data.parts)
        },
        "classes": classes,
        "task": {"name": task[0], "reason": task[1]},
        "window": None if data.text else {"rows": window, "reason": reason},
        "duplicates": asdict(copies),
        "notes": notes,
        "warnings": warnings,
    }


def _seconds(data: Recordings) -> float | None:
    """Add up the durations of the recordings, None where one has no time stamps."""
    total = 0.0
    for item in data.items:
        if item.time is None:
            return None
        total += max(0.0, float(item.time[-1] - item.time[0]))
    return total


def _classes(data: Recordings) -> list[dict[str, Any]]:
    """Count recordings and rows of every class."""
    if data.text:
        return []
    rows: dict[str, int] = defaultdict(int)
    lengths: dict[str, list[int]] = defaultdict(list)
    for item in data.items:
        if item.row_labels is not None:
            known = item.row_labels[item.row_labels >= 0]
            for index, count in enumerate(np.bincount(known, minlength=len(data.classes))):
                if count:
                    rows[data.classes[index]] += int(count)
                    lengths[data.classes[index]].append(int(count))
        elif item.label is not None:
            rows[item.label] += len(item.values)
            lengths[item.label].append(len(item.values))
    return [
        {
            "name": name,
            "recordings": len(lengths[name]),
            "rows": rows[name],
            "median_rows": float(np.median(lengths[name])) if lengths[name] else 0.0,
        }
        for name in data.classes
    ]


def _channel_warnings(
    stats: tuple[ChannelStats, ...], channels: int, targets: tuple[str, ...]
) -> list[str]:
    found = []
    for channel in stats:
        name = channel.name
        if not channel.count:
            found.append(f"channel {name} has no value at all; --ignore {name}")
        if channel.constant and channel.min is not None:
            cure = remedy(name, channel.min, target=name in targets)
            found.append(f"channel {name} is always {channel.min:g}; {cure}")
        elif channel.mean is not None and channel.std is not None and not channel.growing:
            away = lost(channel.mean, channel.std)
            found += [f"channel {name}: {away}"] if away else []
        if channel.growing:
            found.append(f"channel {name} only grows; if it is a time or a count, --ignore {name}")
        if channel.saturated and not channel.numbering:
            at, share = (channel.max, channel.at_max)
            if channel.at_min > channel.at_max:
                at, share = channel.min, channel.at_min
            found.append(
                f"channel {name}: {100 * share:.2g} % of the samples are at its limit {at:g}; "
                "the sensor may be saturated"
            )
        if (
            0 < channel.outliers <= _RARE and not channel.numbering
        ):  # more of them are how the channel is
            found.append(
                f"channel {name}: {100 * channel.outliers:.2g} % of the samples are more than 8 "
                "standard deviations (by the quartiles) from the median"
            )
    if len(found) > 4 * _NAMED and channels > _NAMED:
        return [*found[: 4 * _NAMED], f"and {len(found) - 4 * _NAMED} more on channels"]
    return found


def _rates(data: Recordings, seen: Timeline | None) -> list[str]:
    """Warn of recordings with another rate."""
    if seen is None or not seen.step:
        return []
    other = []
    for item in data.items:
        step = 0.0 if item.time is None else usual_step([item.time])
        if step and max(step / seen.step, seen.step / step) > _OTHER_RATE:
            other.append(f"{item.source} ({1 / step:.4g} per second)")
    if not other:
        return []
    return [
        f"{counted(len(other), 'recording')} of another rate than {seen.rate:g} per second, such "
        f"as {other[0]}; bring all to one with --resample {round_rate(seen.rate or 0)}"
    ]


def _class_warnings(classes: list[dict[str, Any]], data: Recordings) -> list[str]:
    """Warn of classes that are rare, differ in length, or belong to one group."""
    if len(classes) < 2:
        return []
    found = []
    by_row = any(item.row_labels is not None for item in data.items)
    few = [f"{row['name']} ({row['recordings']})" for row in classes if row["recordings"] < _PARTS]
    if few and not by_row and not data.parts:
        found.append(
            f"too few recordings for {_PARTS} parts: {_listed(few)}; record more, cut them with "
            "--recording-rows, or give test data with --test"
        )
    rows = sorted(classes, key=lambda row: row["rows"])
    if rows[0]["rows"] * _UNBALANCED < rows[-1]["rows"]:
        found.append(
            f"unbalanced: {rows[-1]['name']} has {rows[-1]['rows']:,} rows, {rows[0]['name']} "
            f"{rows[0]['rows']:,}; look at macro F1, not at accuracy"
        )
    lengths = sorted(classes, key=lambda row: row["median_rows"])
    shortest, longest = lengths[0], lengths[-1]
    if not by_row and longest["median_rows"] > _LONGER * shortest["median_rows"] > 0:
        found.append(
            f"recordings of {longest['name']} have {longest['median_rows']:g} rows (median), those "
            f"of {shortest['name']} {shortest['median_rows']:g}: the window must fit the shortest, "
            "and the longer ones give more windows"
        )
    groups: dict[str | None, set[str | None]] = defaultdict(set)
    for item in data.items:
        groups[item.label].add(item.group)
    alone = [name for name in data.classes if len(groups[name]) == 1 and None not in groups[name]]
    if alone and not by_row:
        found.append(f"classes that only one group has: {_listed(alone)}; no test can tell both")
    return found


def _copies(copies: Duplicates) -> list[str]:
    if not copies.stretches:
        return []
    where = f"{copies.between_parts} of them in the training and in the test part; "
    return [
        f"{copies.stretches} stretches of {copies.rows} rows are in two recordings, sample for "
        f"sample; {where if copies.between_parts else ''}such as {copies.example}: a test on "
        "them is a test on training data"
    ]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
