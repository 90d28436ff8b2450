"""Columns and files that look as if they were for something else than they were taken for."""

import math
from collections.abc import Sequence
from pathlib import Path

from rnnedge.data.channelstats import ChannelStats
from rnnedge.data.readers import Recordings
from rnnedge.data.windows import FIXED_LIMIT
from rnnedge.run import DataFormat

_FEWEST_FILES, _FEWEST_ROWS = 3, 10


def column_hints(stats: Sequence[ChannelStats], data: Recordings, form: DataFormat) -> list[str]:
    """Say which channels look like a label, or like the number of a recording.

    Args:
        stats: of the channels.
        data: the recordings; where their rows or folders name classes, a channel is no label.
        form: how they were read; columns that it names are no channels any more.
    """
    found = []
    for channel in stats:
        uses = []
        if channel.numbering and not form.recording and not form.recording_rows:
            uses.append(f"numbers the recordings: --recording {channel.name}")
        if channel.naming and not form.start and named_by_files(data):
            uses.append(f"is the label: --label {channel.name} --task label, or anomaly")
        if uses:
            what = "never falls and stands still in stretches" if channel.numbering else (
                "holds a few whole numbers and changes seldom"
            )  # fmt: skip
            found.append(f"note: channel {channel.name} {what}; if it {', if it '.join(uses)}")
    return found


def named_by_files(data: Recordings) -> bool:
    """Tell whether there are no classes but the names of files."""
    return all(
        item.row_labels is None and item.label in (None, Path(item.file).stem)
        for item in data.items
    )


def common_rows(data: Recordings, form: DataFormat) -> int:
    """Return the rows of which every file holds a whole number; 0 if that says nothing.

    It is no chance where at least three files are whole numbers of ten rows or more.
    """
    if form.recording or form.recording_rows or data.text:
        return 0
    lengths = [len(item.values) for item in data.items]
    if len({item.file for item in data.items}) < len(lengths) or len(lengths) < _FEWEST_FILES:
        return 0
    rows = math.gcd(*lengths)
    return rows if _FEWEST_ROWS <= rows <= FIXED_LIMIT and rows < min(lengths) else 0
