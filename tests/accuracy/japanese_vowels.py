"""Nine speakers by one vowel, 7 to 29 frames of 12 coefficients; official split."""

from pathlib import Path

import numpy as np

from tests.accuracy.case import Case, Goal, classified, each_cell
from tests.accuracy.files import from_the_end

_FRAMES = 29


def write(folder: Path, file: Path) -> None:
    """Write windows of 29 frames; before a shorter utterance its first frame is held."""
    with np.load(folder / "japanese_vowels.npz") as arrays:
        windows = {
            f"X_{part}": from_the_end(
                np.split(arrays[f"X_{part}"], arrays[f"ptr_{part}"][1:-1]), _FRAMES
            )
            for part in ("train", "test")
        }
        labels = {f"y_{part}": arrays[f"y_{part}"].astype(np.int64) for part in ("train", "test")}
    np.savez(file, **windows, **labels)


CASES = each_cell(
    Case(
        data="japanese_vowels",
        name="9 speakers, GRU-32",
        write=write,
        options={"units": 32},
        measure=classified,
        goals=(Goal(figure="float accuracy", bound=0.98),),
        others="logistic regression on statistics 0.981",
    ),
    lstm=28,
    rnn=32,
)
