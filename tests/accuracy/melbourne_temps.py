"""Daily least and greatest temperature of Melbourne; the last two years are tested."""

from pathlib import Path

import numpy as np

from tests.accuracy.case import Case, Figures, Goal
from tests.accuracy.streams import forecast_errors

_TESTED = 730
_CONTEXT = 60


def write(folder: Path, file: Path) -> None:
    """Write both series; the test part begins 60 days early, which are not counted."""
    with np.load(folder / "melbourne_temps.npz") as arrays:
        series = np.stack([arrays["min"], arrays["max"]], axis=1)
    first = len(series) - _TESTED
    np.savez(
        file, X_train=series[:first], X_test=series[first - _CONTEXT :],
        channels=np.array(["min", "max"]), units=np.array(["deg C", "deg C"]),
    )  # fmt: skip


def measure(run: Path, _: object) -> Figures:
    """Mean squared errors in standard deviations of the days before the last two years."""
    with np.load(run.parent / "data.npz") as arrays:
        spread = arrays["X_train"].std(axis=0, dtype=np.float64)
    return forecast_errors(run, spread, _CONTEXT)


CASES = (
    Case(
        data="melbourne_temps",
        name="least and greatest temperature 1 day ahead, GRU-12",
        write=write,
        options={
            "task": "forecast", "units": 12, "window": 96, "burn_in": 24, "dropout": 0.1,
        },
        measure=measure,
        goals=(
            Goal(figure="float mse min +1", bound=0.297, error=True),
            Goal(figure="float mse max +1", bound=0.399, error=True),
        ),
        others="min, max: persistence 0.373, 0.511; linear AR(30) of each alone 0.297, 0.399",
    ),
)  # fmt: skip
