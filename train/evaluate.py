"""Predictions of a trained model, and how right they are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.arrays import F32, I64
from rnnedge.errors import ModelError
from rnnedge.kerasbackend import load_keras, quiet
from rnnedge.train.models import masked

_BATCH = 512


def predict(model_path: Path, X: F32, lengths: I64 | None = None) -> F32:
    """Run the float model.

    Args:
        model_path: a .keras file of `rnnedge train`.
        X: float32 (windows, steps, channels), raw units.
        lengths: int64 (windows,), steps that count, of padded windows; None: all.

    Returns:
        float32 (windows, classes), probabilities.

    Raises:
        ModelError: the file is damaged, or takes windows of another shape.
    """
    model = load_keras(model_path)
    if tuple(model.input_shape[1:]) != X.shape[1:]:
        raise ModelError(
            f"{model_path}: takes windows of {tuple(model.input_shape[1:])} (steps, channels), "
            f"not {X.shape[1:]}"
        )
    given: Any = X
    if lengths is not None:
        model = masked(model)
        given = {"x": X, "steps": lengths.astype(np.float32)[:, None]}
    with quiet():
        return np.asarray(model.predict(given, batch_size=_BATCH, verbose=0), dtype=np.float32)


def classification_metrics(y: I64, predicted: I64, classes: Sequence[str]) -> dict[str, Any]:
    """Count right and wrong answers.

    Args:
        y: int64 (windows,), true class index.
        predicted: int64 (windows,), predicted class index.
        classes: class names.

    Returns:
        accuracy and macro_f1 (0..1, over the classes that occur in y), windows, classes, and
        confusion: a row per true class, a column per predicted class.
    """
    from sklearn.metrics import confusion_matrix, f1_score

    return {
        "accuracy": float(np.mean(y == predicted)),
        "macro_f1": float(
            f1_score(y, predicted, labels=np.unique(y), average="macro", zero_division=0)
        ),
        "windows": len(y),
        "classes": list(classes),
        "confusion": confusion_matrix(y, predicted, labels=range(len(classes))).tolist(),
    }
