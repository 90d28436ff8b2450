"""ETTh1: oil temperature of a transformer, hourly; the last fifth is tested."""

from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.run import DataFormat
from tests.accuracy.case import Case, Figures, Goal
from tests.accuracy.streams import forecast_errors

_SHARE = 0.8
_CONTEXT = 168
_OT = 6


def write(folder: Path, file: Path) -> None:
    """Write the oil temperature; the test part begins a week early, which is not counted."""
    with np.load(folder / "etth1.npz") as arrays:
        series = arrays["X"][:, _OT:]
    first = int(len(series) * _SHARE)
    channels, units = np.array(["OT"]), np.array(["deg C"])
    np.savez(
        file, X_train=series[:first], X_test=series[first - _CONTEXT :], channels=channels,
        units=units,
    )  # fmt: skip


def measure(run: Path, _: object) -> Figures:
    """Mean squared errors in standard deviations of the first four fifths."""
    with np.load(run.parent / "data.npz") as arrays:
        spread = arrays["X_train"].std(axis=0, dtype=np.float64)
    return forecast_errors(run, spread, _CONTEXT)


def _case(hours: int, model: str, bound: float, others: str, **options: Any) -> Case:
    return Case(
        data="etth1",
        name=f"oil temperature {hours} h ahead, {model}",
        write=write,
        form=DataFormat(targets=("OT",)),
        options={
            "task": "forecast", "horizons": (hours,), "window": 96, "burn_in": 24, "rate": 1 / 3600,
            **options,
        },
        measure=measure,
        goals=(Goal(figure=f"float mse OT +{hours}", bound=bound, error=True),),
        others=others,
    )  # fmt: skip


CASES = (
    _case(
        1,
        "LSTM-32",
        0.00517,
        "persistence 0.00542, linear AR(48) 0.00517",
        cell="lstm",
        units=32,
        lanes=64,
        epochs=48,
        learning_rate=1e-2,
        validation_fraction=0.03,
    ),
    _case(
        24,
        "GRU-16",
        0.0613,
        "persistence 0.0634, linear AR(48) 0.0613",
        units=16,
        epochs=10,
        validation_fraction=0.03,
    ),
)
