"""What a user should know of the data before the training: what was taken, what was left out."""

from collections.abc import Iterator

import numpy as np

from rnnedge.run import DataFormat
from rnnedge.train.channelstats import channel_stats
from rnnedge.train.readers import Recordings
from rnnedge.train.split import Split
from rnnedge.train.windows import WindowSet


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
            f"left out: {parts.train.short} recordings that are shorter than a window of {steps}"
        )
    if _guessed(data, form):
        yield (
            "note: a recording was taken to end wherever the label changes, so no window holds a "
            "change; --recording, --recording-rows or --group say otherwise"
        )
    for channel in _growing(data):
        yield f"note: channel {channel} only grows; if it is a time or a count, --ignore {channel}"


def _counts(part: WindowSet, classes: tuple[str, ...]) -> str:
    counts = np.bincount(part.y, minlength=len(classes)).tolist()
    shown = ", ".join(f"{name} {count}" for name, count in zip(classes, counts, strict=True))
    return f"{len(part)} windows ({shown})"


def _guessed(data: Recordings, form: DataFormat) -> bool:
    """Tell whether only the label column divides a file into recordings."""
    stated = form.recording or form.recording_rows or form.group
    files = {(item.file, item.label) for item in data.items}
    return not stated and len(data.items) > len(files)


def _growing(data: Recordings) -> list[str]:
    """Name the channels that never fall, and do not stand still, within any recording."""
    return [channel.name for channel in channel_stats(data) if channel.growing]
