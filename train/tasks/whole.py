"""Whole recordings, put together again of their windows."""

from typing import Any

import numpy as np

from rnnedge.data.windows import WindowSet
from rnnedge.train.tasks.kept import joined

_MOST_ROWS = 500_000


def whole_recordings(windows: WindowSet) -> dict[str, Any]:
    """Return "stream", "stream_ptr" and "stream_y" of rnnedge.run.Windows, of windows that overlap.

    Each recording, as far as its windows follow each other without a hole, with the class of each
    row: that of the last window that holds it. Nothing where no recording is longer than a window.
    """
    steps = windows.X.shape[1]
    values, classes = [], []
    for recording in np.unique(windows.recording):
        own = np.flatnonzero(windows.recording == recording)
        own = own[np.argsort(windows.start[own], kind="stable")]
        holes = np.flatnonzero(np.diff(windows.start[own]) > steps) + 1
        for part in np.split(own, holes):
            starts = windows.start[part] - windows.start[part[0]]
            last = steps if windows.lengths is None else int(windows.lengths[part[-1]])
            rows = np.empty((int(starts[-1]) + last, windows.X.shape[2]), np.float32)
            label = np.empty(len(rows), np.int64)
            for index, first in zip(part, starts, strict=True):
                rows[first : first + steps] = windows.X[index][: len(rows) - first]
                label[first : first + steps] = windows.y[index]
            values.append(rows)
            classes.append(label)
    if max(map(len, values)) <= steps:
        return {}
    while sum(map(len, values)) > _MOST_ROWS and len(values) > 1:
        values.pop()
        classes.pop()
    stream, ends = joined(values)
    return {"stream": stream, "stream_ptr": ends, "stream_y": np.concatenate(classes)}
