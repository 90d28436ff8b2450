"""Random changes of training windows, so that few windows teach what many would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from rnnedge.arrays import F32, F64, I64
from rnnedge.errors import RnnedgeError
from rnnedge.train.rotation import turned

_FEW_WINDOWS = 200
_TURN = 15.0  # degrees; however many windows there are, turning helps
_LIMITS = {"rotate": 180.0, "shift": 1.0, "drop": 0.9}
_EACH_STEP = ("jitter", "scale", "rotate", "drift", "drop")
_FITTING = {
    "classify": ("mix", "shift", "warp", *_EACH_STEP),
    "label": _EACH_STEP,
    "map": ("jitter",),
    "forecast": ("jitter",),
    "anomaly": ("jitter",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How much training windows are changed; 0 switches a change off.

    Attributes:
        jitter: standard deviation of noise added to every sample, in standard deviations of the
            channel.
        scale: standard deviation of the logarithm of a factor on the distance from the channel's
            mean, one factor for a whole window.
        rotate: standard deviation, in degrees, of the angle by which groups of three axes are
            turned, about an axis of any direction; one turn for a whole window and all groups.
        drift: standard deviation of a constant added to a channel for a whole window, in standard
            deviations of the channel: another microphone, a sensor of another offset.
        shift: a window is moved in time by up to this share of its length; beyond its ends it is
            held.
        warp: a window is played at a speed of exp(-warp) to exp(warp) and shifted by up to
            warp / 2 of its length; beyond its ends it is held.
        drop: probability with which a channel rests at its mean for a whole window.
        mix: a window is mixed with another one, and so is their class, by a share drawn from
            Beta(mix, mix) (Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018).
    """

    jitter: float = 0.0
    scale: float = 0.0
    rotate: float = 0.0
    drift: float = 0.0
    shift: float = 0.0
    warp: float = 0.0
    drop: float = 0.0
    mix: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, limit = getattr(self, field.name), _LIMITS.get(field.name, 10.0)
            if not 0 <= value <= limit:
                raise RnnedgeError(
                    f"augment {field.name} is {value:g}, expected 0 (off) to {limit:g}"
                )

    @classmethod
    def for_windows(cls, windows: int) -> Self:
        """Return changes for a number of training windows: the fewer, the stronger.

        >>> many = Augmentation.for_windows(5000)
        >>> many.jitter, many.scale, many.rotate, many.warp, many.mix
        (0.06, 0.12, 15.0, 0.04, 0.04)
        """
        strength = min(1.0, (_FEW_WINDOWS / windows) ** 0.5)
        return cls(
            jitter=round(0.3 * strength, 4),
            scale=round(0.6 * strength, 4),
            rotate=round(max(_TURN, 2 * _TURN * strength), 4),
            warp=round(0.2 * strength, 4),
            mix=round(0.2 * strength, 4),
        )

    def fitting(self, task: str) -> Self:
        """Return only the changes after which the targets of a task are still right.

        >>> Augmentation(jitter=0.1, mix=0.1).fitting("forecast").mix
        0.0
        """
        kept = _FITTING.get(task, ())
        return replace(self, **{f.name: 0.0 for f in fields(self) if f.name not in kept})

    def apply(
        self,
        X: F32,
        Y: F32,
        mean: F64,
        std: F64,
        rng: np.random.Generator,
        groups: Sequence[tuple[int, ...]] = (),
        lengths: I64 | None = None,
    ) -> tuple[F32, F32]:
        """Return changed copies of windows and of their classes.

        Args:
            X: float32 (windows, steps, channels), raw units.
            Y: float32 (windows, classes), share of every class; with changes that fit a step each
                also (windows, steps, ...), any targets.
            mean: float64 (channels,), raw units.
            std: float64 (channels,), raw units.
            rng: source of the changes.
            groups: three channels each, the axes to turn.
            lengths: int64 (windows,), steps that count, of windows that are padded; None: all.
        """
        if self.warp > 0 or self.shift > 0:
            steps = np.full(len(X), X.shape[1], np.int64) if lengths is None else lengths
            X = _warped(X, steps[:, None], self.warp, self.warp / 2 + self.shift, rng)
        if self.rotate > 0 and groups:
            X = turned(X, self.rotate, groups, rng)
        if self.scale > 0:
            factor = np.exp(rng.normal(0, self.scale, (len(X), 1, 1)))
            X = ((X - mean) * factor + mean).astype(np.float32)
        if self.drift > 0:
            offset = rng.standard_normal((len(X), 1, X.shape[2]), np.float32)
            X = X + offset * (self.drift * std).astype(np.float32)
        if self.jitter > 0:
            noise = rng.standard_normal(X.shape, np.float32)
            X = X + noise * (self.jitter * std).astype(np.float32)
        if self.drop > 0:
            gone = rng.random((len(X), 1, X.shape[2])) < self.drop
            X = np.where(gone, mean.astype(np.float32), X)
        if self.mix > 0:
            X, Y = _mixed(X, Y, self.mix, rng)
        return X, Y


def parse(text: str) -> Mapping[str, float]:
    """Read changes as they are written in the command line.

    >>> parse("jitter=0.1,rotate=10")
    {'jitter': 0.1, 'rotate': 10.0}
    >>> sum(parse("none").values())
    0.0

    Raises:
        RnnedgeError: no such change, or no number.
    """
    known = [field.name for field in fields(Augmentation)]
    if text.strip() == "none":
        return dict.fromkeys(known, 0.0)
    found = {}
    for part in text.split(","):
        name, _, value = (word.strip() for word in part.partition("="))
        try:
            found[name] = float(value)
        except ValueError:
            found = {}
        if name not in known or not found:
            raise RnnedgeError(
                f"augment {part.strip()!r}: expected CHANGE=NUMBER with a change of "
                f"{', '.join(known)}, or none"
            )
    Augmentation(**found)
    return found


def _warped(X: F32, steps: I64, warp: float, farthest: float, rng: np.random.Generator) -> F32:
    """Resample windows of steps (windows, 1) linearly at another speed and place; hold their ends.

    What lies before the first step is that step, what lies behind the last is the last.
    """
    count = len(X)
    speed = np.exp(rng.uniform(-warp, warp, (count, 1)))
    shift = rng.uniform(-farthest, farthest, (count, 1)) * steps
    middle = (steps - 1) / 2
    time = np.clip((np.arange(X.shape[1]) - middle) * speed + middle + shift, 0, steps - 1)
    before = np.floor(time).astype(np.int64)
    after = np.minimum(before + 1, steps - 1)
    share = (time - before).astype(np.float32)[..., None]
    row = np.arange(count)[:, None]
    warped: F32 = X[row, before] * (1 - share) + X[row, after] * share
    return warped


def _mixed(X: F32, Y: F32, mix: float, rng: np.random.Generator) -> tuple[F32, F32]:
    """Mix every window with another one of the batch; it keeps the larger share."""
    share = rng.beta(mix, mix, len(X))
    share = np.maximum(share, 1 - share).astype(np.float32)
    other = rng.permutation(len(X))
    x, y = share[:, None, None], share[:, None]
    mixed_X: F32 = (X * x + X[other] * (1 - x)).astype(np.float32)
    mixed_Y: F32 = (Y * y + Y[other] * (1 - y)).astype(np.float32)
    return mixed_X, mixed_Y
