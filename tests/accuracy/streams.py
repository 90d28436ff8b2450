"""Figures of streaming tasks that are counted at chosen rows of the test recordings."""

from pathlib import Path
from typing import Any

import numpy as np

from rnnedge import run as runs
from rnnedge.api.judging import Judged, kept
from rnnedge.api.opened import open_run
from rnnedge.api.running import FloatVariant, IntegerVariant, streamed
from rnnedge.arrays import F64, I64
from rnnedge.convert.extract import extract_run
from rnnedge.train.evaluate import classification_metrics
from tests.accuracy.case import Figures


def answers(run: Path, given: Judged | None = None) -> tuple[runs.RunSpec, Judged, dict[str, F64]]:
    """Return a run, its test recordings (or others) and the scores of all rows, float and int8."""
    spec, model, windows = open_run(run)
    given = given or kept(windows)
    parts = given.cut(given.x)
    variants: dict[str, Any] = {
        "float": FloatVariant(parts=extract_run(run, spec), run=spec),
        "int8": IntegerVariant(model=model),
    }
    scores = {name: streamed(item, parts, model.outputs) for name, item in variants.items()}
    return spec, given, scores


def classes_at(run: Path, rows: I64, y: I64, given: Judged | None = None) -> Figures:
    """Return accuracy and macro-F1 at rows, of whole recordings from a zero state.

    Args:
        run: of the task "label".
        rows: int64 (n,), of the test part.
        y: int64 (n,), what is right there.
        given: recordings; None: the test part that the run keeps.
    """
    spec, _, scores = answers(run, given)
    found: Figures = {}
    said = {name: own[rows].argmax(axis=1) for name, own in scores.items()}
    for name, classes in said.items():
        figures = classification_metrics(y, classes, spec.classes)
        found |= {f"{name} {figure}": figures[figure] for figure in ("accuracy", "macro_f1")}
    return found | {"agreement": float((said["int8"] == said["float"]).mean())}


def forecast_errors(run: Path, spread: F64, skipped: int) -> Figures:
    """Return the mean squared error of each output, in units of a spread.

    Args:
        run: of the task "forecast".
        spread: float64 (outputs,), raw units.
        skipped: rows at the beginning of the test part, there to start the state, that do not
            count.
    """
    spec, given, scores = answers(run)
    mean = np.array([target.mean for target in spec.targets])
    std = np.array([target.std for target in spec.targets])
    found: Figures = {}
    for name, own in scores.items():
        error = np.square((own * std + mean - given.y) / spread)[skipped:]
        for index, output in enumerate(spec.classes):
            column = error[:, index]
            found[f"{name} mse {output}"] = float(column[np.isfinite(column)].mean())
    return found
