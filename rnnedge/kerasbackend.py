"""Keras, imported late and quietly; the one place that imports TensorFlow."""

import os
import warnings
from pathlib import Path
from typing import Any

from rnnedge.errors import ModelError, ToolError


def import_keras() -> Any:
    """Return the `keras` module on its TensorFlow backend, without start-up chatter.

    Raises:
        ToolError: Keras or TensorFlow is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its results depend on the machine
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecations inside TensorFlow itself
            import keras
    except ImportError as error:
        raise ToolError(
            f"Keras cannot be imported ({error}); install it: pip install rnnedge"
        ) from None
    return keras


def load_keras(path: Path) -> Any:
    """Load a .keras file for inference.

    Raises:
        ModelError: the file is missing, truncated or not a Keras 3 model.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file; expected a Keras model (.keras)")
    keras = import_keras()
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras raises nearly every kind for a damaged archive
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "empty message"
        raise ModelError(
            f"{path}: not a readable Keras 3 model ({type(error).__name__}: {reason}); "
            "train or save it again"
        ) from None
