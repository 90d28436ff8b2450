"""Cut recordings into windows; a window never crosses from one recording into the next.

Where it is asked for, a recording that is shorter than a window is one of its own: padded behind
its end with its last row, which no training and no metric counts.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F32, I64
from rnnedge.data.parts import whole
from rnnedge.data.readers import Recordings
from rnnedge.data.stored import IN_MEMORY, StoredWindows
from rnnedge.errors import DataError

FIXED_LIMIT = 256
"""Rows of the longest recording, where recordings are taken as windows."""


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
        lengths: int64 (windows,), steps that count; None: all.
    """

    X: F32 | StoredWindows
    y: I64
    recording: I64
    group: I64
    start: I64
    short: int = 0
    lengths: I64 | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def padded(self) -> npt.NDArray[np.bool_]:
        """True where not all steps count, bool (windows,)."""
        if self.lengths is None:
            return np.zeros(len(self), bool)
        return np.asarray(self.lengths < self.X.shape[1], bool)

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
            lengths=None if self.lengths is None else self.lengths[index],
        )


def check_window(*parts: Recordings, window: int) -> None:
    """Refuse a window that no recording fills.

    Raises:
        DataError: names the longest recording.
    """
    longest = max(
        (item for part in parts for item in part.items), key=lambda item: len(item.values)
    )
    rows = len(longest.values)
    if rows < window:
        raise DataError(
            f"{longest.source}: {rows} rows in the longest recording, but a window takes {window}; "
            f"choose --window {rows} or less"
        )


def cut(
    recordings: Recordings,
    *,
    window: int,
    hop: int,
    classes: tuple[str, ...] | None = None,
    pad: bool = False,
) -> WindowSet:
    """Cut every recording into windows; rows after the last whole window are left over.

    Args:
        recordings: the data.
        window: time steps of a window, >= 1.
        hop: time steps between the starts of two windows of a recording, >= 1.
        classes: class names, the meaning of `WindowSet.y`; None: those of the recordings.
        pad: True: a recording that is shorter than a window gives one, padded; but none that was
            cut from another at a gap.

    Raises:
        DataError: window or hop is below 1, or the window is longer than every recording.
    """
    if window < 1 or hop < 1:
        raise DataError(f"window is {window} and hop is {hop}, expected at least 1 of both")
    names = {name: index for index, name in enumerate(classes or recordings.classes)}
    if not pad:
        check_window(recordings, window=window)
    rows = np.array([len(item.values) for item in recordings.items], dtype=np.int64)
    counts = np.maximum(0, (rows - window) // hop + 1)
    short = rows < window
    if pad:
        padded = short & np.array([whole(item) == item.source for item in recordings.items])
        counts[padded], short = 1, short & ~padded
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
        short=int(short.sum()),
        lengths=np.minimum(rows, window)[recording] if pad and padded.any() else None,
    )


def automatic_window(*data: Recordings, cut_at_labels: bool = False) -> int:
    """Return the length of the longest recording, where recordings are what is to be classified.

    Args:
        data: the parts.
        cut_at_labels: True: recordings end where the label changes, and are no sequences of their
            own.

    Raises:
        DataError: the recordings are long, or end where the label changes and differ in length.
    """
    lengths = {len(item.values) for part in data for item in part.items}
    longest = max(lengths)
    if longest <= FIXED_LIMIT and not (cut_at_labels and len(lengths) > 1):
        return longest
    cures = "choose the length of a window with --window"
    if cut_at_labels:
        raise DataError(
            f"the label changes every {min(lengths)} to {longest} rows; {cures}, or say --task "
            "label for a class at each row"
        )
    raise DataError(
        f"the recordings have {min(lengths)} to {longest} rows; {cures}, or cut recordings that "
        "follow each other with --recording-rows"
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
