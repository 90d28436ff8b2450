"""Whether an office is occupied, each minute, without the light; both official test files."""

from pathlib import Path

import numpy as np

from rnnedge.api.judging import kept as judged
from rnnedge.run import load_windows
from tests.accuracy.case import Case, Figures, Goal
from tests.accuracy.streams import classes_at

_CHANNELS = {"Temperature": "deg C", "Humidity": "%", "CO2": "ppm", "HumidityRatio": "kg/kg"}


def write(folder: Path, file: Path) -> None:
    """Write the three recordings; the second of the test files is the longer one."""
    with np.load(folder / "occupancy.npz") as arrays:
        names = ["Temperature", "Humidity", "Light", "CO2", "HumidityRatio"]
        chosen = [names.index(name) for name in _CHANNELS]
        parts = {part: arrays[f"X_{part}"][:, chosen] for part in ("train", "test", "test2")}
        labels = {part: arrays[f"y_{part}"].astype(np.int64) for part in parts}
    np.savez(
        file,
        channels=np.array(list(_CHANNELS)),
        units=np.array(list(_CHANNELS.values())),
        classes=np.array(["empty", "occupied"]),
        X_train=parts["train"],
        y_train=labels["train"],
        X_test=np.concatenate([parts["test"], parts["test2"]]),
        y_test=np.concatenate([labels["test"], labels["test2"]]),
        ptr_test=np.cumsum([0, len(parts["test"]), len(parts["test2"])]),
    )


def measure(run: Path, _: object) -> Figures:
    """Accuracy of every minute of each test file."""
    given = judged(load_windows(run))
    found: Figures = {}
    y = np.asarray(given.y, np.int64)
    for number, (start, stop) in enumerate(zip(given.ends[:-1], given.ends[1:], strict=True), 1):
        rows = np.arange(start, stop)
        found |= {
            f"{name} of test file {number}": value
            for name, value in classes_at(run, rows, y[rows]).items()
        }
    return found


CASES = (
    Case(
        data="occupancy",
        name="occupied or not each minute, without light, GRU-8",
        write=write,
        options={
            "task": "label",
            "units": 8,
            "window": 120,
            "rate": 1 / 60,
            "dropout": 0.2,
            "epochs": 16,
            "lanes": 64,
            "learning_rate": 1e-2,
            "augment": {"drift": 0.7, "jitter": 0.0, "scale": 0.0},
        },
        measure=measure,
        goals=(
            Goal(figure="float accuracy of test file 1", bound=0.90),
            Goal(figure="float accuracy of test file 2", bound=0.80),
        ),
        others="logistic regression 0.881, 0.773; always empty 0.635, 0.790",
    ),
)
