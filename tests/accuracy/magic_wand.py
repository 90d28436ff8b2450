"""Five gestures of an Arduino board, 100 to learn from, 25 to test."""

from pathlib import Path

import numpy as np

from tests.accuracy.case import Case, Goal, classified, each_cell


def write(folder: Path, file: Path) -> None:
    """Write the windows with the names of their channels."""
    with np.load(folder / "magic_wand.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    kept["channels"] = np.array(["acc x", "acc y", "acc z", "gyr x", "gyr y", "gyr z"])
    np.savez(file, **kept)


CASES = each_cell(
    Case(
        data="magic_wand",
        name="5 gestures, GRU-32",
        write=write,
        options={"units": 32, "rate": 119.0},
        measure=classified,
        goals=(Goal(figure="float accuracy", bound=0.92),),
        others="logistic regression on statistics 0.84, the repository's own model 0.88",
    ),
    lstm=28,
    rnn=32,
)
