"""Run folders and data, opened and checked, for the calls of this package."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnedge import run as runs
from rnnedge.errors import DataError, ModelError
from rnnedge.modelfile import load_model
from rnnedge.spec import QuantizedModel

Document = dict[str, Any]
"""What a call returns and a command prints: the content of a JSON document."""

GOLDEN_WINDOWS = 2
_OTHER_RATE = 1.1


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


def check_rate(run: runs.RunSpec, rate: float | None, data: Sequence[Path]) -> None:
    """Refuse data of another rate than the run's, where both are known by time stamps.

    Args:
        run: whose training says whether its rate was given by hand.
        rate: samples per second of the data, or None.
        data: its files, for the message.

    Raises:
        DataError: it is more than a tenth off.
    """
    from rnnedge.data.timeline import round_rate

    if rate is None or run.rate is None or run.training.get("rate_said", True):
        return
    if max(rate / run.rate, run.rate / rate) > _OTHER_RATE:
        raise DataError(
            f"{data[0]}: {rate:.4g} samples per second by its time stamps, the model was trained "
            f"on {run.rate:.4g}; give such data, or train with --resample {round_rate(rate)}"
        )


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
    ready = prepare(recordings, run.data_format)
    check_rate(run, ready.rate, data)
    recordings = ready.data
    windows = cut(recordings, window=run.window, hop=run.hop, classes=run.classes, pad=pad)
    return windows, recordings.items
