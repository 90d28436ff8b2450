"""Cut recordings into windows; a window never crosses from one recording into the next."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F32, I64
from rnnedge.errors import DataError
from rnnedge.train.readers import Recordings
from rnnedge.train.stored import IN_MEMORY, StoredWindows

FIXED_LIMIT = 256
"""Rows of recordings of one length that are taken as windows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowSet:
    """Windows of equal length.

    Attributes:
        X: float32 (windows, steps, channels), raw units; where they are many, cut from the
            recordings when they are looked at.
        y: int64 (windows,), index into the classes; -1 where there is no such class.
        recording: int64 (windows,), index into `Recordings.items`.
        group: int64 (windows,), equal for windows that must stay in one part.
        start: int64 (windows,), first row of the window within its recording.
        short: number of recordings that are shorter than a window and gave none.
    """

    X: F32 | StoredWindows
    y: I64
    recording: I64
    group: I64
    start: I64
    short: int = 0

    def __len__(self) -> int:
        return len(self.y)

    def select(self, index: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> "WindowSet":
        """Return the chosen windows."""
        recording, start = self.recording[index], self.start[index]
        return WindowSet(
            X=self.X.at(recording, start) if isinstance(self.X, StoredWindows) else self.X[index],
            y=self.y[index],
            recording=recording,
            group=self.group[index],
            start=start,
            short=self.short,
        )


def cut(
    recordings: Recordings, *, window: int, hop: int, classes: tuple[str, ...] | None = None
) -> WindowSet:
    """Cut every recording into windows; rows after the last whole window are left over.

    Args:
        recordings: the data.
        window: time steps of a window, >= 1.
        hop: time steps between the starts of two windows of a recording, >= 1.
        classes: class names, the meaning of `WindowSet.y`; None: those of the recordings.

    Raises:
        DataError: window or hop is below 1, or the window is longer than every recording.
    """
    if window < 1 or hop < 1:
        raise DataError(f"window is {window} and hop is {hop}, expected at least 1 of both")
    names = {name: index for index, name in enumerate(classes or recordings.classes)}
    lengths = [len(item.values) for item in recordings.items]
    if max(lengths) < window:
        longest = recordings.items[int(np.argmax(lengths))]
        raise DataError(
            f"{longest.source}: {max(lengths)} rows in the longest recording, but a window takes "
            f"{window}; choose --window {max(lengths)} or less"
        )
    rows = np.array(lengths, dtype=np.int64)
    counts = np.maximum(0, (rows - window) // hop + 1)
    recording = np.repeat(np.arange(len(rows)), counts)
    start = (np.arange(len(recording)) - np.repeat(np.cumsum(counts) - counts, counts)) * hop
    labels = np.array([_index(names, item.label) for item in recordings.items], dtype=np.int64)
    stored = StoredWindows([item.values for item in recordings.items], recording, start, window)
    return WindowSet(
        X=stored[:] if stored.nbytes <= IN_MEMORY else stored,
        y=labels[recording],
        recording=recording,
        group=_groups(recordings)[recording],
        start=start,
        short=sum(length < window for length in lengths),
    )


def automatic_window(recordings: Recordings) -> int:
    """Return the window length where the data leaves no choice: recordings of one length.

    Raises:
        DataError: the recordings differ in length, or are long.
    """
    lengths = {len(item.values) for item in recordings.items}
    if len(lengths) == 1 and (length := lengths.pop()) <= FIXED_LIMIT:
        return length
    rows = [len(item.values) for item in recordings.items]
    raise DataError(
        f"the recordings have {min(rows)} to {max(rows)} rows; choose the length of a window with "
        "--window, or cut recordings that follow each other with --recording-rows"
    )


def _index(names: dict[str, int], label: str | None) -> int:
    return -1 if label is None else names.get(label, -1)


def _groups(recordings: Recordings) -> I64:
    """Number the groups; a recording without group is one of its own."""
    numbers: dict[tuple[str, str | int], int] = {}
    keys: list[tuple[str, str | int]] = [
        ("recording", index) if item.group is None else ("group", item.group)
        for index, item in enumerate(recordings.items)
    ]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
