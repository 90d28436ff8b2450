"""What needs no network, beside what a network answers."""

from collections.abc import Sequence

import numpy as np

from rnnedge.api.opened import Document
from rnnedge.arrays import F32, I64
from rnnedge.run import RunSpec


def baselines(run: RunSpec, y: F32 | I64, parts: Sequence[F32]) -> Document:
    """Measure the simplest answers on sequences.

    Args:
        run: its task, and what the training found.
        y: what is right: int64 (rows,), or float32 (rows, outputs), raw units.
        parts: float32 (steps, channels) of each sequence, raw units.

    Returns:
        Of a forecast and of anomalies "persistence" and "linear, N values", with figures as in
        rnnedge.train.tasks.metrics.errors; of labels "majority": class (the most frequent one of
        the training part), accuracy and macro_f1; of other tasks nothing.
    """
    if run.task == "label":
        return {"majority": _majority(run, np.asarray(y, np.int64))}
    if run.task not in ("forecast", "anomaly"):
        return {}
    from rnnedge.train.tasks.baselines import forecasts, persistence
    from rnnedge.train.tasks.metrics import errors

    found = {
        "persistence": np.concatenate([persistence(x, run.channels, run.targets) for x in parts])
    }
    linear = run.training.get("linear")
    if linear is not None:
        found[f"linear, {linear['order']} values"] = np.concatenate(
            [forecasts(linear, x, run.channels, run.targets) for x in parts]
        )
    right = np.asarray(y, np.float32)
    return {name: errors(right, answer, run.targets) for name, answer in found.items()}


def _majority(run: RunSpec, y: I64) -> Document:
    from rnnedge.train.evaluate import classification_metrics

    known = y[y >= 0]
    counts = run.training.get("occurrences") or np.bincount(known, minlength=len(run.classes))
    most = int(np.argmax(counts))
    found = classification_metrics(known, np.full_like(known, most), run.classes)
    return {
        "class": run.classes[most],
        **{name: found[name] for name in ("accuracy", "macro_f1")},
    }
