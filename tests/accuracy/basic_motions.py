"""Four motions by a watch, 40 windows to learn from, 40 to test."""

from pathlib import Path

import numpy as np

from tests.accuracy.case import Case, Goal, classified, each_cell


def write(folder: Path, file: Path) -> None:
    """Write the windows with the names of their channels."""
    with np.load(folder / "basic_motions.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    kept["channels"] = np.array(["acc x", "acc y", "acc z", "gyr x", "gyr y", "gyr z"])
    np.savez(file, **kept)


CASES = each_cell(
    Case(
        data="basic_motions",
        name="4 motions, GRU-32",
        write=write,
        options={"units": 32, "rate": 10.0},
        measure=classified,
        goals=(Goal(figure="float accuracy", bound=0.975),),
        others="logistic regression on statistics 0.975",
    ),
    lstm=28,
    rnn=32,
)
