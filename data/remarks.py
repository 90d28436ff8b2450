"""What a user should know of the data before the training: what was taken, what was left out."""

import re
from collections.abc import Iterator

import numpy as np

from rnnedge.data.channelstats import channel_stats
from rnnedge.data.parts import whole
from rnnedge.data.readers import Recordings
from rnnedge.data.split import Split
from rnnedge.data.windows import WindowSet
from rnnedge.plaintext import counted
from rnnedge.run import DataFormat

_ROWS = re.compile(r" (?:rows|lines) \d+-\d+$")  # how readers name a part of a file's rows


def remarks(data: Recordings, parts: Split, form: DataFormat) -> Iterator[str]:
    """Yield one line each on channels, parts, what was left out, and what looks wrong."""
    names = [
        f"{name} [{unit}]" if unit else name
        for name, unit in zip(data.channels, data.units, strict=True)
    ]
    yield from data.notes
    yield f"channels: {', '.join(names)}"
    for name, part in (
        ("train", parts.train),
        ("validation", parts.validation),
        ("test", parts.test),
    ):
        yield f"{name}: {_counts(part, parts.classes)}"
    if parts.train.short:
        steps = parts.train.X.shape[1]
        yield (
            f"left out: {counted(parts.train.short, 'recording')} shorter than a window of {steps}"
        )
    if parts.train.lengths is not None:
        count, steps = int(np.count_nonzero(parts.train.padded)), parts.train.X.shape[1]
        yield (
            f"of different length: {counted(count, 'recording')} of the training part shorter "
            f"than a window of {steps}; what is lacking does not count"
        )
    if cut_at_labels(data, form):
        yield (
            "note: a recording was taken to end wherever the label changes, so no window holds a "
            "change; --recording, --recording-rows or --group say otherwise"
        )
    for channel in _growing(data):
        yield f"note: channel {channel} only grows; if it is a time or a count, --ignore {channel}"


def _counts(part: WindowSet, classes: tuple[str, ...]) -> str:
    counts = np.bincount(part.y, minlength=len(classes)).tolist()
    shown = ", ".join(f"{name} {count}" for name, count in zip(classes, counts, strict=True))
    return f"{counted(len(part), 'window')} ({shown})"


def cut_at_labels(data: Recordings, form: DataFormat) -> bool:
    """Tell whether only the labels of its rows divide a file into recordings."""
    if form.recording or form.recording_rows or form.group:
        return False
    rows = [item for item in data.items if _ROWS.search(whole(item))]
    return len(rows) > len({(item.file, item.label) for item in rows})


def _growing(data: Recordings) -> list[str]:
    """Name the channels that never fall, and do not stand still, within any recording."""
    return [channel.name for channel in channel_stats(data) if channel.growing]
