"""Logs for TensorBoard, which need not be installed."""

import importlib.util
from pathlib import Path
from typing import Any

from rnnedge.errors import ToolError
from rnnedge.kerasbackend import keras


def check_tensorboard() -> None:
    """Refuse to write logs without TensorBoard's package.

    Raises:
        ToolError: says how to install it.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise ToolError("--tensorboard needs TensorBoard; install it: pip install tensorboard")


def log_to(folder: Path) -> Any:
    """Return a Keras callback that writes the figures of every epoch into a folder.

    Raises:
        ToolError: TensorBoard is not installed.
    """
    check_tensorboard()
    return keras().callbacks.TensorBoard(
        log_dir=str(folder), write_graph=False, profile_batch=0, update_freq="epoch"
    )
