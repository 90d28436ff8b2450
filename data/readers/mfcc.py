"""Mel-frequency cepstral coefficients of sound, by SciPy's discrete cosine transform."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from rnnedge.arrays import F32, F64
from rnnedge.errors import DataError

_FLOOR = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Mfcc:
    """How coefficients are made of sound.

    Attributes:
        frame_ms: length of a frame, ms; a Hann window weighs it.
        hop_ms: from the start of a frame to that of the next, ms.
        bands: triangular bands, of equal width in mel (2595 log10(1 + f / 700)).
        coefficients: the first ones of the orthonormal DCT-II of the bands' log energies.
        low: lower end of the bands, Hz.
        high: their upper end, Hz; 0: half the rate of the samples.
        rate: samples per second that sound must have; 0: those of the first file.
    """

    frame_ms: float = 32.0
    hop_ms: float = 16.0
    bands: int = 20
    coefficients: int = 13
    low: float = 80.0
    high: float = 0.0
    rate: int = 0

    @classmethod
    def of(cls, options: Mapping[str, float]) -> "Mfcc":
        """Return the recipe with some options set.

        Raises:
            DataError: an option that is none, or out of range.
        """
        names = [field.name for field in fields(cls)]
        for name in options:
            if name not in names:
                raise DataError(f"mfcc has no option {name!r}, only {', '.join(names)}")
        whole = {"bands", "coefficients", "rate"}
        set_ = {name: int(v) if name in whole else float(v) for name, v in options.items()}
        recipe = cls(**set_)  # type: ignore[arg-type]
        if not 1 <= recipe.coefficients <= recipe.bands <= 256:
            raise DataError(
                f"mfcc of {recipe.coefficients} coefficients from {recipe.bands} bands, expected "
                "1 <= coefficients <= bands <= 256"
            )
        if not (0 < recipe.hop_ms <= 1000 and 0 < recipe.frame_ms <= 1000):
            raise DataError("frame_ms and hop_ms are between 0 and 1000 ms")
        return recipe

    def frame(self, rate: int) -> int:
        """Return the samples of a frame."""
        return max(2, round(self.frame_ms * rate / 1000))

    def hop(self, rate: int) -> int:
        """Return the samples between two frames."""
        return max(1, round(self.hop_ms * rate / 1000))

    def filters(self, rate: int) -> F64:
        """Return the weight of each bin of the spectrum in each band, (bands, bins).

        Raises:
            DataError: the bands do not fit below half the rate, or one is narrower than a bin.
        """
        high = self.high or rate / 2
        if not 0 <= self.low < high <= rate / 2:
            raise DataError(
                f"mfcc bands from {self.low:g} to {high:g} Hz, expected 0 <= low < high <= "
                f"{rate / 2:g}, half the rate of the samples"
            )
        mel = np.linspace(_mel(self.low), _mel(high), self.bands + 2)
        edges = 700 * (10 ** (mel / 2595) - 1)
        bins = np.fft.rfftfreq(self.frame(rate), 1 / rate)
        rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
        fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
        weights: F64 = np.clip(np.minimum(rise, fall), 0, None)
        if not weights.any(axis=1).all():
            raise DataError(
                f"mfcc: {self.bands} bands are narrower than the spectrum of a frame of "
                f"{self.frame(rate)} samples tells apart; take fewer bands or longer frames"
            )
        return weights

    def coefficients_of(self, sound: F64, rate: int) -> F32:
        """Return the coefficients of a sound; it is padded with silence to one frame.

        Args:
            sound: float64 (samples,), full scale is 1.
            rate: samples per second.

        Returns:
            float32 (frames, coefficients).

        Raises:
            DataError: the bands do not fit.
        """
        from scipy.fft import dct

        frame, hop, filters = self.frame(rate), self.hop(rate), self.filters(rate)
        padded = np.pad(sound, (0, max(0, frame - len(sound))))
        frames = np.lib.stride_tricks.sliding_window_view(padded, frame)[::hop]
        window = np.hanning(frame)
        power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
        logs = np.log(power @ filters.T + _FLOOR)
        found: F32 = dct(logs, type=2, norm="ortho", axis=1)[:, : self.coefficients].astype(
            np.float32
        )
        return found


def _mel(frequency: float) -> float:
    return float(2595 * np.log10(1 + frequency / 700))
