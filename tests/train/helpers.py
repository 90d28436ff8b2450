"""Recordings made of numbers that say where they come from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.data.readers import Recording, Recordings
from rnnedge.train.progress import Silent


def recording(
    number: int,
    label: str | None = "a",
    *,
    rows: int = 4,
    group: str | None = None,
    part: str | None = None,
) -> Recording:
    """A recording whose sample t is (number, t)."""
    return Recording(
        values=np.stack([np.full(rows, number), np.arange(rows)], axis=1).astype(np.float32),
        label=label,
        group=group,
        source=f"file.csv recording {number}",
        file="file.csv",
        start_row=2,
        part=part,
    )


def together(items: Sequence[Recording]) -> Recordings:
    labels = sorted({item.label for item in items if item.label is not None})
    return Recordings(
        items=tuple(items), channels=("number", "time"), units=("", ""), classes=tuple(labels)
    )


def waves_csv(path: Path, *, recordings: int = 12, rows: int = 24, seed: int = 0) -> Path:
    """Two classes that differ in frequency; one recording after the other."""
    rng = np.random.default_rng(seed)
    lines = ["r,x [V],y,label"]
    for number in range(recordings):
        label, step = (("slow", 0.3), ("fast", 1.2))[number % 2]
        phase = rng.uniform(0, 6)
        for t in range(rows):
            x, y = np.sin(phase + step * t), rng.normal()
            lines.append(f"{number},{x:.4f},{y:.4f},{label}")
    path.write_text("\n".join(lines) + "\n")
    return path


class Interrupting(Silent):
    """Ctrl-C at the end of an epoch."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self.seen: list[int] = []

    def update(self, epoch: int, figures: Any) -> None:
        self.seen.append(epoch)
        if epoch == self._epoch:
            raise KeyboardInterrupt
