"""Nine speakers by one vowel, 7 to 29 frames of 12 coefficients; official split."""

from pathlib import Path

import numpy as np

from tests.accuracy.case import Case, Goal
from tests.accuracy.streams import at_last_row


def write(folder: Path, file: Path) -> None:
    """Write the utterances as they are."""
    with np.load(folder / "japanese_vowels.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    for part in ("train", "test"):
        kept[f"y_{part}"] = kept[f"y_{part}"].astype(np.int64)
    np.savez(file, **kept)


CASES = (
    Case(
        data="japanese_vowels",
        name="9 speakers, GRU-32, a class each frame, asked at the last",
        write=write,
        options={
            "task": "label", "units": 32, "window": 32, "dropout": 0.2,
            "augment": {"jitter": 0.2},
        },
        measure=at_last_row,
        goals=(Goal(figure="float accuracy", bound=0.98),),
        others="logistic regression on statistics 0.981",
    ),
)  # fmt: skip
