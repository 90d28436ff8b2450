"""Temperature of a machine, each five minutes: forecast, and its four labelled anomalies."""

from pathlib import Path

import numpy as np

from rnnedge.api.judging import kept
from rnnedge.api.opened import open_run
from rnnedge.simulator import detect, quantize
from rnnedge.train.tasks.metrics import alarms
from tests.accuracy.case import Case, Figures, Goal
from tests.accuracy.streams import forecast_errors

_SHARE = 0.8
_PROBATION = 0.15
_CONTEXT = 288
_RATE = 1 / 300


def write(folder: Path, file: Path) -> None:
    """Write the series; the test part begins a day early, which is not counted."""
    with np.load(folder / "nab_machine_temp.npz") as arrays:
        series = arrays["value"][:, None]
    first = int(len(series) * _SHARE)
    np.savez(
        file, X_train=series[:first], X_test=series[first - _CONTEXT :],
        channels=np.array(["temperature"]), units=np.array(["deg F"]),
    )  # fmt: skip


def labelled(folder: Path, file: Path) -> None:
    """Write the series with its labels; the first 15 % are trained on, an anomaly among them."""
    with np.load(folder / "nab_machine_temp.npz") as arrays:
        series, labels = arrays["value"][:, None], arrays["in_anomaly_window"].astype(np.int64)
    first = int(len(series) * _PROBATION)
    np.savez(
        file, X_train=series[:first], y_train=labels[:first], X_test=series[first:],
        y_test=labels[first:], classes=np.array(["normal", "anomaly"]),
        channels=np.array(["temperature"]), units=np.array(["deg F"]),
    )  # fmt: skip


def measure(run: Path, _: object) -> Figures:
    """Mean squared errors in standard deviations of the first four fifths."""
    with np.load(run.parent / "data.npz") as arrays:
        spread = arrays["X_train"].std(axis=0, dtype=np.float64)
    return forecast_errors(run, spread, _CONTEXT)


def alarms_of(run: Path, _: object) -> Figures:
    """Anomalies found by the device's detector, and its false alarms."""
    _, model, windows = open_run(run)
    with np.load(run.parent / "data.npz") as arrays:
        normal = arrays["y_test"] == 0
    given = kept(windows)
    labels = detect(model, quantize(model.input, given.x[None])).labels[0]
    # the last row has no value behind it, and so is no row of the run
    found = alarms(labels, normal[: len(labels)], _RATE)
    figures = {f"int8 window {i + 1} found": float(yes) for i, yes in enumerate(found["found"])}
    figures["int8 windows found"] = float(sum(found["found"]))
    figures["int8 false alarms a day"] = float(found["false_alarms_per_day"])
    return figures


_OPTIONS = {"units": 16, "window": 96, "burn_in": 24, "rate": _RATE}
CASES = (
    Case(
        data="nab_machine_temp",
        name="temperature 5 min ahead, GRU-16",
        write=write,
        options={"task": "forecast", "validation_fraction": 0.03, **_OPTIONS},
        measure=measure,
        goals=(Goal(figure="float mse temperature +1", bound=0.00686, error=True),),
        others="persistence 0.0077, linear AR(48) 0.00686",
    ),
    Case(
        data="nab_machine_temp",
        name="anomalies, GRU-16",
        write=labelled,
        options={"task": "anomaly", **_OPTIONS},
        measure=alarms_of,
    ),
)
