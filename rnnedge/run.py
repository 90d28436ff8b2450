"""The run folder: what `rnnedge train` leaves for every later command.

::

    RUN/
      run.json        readable: data format, channels, classes, normalisation, split, training
      model.keras     raw windows in, class probabilities out (normalisation is its first layer)
      quantized.npz   the quantised model, hashed (rnnedge.modelfile)
      windows.npz     calibration, X_test, y_test: raw units
      metrics.json    metrics on the test part
      history.csv     one row an epoch
"""

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.arrays import F32, I64
from rnnedge.errors import ModelError

RUN_JSON = "run.json"
KERAS_FILE = "model.keras"
QUANTIZED_FILE = "quantized.npz"
WINDOWS_FILE = "windows.npz"
METRICS_FILE = "metrics.json"
HISTORY_FILE = "history.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One input channel and its normalisation, ``(raw - mean) / std``.

    Attributes:
        name: column name in the data.
        unit: unit of measure, "" if unknown.
        mean: mean over the training windows, raw units.
        std: standard deviation over the training windows, raw units, > 0.
    """

    name: str
    unit: str
    mean: float
    std: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFormat:
    """How the data files are to be read, in `rnnedge train` and ever after.

    Attributes:
        label: name of the label column.
        group: column that must not be divided between the parts (a subject, a machine), or None.
        recording: column that numbers the recordings, or None.
        recording_rows: rows of one recording where recordings follow each other without
            separator, or None.
        ignore: columns that are no channels.
        channels: columns that are channels, in order; empty: all that are left.
    """

    label: str = "label"
    group: str | None = None
    recording: str | None = None
    recording_rows: int | None = None
    ignore: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """Everything about a run that later commands and people need, as in run.json.

    Attributes:
        name: C identifier, base name of exported files.
        task: "classify".
        cell: "gru".
        units: width of the recurrent layer.
        reset_after: GRU form.
        window: time steps of a window.
        hop: time steps between the starts of two windows of one recording.
        rate: samples per second, or None.
        channels: the inputs, in order.
        classes: class names, in the order of the scores.
        data_format: how the files were read.
        split: how windows were divided, with files, groups and counts (for people).
        training: seed, epochs and the like (for people).
        rnnedge: version that wrote the run.
    """

    name: str
    task: str
    cell: str
    units: int
    reset_after: bool
    window: int
    hop: int
    rate: float | None
    channels: tuple[Channel, ...]
    classes: tuple[str, ...]
    data_format: DataFormat
    split: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    rnnedge: str = ""

    def save(self, folder: Path) -> None:
        """Write run.json into `folder`."""
        (folder / RUN_JSON).write_text(json.dumps(asdict(self), indent=2) + "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The windows kept in a run folder, raw units.

    Attributes:
        calibration: float32 (windows, steps, channels), from the training part.
        X_test: float32 (windows, steps, channels).
        y_test: int64 (windows,), class index.
    """

    calibration: F32
    X_test: F32
    y_test: I64

    def save(self, folder: Path) -> None:
        """Write windows.npz into `folder`."""
        np.savez_compressed(
            folder / WINDOWS_FILE,
            calibration=self.calibration,
            X_test=self.X_test,
            y_test=self.y_test,
        )


def load_run(folder: Path) -> RunSpec:
    """Read run.json.

    Raises:
        ModelError: no run folder, or one that is damaged or of another version.
    """
    with _explained(folder / RUN_JSON):
        raw = json.loads((folder / RUN_JSON).read_text())
        raw["channels"] = tuple(Channel(**channel) for channel in raw["channels"])
        raw["classes"] = tuple(raw["classes"])
        form = raw["data_format"]
        form["ignore"], form["channels"] = tuple(form["ignore"]), tuple(form["channels"])
        raw["data_format"] = DataFormat(**form)
        return RunSpec(**raw)


def load_windows(folder: Path) -> Windows:
    """Read windows.npz.

    Raises:
        ModelError: the file is missing or damaged.
    """
    with (
        _explained(folder / WINDOWS_FILE),
        (folder / WINDOWS_FILE).open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return Windows(**{key: arrays[key] for key in arrays.files})


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what can go wrong while reading a run's file into one line."""
    if not path.parent.is_dir():
        raise ModelError(f"{path.parent}: no such run folder; make one with rnnedge train")
    try:
        yield
    except FileNotFoundError:
        raise ModelError(
            f"{path.parent}: no {path.name} here; is this a run folder of rnnedge train?"
        ) from None
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ModelError(f"{path}: damaged or of another version ({error}); train again") from None
