"""Run folders and data, opened and checked, for the calls of this package."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnedge import run as runs
from rnnedge.errors import ModelError
from rnnedge.modelfile import load_model
from rnnedge.spec import QuantizedModel

Document = dict[str, Any]
"""What a call returns and a command prints: the content of a JSON document."""

GOLDEN_WINDOWS = 2


def open_run(folder: Path) -> tuple[runs.RunSpec, QuantizedModel, runs.Windows]:
    """Read a run's description, model and windows, and check that they belong together.

    Raises:
        ModelError: no such run, damaged, or parts of different runs.
    """
    run = runs.load_run(folder)
    runs.check_seal(folder, run, runs.QUANTIZED_FILE, runs.WINDOWS_FILE)
    model = load_model(folder / runs.QUANTIZED_FILE)
    windows = runs.load_windows(folder)
    same = (
        run.classes == model.classes
        and tuple(channel.name for channel in run.channels) == model.channels
        and windows.X_test.shape[1:] == (run.window, len(model.channels))
    )
    if not same:
        raise ModelError(
            f"{folder / runs.RUN_JSON}: classes, channels or window are not those of the model; "
            "undo the change, or train again"
        )
    return run, model, windows


def read_windows(
    run: runs.RunSpec, data: Sequence[Path], *, labelled: bool, pad: bool = False
) -> tuple[Any, Any]:
    """Read data as the run's was; return its windows (WindowSet) and its recordings.

    With `pad` a recording that is shorter than a window is one, too (rnnedge.data.windows).
    """
    from rnnedge.data.prepare import prepare
    from rnnedge.data.readers import read
    from rnnedge.data.windows import cut

    channels = [channel.name for channel in run.channels]
    recordings = read(data, run.data_format, labelled=labelled, channels=channels)
    if labelled:
        recordings = recordings.part("test")  # an .npz may hold the training part, too
    recordings = prepare(recordings, run.data_format).data
    windows = cut(recordings, window=run.window, hop=run.hop, classes=run.classes, pad=pad)
    return windows, recordings.items
