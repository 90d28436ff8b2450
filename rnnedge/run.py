"""The run folder: what `rnnedge train`, or an export with --run, leaves for every later command.

::

    RUN/
      run.json        readable: data format, channels, classes, normalisation, split, training
      model.keras     raw windows in, class probabilities out (normalisation is its first layer)
      quantized.npz   the quantised model, hashed (rnnedge.modelfile)
      start.keras     raw features in, first states out (normalisation is its first layer); optional
      encoder.keras   the recurrent layers whose last states are model.keras' first; optional
      windows.npz     calibration, X_test, y_test and the like: raw units
      metrics.json    metrics on the test part
      history.csv     one row an epoch
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rnnedge.errors import ModelError
from rnnedge.runwindows import WINDOWS_FILE as WINDOWS_FILE
from rnnedge.runwindows import Windows as Windows
from rnnedge.runwindows import explained
from rnnedge.runwindows import load_windows as load_windows
from rnnedge.spec import TASKS, rate_error

RUN_JSON = "run.json"
KERAS_FILE = "model.keras"
START_FILE = "start.keras"
ENCODER_FILE = "encoder.keras"
QUANTIZED_FILE = "quantized.npz"
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
        time: column of time stamps, or None.
        resample: samples per second that the recordings are brought to, by their time stamps, or
            None: as they are.
        missing: what becomes of missing values: "refuse", "interpolate" (linear, in time), "hold"
            (the last one) or "drop" (the recording ends there and another one begins).
        decimal: "." or ",".
        text: "characters" or "words" where the data is text, else "".
        start: columns, one value a recording, that a generated series starts from.
        targets: columns to forecast or to map to; empty: by the task.
        mfcc: of sound, what differs from the usual recipe (rnnedge.data.readers.mfcc.Mfcc):
            frame_ms, hop_ms, bands, coefficients, low, high, rate.
    """

    label: str = "label"
    group: str | None = None
    recording: str | None = None
    recording_rows: int | None = None
    ignore: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    time: str | None = None
    resample: float | None = None
    missing: str = "refuse"
    decimal: str = "."
    text: str = ""
    start: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    mfcc: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """Everything about a run that later commands and people need, as in run.json.

    Attributes:
        name: C identifier, base name of exported files.
        task: one of rnnedge.spec.TASKS.
        cell: "gru", "lstm" or "rnn"; of an imported model those of its layers, joined by +.
        units: width of the first recurrent layer.
        layers: number of recurrent layers.
        reset_after: GRU form.
        window: time steps of a window.
        hop: time steps between the starts of two windows of one recording.
        rate: samples per second, or None.
        channels: the inputs, in order.
        classes: names of the outputs, in the order of the scores: classes, or what is forecast.
        every: 0: a result at the end of each window, which starts anew; n: one each n steps.
        targets: of a regression what each output is, with its normalisation; else empty.
        horizons: steps ahead of each output of a forecast; else empty.
        features: what a start is made of (start.keras), or empty.
        encoder_channels: inputs of the encoder (encoder.keras), or empty.
        encoder_window: time steps of the encoder's sequence, 0 without one.
        encoder_classes: what the ids of that sequence stand for, in their order; else empty.
        text: "characters" or "words" where a sample is an id, whose names are `classes`; else "".
        start_shift: of a start: start.keras gives the cell states of an LSTM divided by
            2**start_shift; other states as they are.
        detector: smoothing, warmup and the share of normal steps below the threshold, of the task
            "anomaly"; else empty.
        data_format: how the files were read.
        split: how windows were divided, with files, groups and counts (for people).
        training: seed, epochs and the like (for people).
        rnnedge: version that wrote the run.
        files: SHA-256 of the run's other files, by name.
    """

    name: str
    task: str
    cell: str
    units: int
    layers: int
    reset_after: bool
    window: int
    hop: int
    rate: float | None
    channels: tuple[Channel, ...]
    classes: tuple[str, ...]
    data_format: DataFormat
    every: int = 0
    targets: tuple[Channel, ...] = ()
    horizons: tuple[int, ...] = ()
    features: tuple[Channel, ...] = ()
    encoder_channels: tuple[Channel, ...] = ()
    encoder_window: int = 0
    encoder_classes: tuple[str, ...] = ()
    text: str = ""
    start_shift: int = 0
    detector: dict[str, Any] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    rnnedge: str = ""
    files: dict[str, str] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write run.json into `folder`."""
        (folder / RUN_JSON).write_text(json.dumps(asdict(self), indent=2) + "\n")


def load_run(folder: Path) -> RunSpec:
    """Read run.json.

    Raises:
        ModelError: no run folder, or one that is damaged or of another version.
    """
    with explained(folder / RUN_JSON):
        raw = json.loads((folder / RUN_JSON).read_text())
        for name in ("channels", "targets", "features", "encoder_channels"):
            raw[name] = tuple(Channel(**channel) for channel in raw.get(name, ()))
        for name in ("classes", "horizons", "encoder_classes"):
            raw[name] = tuple(raw.get(name, ()))
        form = raw["data_format"]
        form = {key: tuple(v) if isinstance(v, list) else v for key, v in form.items()}
        raw["data_format"] = DataFormat(**form)
        return _checked(RunSpec(**raw))


def _checked(run: RunSpec) -> RunSpec:
    """Refuse values that no training writes.

    Raises:
        ValueError: names the field.
    """
    form = run.data_format
    texts = (run.name, run.task, run.cell, *run.classes, form.label, *form.ignore, *form.channels)
    named = (*run.channels, *run.targets, *run.features, *run.encoder_channels)
    texts += tuple(text for channel in named for text in (channel.name, channel.unit))
    texts += tuple(text for text in (form.group, form.recording) if text is not None)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a name is not text")
    counts = [run.window, run.hop, run.units, run.layers]
    counts += [] if form.recording_rows is None else [form.recording_rows]
    if not all(type(count) is int and count > 0 for count in counts):
        raise ValueError("window, hop, units, layers and recording_rows are whole numbers above 0")
    if run.task not in TASKS:
        raise ValueError(f"task is {run.task}, not one of {', '.join(TASKS)}")
    if type(run.every) is not int or run.every < 0:
        raise ValueError("every is a whole number, 0 or more")
    if run.targets and len(run.targets) != len(run.classes):
        raise ValueError(f"{len(run.targets)} targets for {len(run.classes)} outputs")
    wrong = rate_error(run.rate)
    if wrong is not None:
        raise ValueError(wrong)
    if not run.channels or not run.classes:
        raise ValueError("a run has channels and classes")
    if not isinstance(run.split, dict) or not isinstance(run.training, dict):
        raise ValueError("split and training are objects")
    return run


def seal(folder: Path, run: RunSpec) -> RunSpec:
    """Write run.json with the hashes of the run's other files, which then belong together."""
    files = (KERAS_FILE, START_FILE, ENCODER_FILE, QUANTIZED_FILE, WINDOWS_FILE)
    hashes = {name: _sha256(folder / name) for name in files if (folder / name).exists()}
    sealed = replace(run, files=hashes)
    sealed.save(folder)
    return sealed


def check_seal(folder: Path, run: RunSpec, *names: str) -> None:
    """Check that files are the ones that the run was sealed with.

    Raises:
        ModelError: a file is missing, damaged, or comes from another run.
    """
    for name in names:
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{path}: no such file; is this a run folder of rnnedge train?")
        with explained(path):
            found = _sha256(path)
        if run.files.get(name) != found:
            raise ModelError(
                f"{path}: damaged, or not of this run (its hash is not the one in {RUN_JSON}); "
                "train again"
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
