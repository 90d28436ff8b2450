"""Keras, imported when it is first needed, and without TensorFlow's start-up messages."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from rnnedge.errors import ToolError

_STDERR = 2


def keras() -> ModuleType:
    """Import Keras on TensorFlow and return it.

    Raises:
        ToolError: Keras or TensorFlow is not installed, or Keras is set to another backend.
    """
    if "keras" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        try:
            with _silent_stderr(), quiet():
                import tensorflow  # noqa: F401
        except ImportError as error:
            raise ToolError(
                f"training needs TensorFlow, which cannot be imported ({error}); "
                "pip install tensorflow"
            ) from None
    with quiet():
        import keras

    if keras.config.backend() != "tensorflow":
        raise ToolError(
            f"Keras runs on {keras.config.backend()}; set KERAS_BACKEND=tensorflow and try again"
        )
    return keras  # type: ignore[no-any-return]


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
