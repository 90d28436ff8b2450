"""The Python calls behind the commands: everything the command line does, as functions.

TensorFlow is imported only inside `fit` and, for the float model, inside `evaluate`.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnedge import run as runs
from rnnedge.arrays import F32, I64
from rnnedge.errors import DataError, ModelError
from rnnedge.modelfile import load_model, model_hash, save_model
from rnnedge.output import new_folder, write_files
from rnnedge.simulator import quantize, simulate
from rnnedge.spec import QuantizedModel

if TYPE_CHECKING:
    from rnnedge.targets.exported import Exported
    from rnnedge.train.fit import TrainOptions
    from rnnedge.train.progress import Progress

GOLDEN_WINDOWS = 2
Document = dict[str, Any]


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
        force: replace an existing run.

    Returns:
        The metrics, as in metrics.json.

    Raises:
        RnnedgeError: bad data, options or output folder; nothing is then left behind.
    """
    from rnnedge.convert.build import quantize as quantize_model
    from rnnedge.convert.extract import extract
    from rnnedge.train.fit import train_run

    with new_folder(out, replace=force, marker=runs.RUN_JSON) as folder:
        run = train_run(data, test, options, form or runs.DataFormat(), folder, progress)
        windows = runs.load_windows(folder)
        model = quantize_model(
            extract(folder / runs.KERAS_FILE), run, windows.calibration, input_bits=input_bits
        )
        digest = save_model(model, folder / runs.QUANTIZED_FILE)
        metrics = _metrics(folder, model, windows.X_test, windows.y_test, tflm=False)
        document = {"run": str(out), "name": run.name, "sha256": digest, **metrics}
        runs.seal(folder, run)
        text = json.dumps({**metrics, "sha256": digest}, indent=2) + "\n"
        (folder / runs.METRICS_FILE).write_text(text)
    return document


def export(run: Path, out: Path) -> Document:
    """Write the C arrays, runtime, golden vectors and TFLite model of a run into a folder.

    Returns:
        name, sha256, const_bytes, ram_bytes, tflite_bytes, arena_bytes and the list of files.

    Raises:
        RnnedgeError: no such run, tflite-micro is missing, or the folder cannot be written.
    """
    from rnnedge.convert.c import const_bytes, export_c, scratch_size
    from rnnedge.convert.tflite import c_array, emit
    from rnnedge.targets.tflm import find_arena

    _, model, windows = _open(run)
    golden = quantize(model.input, windows.X_test[:GOLDEN_WINDOWS])
    tflite = emit(model)
    arena = find_arena(tflite)
    array_h, array_c = c_array(model.name, tflite, arena, model)
    files = {
        **export_c(model, golden),
        f"{model.name}.tflite": tflite,
        f"{model.name}_tflite.h": array_h.encode(),
        f"{model.name}_tflite.c": array_c.encode(),
    }
    write_files(out, files)
    return {
        "out": str(out),
        "name": model.name,
        "sha256": model_hash(model),
        "const_bytes": const_bytes(model),
        "ram_bytes": 2 * (model.state_size + scratch_size(model)),
        "tflite_bytes": len(tflite),
        "arena_bytes": arena,
        "files": sorted(files),
    }


def predict(run: Path, data: Sequence[Path]) -> Document:
    """Run the integer simulator over data; labels are not needed.

    Returns:
        classes, short_recordings (left out), and for each window its recording (source), file,
        line of its first sample in a CSV (in an .npz: number of the window), row within the
        recording, class, probability (softmax of the scores) and real-valued scores.

    Raises:
        RnnedgeError: no such run, or data that does not have the model's channels.
    """
    spec, model, _ = _open(run)
    windows, items = _read(spec, data, labelled=False)
    scores = simulate(model, quantize(model.input, windows.X)).scores
    real = np.ldexp(scores.astype(np.float64), -model.head[0].fraction_bits)
    exponent = np.exp(real - real.max(axis=1, keepdims=True))
    probability = exponent / exponent.sum(axis=1, keepdims=True)
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


def evaluate(run: Path, data: Sequence[Path] = ()) -> Document:
    """Compare float, int8 and TFLite Micro on the test part, or on labelled data.

    Returns:
        ``{"task", "windows", "classes", "variants": {"float": {...}, "int8": {...}, "tflm":
        {...}}}``; each variant has accuracy, macro_f1 and confusion (rows: true class), the
        integer ones agreement (equal predictions) with float.

    Raises:
        RnnedgeError: no such run, bad data, or tflite-micro cannot run the model.
    """
    spec, model, windows = _open(run)
    runs.check_seal(run, spec, runs.KERAS_FILE)
    if not data:
        return _metrics(run, model, windows.X_test, windows.y_test, tflm=True)
    cut, items = _read(spec, data, labelled=True)
    unknown = np.flatnonzero(cut.y < 0)
    if unknown.size:
        source = items[int(cut.recording[unknown[0]])].source
        raise DataError(f"{source}: its class is none of the model's: {', '.join(spec.classes)}")
    return {
        **_metrics(run, model, cut.X, cut.y, tflm=True),
        "short_recordings": cut.short,
    }


def verify(
    run: Path,
    targets: Sequence[str],
    *,
    export_folder: Path | None = None,
    windows: int | None = None,
) -> list[Document]:
    """Compile the exported C, run real windows on each target, compare every bit.

    Args:
        run: run folder.
        targets: names of rnnedge.targets.TARGETS.
        export_folder: exported folder, taken as it stands; None: a fresh export.
        windows: number of test windows; None: the target's default.

    Returns:
        For each target: target, windows, values_compared (states_compared + scores_compared),
        differences, first_difference (a sentence, or None).

    Raises:
        RnnedgeError: no such run, a compiler or emulator is missing, or the folder was exported
            from another model.
    """
    from rnnedge.targets import find_targets
    from rnnedge.targets.compare import compare

    chosen = find_targets(targets)
    _, model, kept = _open(run)
    raw = kept.X_test
    with _exported(model, raw, export_folder) as exported:
        return [compare(target, exported, model, raw, windows) for target in chosen]


def bench(run: Path, targets: Sequence[str], *, optimize: str = "speed") -> list[Document]:
    """Count instructions per step and read sizes, on emulated targets.

    Returns:
        For each target: target, compiler, cell, units (of the first layer), layers, inputs, steps,
        per_step and per_step_min (equal, unless a step depends on data), per_mac, unit, optimize,
        code_bytes, const_bytes, ram_bytes, stack_bytes.

    Raises:
        RnnedgeError: no such run, a tool is missing, or the target cannot count.
    """
    from rnnedge.targets import find_counting_targets
    from rnnedge.targets.compare import measure

    chosen = find_counting_targets(targets)
    _, model, kept = _open(run)
    raw = kept.X_test
    with _exported(model, raw, None) as exported:
        return [measure(target, exported, model, raw, optimize) for target in chosen]


def _open(folder: Path) -> tuple[runs.RunSpec, QuantizedModel, runs.Windows]:
    """Read a run's description, model and windows, and check that they belong together."""
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


@contextmanager
def _exported(model: QuantizedModel, raw: F32, folder: Path | None) -> Iterator["Exported"]:
    """Give the exported folder of `model`: `folder` as it stands, or a fresh temporary one."""
    from rnnedge.convert.c import export_c
    from rnnedge.targets.exported import open_exported

    if folder is not None:
        exported = open_exported(folder)
        if exported.sha256 != model_hash(model):
            raise ModelError(
                f"{folder}: exported from another model ({exported.sha256[:12]}) than the "
                f"run's ({model_hash(model)[:12]}); run rnnedge export again"
            )
        yield exported
        return
    with tempfile.TemporaryDirectory(prefix="rnnedge-") as work:
        golden = quantize(model.input, raw[:GOLDEN_WINDOWS])
        write_files(Path(work) / model.name, export_c(model, golden))
        yield open_exported(Path(work) / model.name)


def _read(run: runs.RunSpec, data: Sequence[Path], *, labelled: bool) -> tuple[Any, Any]:
    """Read data as the run's was; return its windows (WindowSet) and its recordings."""
    from rnnedge.train.readers import read
    from rnnedge.train.windows import cut

    channels = [channel.name for channel in run.channels]
    recordings = read(data, run.data_format, labelled=labelled, channels=channels)
    if labelled:
        recordings = recordings.part("test")  # an .npz may hold the training part, too
    windows = cut(recordings, window=run.window, hop=run.hop, classes=run.classes)
    return windows, recordings.items


def _metrics(folder: Path, model: QuantizedModel, X: F32, y: I64, *, tflm: bool) -> Document:
    from rnnedge.train.evaluate import classification_metrics, predict

    float_class = predict(folder / runs.KERAS_FILE, X).argmax(axis=1)
    x = quantize(model.input, X)
    classes: dict[str, Any] = {
        "float": float_class,
        "int8": simulate(model, x).scores.argmax(axis=1),
    }
    extra: dict[str, Document] = {}
    if tflm:
        from rnnedge.convert.tflite import emit
        from rnnedge.targets.tflm import find_arena, run_tflm

        tflite = emit(model)
        arena = find_arena(tflite)
        classes["tflm"] = run_tflm(tflite, x, arena).argmax(axis=1)
        extra["tflm"] = {"tflite_bytes": len(tflite), "arena_bytes": arena}
    variants = {}
    for name, predicted in classes.items():
        variants[name] = classification_metrics(y, predicted, model.classes)
        if name != "float":
            variants[name]["agreement"] = float((predicted == float_class).mean())
        variants[name] |= extra.get(name, {})
    return {
        "task": model.task,
        "windows": len(y),
        "classes": list(model.classes),
        "variants": variants,
    }
