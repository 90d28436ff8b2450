"""What the device answers at every step of data, by the integer simulator."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge import run as runs
from rnnedge.api.level import threshold_units
from rnnedge.api.opened import Document, check_rate
from rnnedge.arrays import F32, F64, I32
from rnnedge.errors import ModelError
from rnnedge.simulator import detect, quantize, softmax, step_scores
from rnnedge.spec import QuantizedModel


def predict_steps(folder: Path, run: runs.RunSpec, model: QuantizedModel, data: Any) -> Document:
    """Run whole recordings through a streaming model, each from a zero state.

    Args:
        folder: of the run, for messages.
        run: its description.
        model: its integers.
        data: files and folders.

    Returns:
        task, outputs (name, unit and horizon of each value; of classes only names), threshold of a
        detector with wrong_by (rnnedge.api.level), and "steps": source, file, line, row, and what
        follows it: of classes "class" and "probability" (the device's softmax); of values "values",
        raw units; of a detector also "level" (instance.level on the device) and "anomaly". Of text
        also "sample", its word or character.

    Raises:
        ModelError: a model that starts from features or from an encoder takes no recordings.
        DataError: the data does not have the model's channels.
    """
    if model.start is not None or model.encoder is not None:
        raise ModelError(
            f"{folder}: its sequences start from {'features' if model.start else 'an encoder'}; "
            "rnnedge generate runs it, rnnedge evaluate measures it on data"
        )
    steps: list[Document] = []
    for item in _recordings(run, data):
        values = np.asarray(item.values, np.float32)
        where = {"source": item.source, "file": item.file}
        for row, found in enumerate(_answers(run, model, values)):
            line = item.start_row if run.text else item.start_row + row
            steps.append({**where, "line": line, "row": row, **found})
    document: Document = {"task": run.task, "outputs": _outputs(run)}
    if model.detector is not None:
        document["threshold"] = model.detector.threshold
        document["wrong_by"] = threshold_units(run, model)
    return {**document, "steps": steps}


def _recordings(run: runs.RunSpec, data: Sequence[Path]) -> Any:
    from rnnedge.data.prepare import prepare
    from rnnedge.data.readers import read

    form = replace(run.data_format, targets=(), start=())
    how: dict[str, Any] = {"labelled": False, "rows": run.task in ("label", "anomaly")}
    if run.text:
        how["vocabulary"] = run.classes
    else:
        how["channels"] = [channel.name for channel in run.channels]
    ready = prepare(read(data, form, **how), form)
    check_rate(run, ready.rate, data)
    return ready.data.items


def _outputs(run: runs.RunSpec) -> list[Document]:
    if not run.targets:
        return [{"name": name} for name in run.classes]
    ahead = run.horizons or (0,) * len(run.targets)
    return [
        {"name": target.name, "unit": target.unit, "horizon": horizon}
        for target, horizon in zip(run.targets, ahead, strict=True)
    ]


def _answers(run: runs.RunSpec, model: QuantizedModel, values: F32) -> list[Document]:
    """Return what follows each row of a recording."""
    x = quantize(model.input, values[None])
    scores = step_scores(model, x)[0]
    if not run.targets:
        return _classes(run, model, values, scores)
    found = [{"values": row.tolist()} for row in _raw(run, model, scores).round(6)]
    if model.detector is None:
        return found
    seen = detect(model, x)
    return [
        {**row, "level": int(level), "anomaly": bool(label)}
        for row, level, label in zip(found, seen.levels[0], seen.labels[0], strict=True)
    ]


def _classes(run: runs.RunSpec, model: QuantizedModel, values: F32, scores: I32) -> list[Document]:
    shares = softmax(scores, model.fraction_bits) / 2**15
    found: list[Document] = [
        {"class": run.classes[int(row.argmax())], "probability": round(float(share.max()), 6)}
        for row, share in zip(scores, shares, strict=True)
    ]
    if not run.text:
        return found
    samples = values[:, 0].astype(np.int64)
    return [{"sample": run.classes[at], **row} for at, row in zip(samples, found, strict=True)]


def _raw(run: runs.RunSpec, model: QuantizedModel, scores: I32) -> F64:
    mean = np.array([target.mean for target in run.targets])
    std = np.array([target.std for target in run.targets])
    real = np.ldexp(scores.astype(np.float64), -model.fraction_bits)
    return np.asarray(real * std + mean, np.float64)
