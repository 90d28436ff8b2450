"""Training, and what a run says about data."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnnedge import run as runs
from rnnedge.api.judging import judge, kept, of_data, relabelled, streamed_accuracy
from rnnedge.api.opened import Document, open_run, read_windows
from rnnedge.api.predicting import predict_steps
from rnnedge.api.tflite import WantedTflite
from rnnedge.api.windowed import blocks, window_metrics
from rnnedge.errors import DataError
from rnnedge.modelfile import save_model
from rnnedge.output import new_folder
from rnnedge.simulator import quantize, softmax, window_scores
from rnnedge.spec import QuantizedModel

if TYPE_CHECKING:
    from rnnedge.train.checkpoint import Checkpoint
    from rnnedge.train.fit import TrainOptions
    from rnnedge.train.progress import Progress

_DEFAULT_TFLITE = WantedTflite()
_NO_TFLITE = WantedTflite(form="none")


def fit(
    data: Sequence[Path],
    out: Path,
    *,
    options: "TrainOptions",
    form: runs.DataFormat | None = None,
    test: Sequence[Path] = (),
    input_bits: int | None = None,
    progress: "Progress | None" = None,
    force: bool = False,
    resume: bool = False,
) -> Document:
    """Train, quantise and evaluate; write a run folder.

    read -> window -> split -> fit -> extract -> calibrate -> quantise -> prove -> evaluate

    Args:
        data: CSV files, folders of CSV files, or an .npz.
        out: the run folder to make.
        options: model and training.
        form: columns of the data.
        test: separate test data; otherwise a part of `data` is held out.
        input_bits: 8 or 16 to fix the width of the input, None to choose it by calibration.
        progress: told of every epoch.
        force: replace an existing run, and forget an interrupted training.
        resume: go on with an interrupted training (rnnedge.train.checkpoint).

    Returns:
        The metrics, as in metrics.json, with run, name and input (rnnedge.convert.inputbits), and
        with the seeds' spread if there are several (rnnedge.train.seeds).

    Raises:
        RnnedgeError: bad data, options or output folder; nothing is then left behind.
    """
    from rnnedge.train.checkpoint import Checkpoint, checkpointed, statement, sweep
    from rnnedge.train.progress import Silent
    from rnnedge.train.seeds import each_seed
    from rnnedge.train.tensorboard import check_tensorboard

    if options.tensorboard is not None:
        check_tensorboard()
    form, progress = form or runs.DataFormat(), progress or Silent()

    def one(options: "TrainOptions", folder: Path, checkpoint: Checkpoint) -> Document:
        document = _fit(data, test, options, form, input_bits, folder, progress, checkpoint)
        return {"run": str(out), **document}

    with progress.stage("looking at the data"):
        stated = statement(data, test, options, form, input_bits=input_bits)
    sweep(out)
    with (
        new_folder(out, replace=force, marker=runs.RUN_JSON) as folder,
        checkpointed(out, stated, resume=resume, force=force) as partial,
    ):
        partial.working_in(folder)
        document = each_seed(one, options, folder, partial, progress)
    partial.remove()
    return document


def _fit(
    data: Sequence[Path],
    test: Sequence[Path],
    options: "TrainOptions",
    form: runs.DataFormat,
    input_bits: int | None,
    folder: Path,
    progress: "Progress",
    checkpoint: "Checkpoint",
) -> Document:
    """Make one run in an empty folder."""
    from rnnedge.convert.build import quantize_parts
    from rnnedge.convert.extract import extract_run
    from rnnedge.convert.inputbits import KEY
    from rnnedge.train.fit import train_run

    run = train_run(data, test, options, form, folder, progress, checkpoint)
    windows = runs.load_windows(folder)
    with progress.stage("quantising"):
        model, bits = quantize_parts(extract_run(folder, run), run, windows, input_bits=input_bits)
    run = replace(run, training={**run.training, KEY: bits.document()})
    digest = save_model(model, folder / runs.QUANTIZED_FILE)
    with progress.stage("evaluating"):
        metrics = _test_metrics(folder, run, model, windows, _NO_TFLITE)
    about = {"name": run.name, "sha256": digest, KEY: bits.document()}
    document = {**about, **metrics}
    runs.seal(folder, run)
    text = json.dumps({**metrics, "sha256": digest}, indent=2) + "\n"
    (folder / runs.METRICS_FILE).write_text(text)
    return document


def predict(run: Path, data: Sequence[Path]) -> Document:
    """Run the integer simulator over data; labels are not needed.

    Returns:
        classes, short_recordings (left out), and for each window its recording (source), file,
        line of its first sample in a CSV (in an .npz: number of the window), row within the
        recording, class, probability (the device's softmax of the scores) and real-valued scores.
        Of a task that answers every step: what rnnedge.api.predicting.predict_steps says.

    Raises:
        RnnedgeError: no such run, or data that does not have the model's channels.
    """
    spec, model, held = open_run(run)
    if spec.task != "classify":
        return predict_steps(run, spec, model, data)
    windows, items = read_windows(spec, data, labelled=False, pad=held.padded)
    parts = zip(*blocks(windows.X, windows.lengths), strict=True)
    scores = np.concatenate(
        [window_scores(model, quantize(model.input, X), lengths) for X, lengths in parts]
    )
    real = np.ldexp(scores.astype(np.float64), -model.fraction_bits)
    probability = softmax(scores, model.fraction_bits) / 2**15
    rows = [
        {
            "source": items[recording].source,
            "file": items[recording].file,
            "line": items[recording].start_row + int(start),
            "row": int(start),
            "class": model.classes[int(np.argmax(score))],
            "probability": round(float(share.max()), 6),
            "scores": [round(float(value), 6) for value in score],
        }
        for recording, start, score, share in zip(
            windows.recording, windows.start, real, probability, strict=True
        )
    ]
    return {"classes": list(model.classes), "short_recordings": windows.short, "windows": rows}


def trace(run: Path, data: Sequence[Path], *, window: int = 0) -> list[Document]:
    """Return every gate of every step of one window of the data (rnnedge.tracing.trace).

    Args:
        run: run folder.
        data: what `predict` takes.
        window: number of the window, from 0.

    Raises:
        RnnedgeError: no such run, unfit data, or no such window.
    """
    from rnnedge.tracing import trace as trace_window

    spec, model, held = open_run(run)
    windows, _ = read_windows(spec, data, labelled=False, pad=held.padded)
    if not 0 <= window < len(windows):
        raise DataError(f"there is no window {window}: the data has {len(windows)}, from 0")
    return list(trace_window(model, quantize(model.input, windows.X[window])))


def evaluate(
    run: Path,
    data: Sequence[Path] = (),
    *,
    label: str | None = None,
    tflite: WantedTflite = _DEFAULT_TFLITE,
) -> Document:
    """Compare float, int8 and TFLite Micro on the test part, or on labelled data.

    Args:
        run: run folder.
        data: labelled data; nothing: the test part.
        label: the label column of `data`; None: that of the training. Of a detector: the class of
            each row, normal or not (rnnedge.data.tasks.NORMAL, else the most frequent).
        tflite: the forms for TensorFlow Lite Micro.

    Returns:
        ``{"task", "windows", "classes", "input_bits", "variants": {"float": {...}, "int8": {...},
        "tflm": {...}, ...}, "no_tflite"}``; each variant has accuracy, macro_f1 and confusion
        (rows: true class), the integer ones agreement (equal predictions) with float, those of
        TFLite Micro what `rnnedge.api.tflmeval.tflm_classes` says; no_tflite: variant and reason
        of those that the model cannot have; kept: which part of its test part the run keeps, if
        not all of it.

    Raises:
        RnnedgeError: no such run, bad data, or tflite-micro cannot run the model.
    """
    spec, model, windows = open_run(run)
    runs.check_seal(run, spec, runs.KERAS_FILE)
    if label is not None:
        spec = relabelled(spec, data, label)
    if not data:
        if spec.task == "classify" and (windows.y_test < 0).any():
            raise DataError(
                f"{run}: the classes of its windows are not known; export the model again with "
                "--classes, the labels in the order of its outputs"
            )
        return _test_metrics(run, spec, model, windows, tflite)
    if spec.task != "classify":
        return judge(run, spec, model, of_data(spec, data, labelled=label is not None))
    cut, items = read_windows(spec, data, labelled=True, pad=windows.padded)
    unknown = np.flatnonzero(cut.y < 0)
    if unknown.size:
        source = items[int(cut.recording[unknown[0]])].source
        raise DataError(
            f"{source}: its class is none of the model's: {', '.join(spec.classes)}; a Keras model "
            "is told them with export --classes"
        )
    return {
        **window_metrics(run, model, cut.X, cut.y, tflite, cut.lengths),
        "short_recordings": cut.short,
    }


def _test_metrics(
    folder: Path,
    run: runs.RunSpec,
    model: QuantizedModel,
    windows: runs.Windows,
    tflite: WantedTflite,
) -> Document:
    """Measure the test part that a run keeps."""
    part = run.split.get("test", {}).get("kept")
    beside = {"kept": part} if part else {}
    if run.task != "classify":
        return {**judge(folder, run, model, kept(windows)), **beside}
    y = np.asarray(windows.y_test, np.int64)
    document = window_metrics(folder, model, windows.X_test, y, tflite, windows.lengths_test)
    if windows.stream is not None and not model.bidirectional:
        for name, found in streamed_accuracy(folder, run, model, kept(windows)).items():
            document["variants"][name]["streamed_accuracy"] = found
    return {**document, **beside}
