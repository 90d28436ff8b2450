"""Sequences of any length as an .npz that `rnnedge train` reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.arrays import F32


def write_sequences(
    file: Path,
    train: Sequence[F32],
    test: Sequence[F32],
    *,
    channels: Sequence[str],
    units: Sequence[str] | None = None,
    **vectors: Any,
) -> None:
    """Write sequences one behind the other.

    Args:
        file: the .npz.
        train: float32 (rows, channels) each.
        test: the same.
        channels: their names.
        units: their units of measure.
        vectors: further arrays, such as y_train and group_test.
    """
    arrays: dict[str, Any] = {"channels": np.array(channels), **vectors}
    if units is not None:
        arrays["units"] = np.array(units)
    for part, items in (("train", train), ("test", test)):
        arrays[f"X_{part}"] = np.concatenate(items).astype(np.float32)
        arrays[f"ptr_{part}"] = np.cumsum([0, *map(len, items)])
    np.savez(file, **arrays)


def from_the_end(sequences: Sequence[F32], steps: int) -> F32:
    """Return windows that end where the sequences do; before a shorter one its first row is held.

    Args:
        sequences: float32 (rows, channels) each.
        steps: of a window.

    Returns:
        float32 (sequences, steps, channels).
    """
    rows = [np.maximum(np.arange(len(item) - steps, len(item)), 0) for item in sequences]
    windows = [item[own] for item, own in zip(sequences, rows, strict=True)]
    return np.stack(windows).astype(np.float32)
