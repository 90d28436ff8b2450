"""Keras, imported when it is first needed and quietly; the one place that imports TensorFlow."""

import os
import sys
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rnnedge.errors import ModelError, ToolError

_STDERR = 2


def keras() -> Any:
    """Import Keras on TensorFlow and return it.

    Raises:
        ToolError: Keras or TensorFlow is not installed, or Keras is set to another backend.
    """
    if "keras" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its results depend on the machine
        os.environ["KERAS_BACKEND"] = "tensorflow"
        try:
            with _silent_stderr(), quiet():
                import tensorflow  # noqa: F401
        except ImportError as error:
            raise ToolError(
                f"TensorFlow cannot be imported ({error}); install it: pip install tensorflow"
            ) from None
    with quiet():
        import keras

    if keras.config.backend() != "tensorflow":
        raise ToolError(
            f"Keras runs on {keras.config.backend()}; set KERAS_BACKEND=tensorflow and try again"
        )
    keras.config.set_floatx("float32")  # whatever the user's keras.json says
    return keras


def keras_version() -> str:
    """Return the version of Keras that is installed, without importing it.

    Raises:
        ToolError: Keras is not installed.
    """
    try:
        return version("keras")
    except PackageNotFoundError:
        return str(keras().__version__)


def load_keras(path: Path) -> Any:
    """Load a .keras file for inference.

    Raises:
        ModelError: the file is missing, cut short or not a Keras 3 model.
        ToolError: Keras or TensorFlow cannot be imported.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file; expected a Keras model (.keras)")
    if not zipfile.is_zipfile(path):
        raise ModelError(f"{path}: not a .keras file, or cut short; train or save it again")
    saving = keras().saving
    try:
        with quiet():
            return saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the damaged part happens to cause
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:120]
        raise ModelError(
            f"{path}: damaged or no Keras 3 model ({reason}); train or save it again"
        ) from None


@contextmanager
def quiet() -> Iterator[None]:
    """Hide warnings that Keras and TensorFlow cause among themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Drop what C++ code writes to stderr before its log level can be set."""
    sys.stderr.flush()
    kept = os.dup(_STDERR)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), _STDERR)
            yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
