"""Random changes of training windows, so that few windows teach what many would."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from rnnedge.arrays import F32, F64

_FEW_WINDOWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How much training windows are changed; 0 switches a change off.

    Attributes:
        jitter: standard deviation of noise added to every sample, in standard deviations of the
            channel.
        scale: standard deviation of the logarithm of a factor on the distance from the channel's
            mean, one factor for a whole window.
        warp: a window is played at a speed of exp(-warp) to exp(warp) and shifted by up to
            warp / 2 of its length; beyond its ends it is held.
        mix: a window is mixed with another one, and so is their class, by a share drawn from
            Beta(mix, mix) (Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018).
    """

    jitter: float = 0.0
    scale: float = 0.0
    warp: float = 0.0
    mix: float = 0.0

    @classmethod
    def for_windows(cls, windows: int) -> Self:
        """Return changes for a number of training windows: the fewer, the stronger.

        >>> Augmentation.for_windows(5000)
        Augmentation(jitter=0.06, scale=0.12, warp=0.04, mix=0.04)
        """
        strength = min(1.0, (_FEW_WINDOWS / windows) ** 0.5)
        return cls(
            jitter=round(0.3 * strength, 4),
            scale=round(0.6 * strength, 4),
            warp=round(0.2 * strength, 4),
            mix=round(0.2 * strength, 4),
        )

    def apply(
        self, X: F32, Y: F32, mean: F64, std: F64, rng: np.random.Generator
    ) -> tuple[F32, F32]:
        """Return changed copies of windows and of their classes.

        Args:
            X: float32 (windows, steps, channels), raw units.
            Y: float32 (windows, classes), share of every class.
            mean: float64 (channels,), raw units.
            std: float64 (channels,), raw units.
            rng: source of the changes.
        """
        if self.warp > 0:
            X = _warped(X, self.warp, rng)
        if self.scale > 0:
            factor = np.exp(rng.normal(0, self.scale, (len(X), 1, 1)))
            X = ((X - mean) * factor + mean).astype(np.float32)
        if self.jitter > 0:
            noise = rng.standard_normal(X.shape, np.float32)
            X = X + noise * (self.jitter * std).astype(np.float32)
        if self.mix > 0:
            X, Y = _mixed(X, Y, self.mix, rng)
        return X, Y


def _warped(X: F32, warp: float, rng: np.random.Generator) -> F32:
    """Resample windows linearly at another speed and place."""
    count, steps, _ = X.shape
    speed = np.exp(rng.uniform(-warp, warp, (count, 1)))
    shift = rng.uniform(-warp, warp, (count, 1)) * steps / 2
    middle = (steps - 1) / 2
    time = np.clip((np.arange(steps) - middle) * speed + middle + shift, 0, steps - 1)
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
