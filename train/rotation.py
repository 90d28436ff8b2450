"""Sensors of three axes: finding them by their names, and turning them a little."""

import re
from collections.abc import Sequence

import numpy as np

from rnnedge.arrays import F32, F64
from rnnedge.errors import DataError

_AXES = "xyz"


def axis_groups(
    channels: Sequence[str], wanted: Sequence[Sequence[str]] | None = None
) -> tuple[tuple[int, ...], ...]:
    """Return the positions of the axes of each sensor, x, y, z.

    Args:
        channels: names of all channels.
        wanted: names of three channels for each sensor; None: those whose names differ in a
            single x, y or z, at the beginning or the end of a word.

    Raises:
        DataError: a wanted channel does not exist.

    >>> axis_groups(["ax", "ay", "az", "t", "gyro_x", "gyro_y", "gyro_z"])
    ((0, 1, 2), (4, 5, 6))
    >>> axis_groups(["x", "y", "z"], [["z", "y", "x"]])
    ((2, 1, 0),)
    """
    if wanted is not None:
        for name in (name for group in wanted for name in group):
            if name not in channels:
                raise DataError(
                    f"rotate group: there is no channel {name!r}, only {', '.join(channels)}"
                )
        return tuple(tuple(list(channels).index(name) for name in group) for group in wanted)
    found: dict[tuple[str, str], dict[str, int]] = {}
    for index, name in enumerate(channels):
        for match in re.finditer(r"(?<![a-z])[xyz]|[xyz](?![a-z])", name.lower()):
            stem = name.lower()[: match.start()], name.lower()[match.end() :]
            found.setdefault(stem, {})[match[0]] = index
    groups = (tuple(axes[axis] for axis in _AXES) for axes in found.values() if len(axes) == 3)
    taken: list[tuple[int, ...]] = []
    for group in sorted(groups):
        if not any(set(group) & set(other) for other in taken):
            taken.append(group)
    return tuple(taken)


def turned(
    X: F32, degrees: float, groups: Sequence[tuple[int, ...]], rng: np.random.Generator
) -> F32:
    """Return windows as if the whole device had been mounted a little askew.

    Args:
        X: float32 (windows, steps, channels), raw units.
        degrees: standard deviation of the angle.
        groups: positions of the axes of each sensor.
        rng: decides angle and direction.
    """
    turn = _rotations(len(X), np.radians(degrees), rng).astype(np.float32)
    X = X.copy()
    for group in groups:
        X[:, :, list(group)] = X[:, :, list(group)] @ turn
    return X


def _rotations(count: int, spread: float, rng: np.random.Generator) -> F64:
    """Draw float64 (count, 3, 3) rotations, about any axis (Rodrigues' formula)."""
    axis = rng.standard_normal((count, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = rng.normal(0, spread, (count, 1, 1))
    cross = np.cross(np.eye(3), axis[:, None, :])
    rotations: F64 = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return rotations
