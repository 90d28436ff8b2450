"""How right a run of a streaming task is: float and int8 over whole recordings, and baselines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnedge import run as runs
from rnnedge.api.baselines import baselines
from rnnedge.api.level import threshold_units
from rnnedge.api.opened import Document, check_rate
from rnnedge.arrays import F32, F64, I64
from rnnedge.errors import DataError
from rnnedge.simulator import detect, quantize
from rnnedge.spec import EmbeddingLayer, QuantizedModel

if TYPE_CHECKING:
    from rnnedge.api.running import Begin, Variant

_LARGE = 32
"""Up to so many classes the document has a confusion matrix."""


_LABELLED = ("classify", "label", "anomaly")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """Sequences with what is right.

    Attributes:
        x: float32 (rows, channels), one sequence after the other, raw units.
        ends: int64 (sequences + 1,), where each begins and the last ends.
        y: int64 (rows,), or float32 (rows, outputs), raw units.
        features: float32 (sequences, features), or None.
        encoded: float32 (sequences, encoder steps, encoder channels), or None.
        lengths: int64 (sequences,), encoder steps that count, or None.
        normal: bool (rows,), False where an anomaly is labelled; None: no labels.
    """

    x: F32
    ends: I64
    y: I64 | F32
    features: F32 | None = None
    encoded: F32 | None = None
    lengths: I64 | None = None
    normal: Any = None

    def cut(self, array: Any) -> list[Any]:
        """Part an array of all rows into its sequences."""
        return np.split(array, self.ends[1:-1])


def kept(windows: runs.Windows) -> Judged:
    """Return the test part of a run: whole recordings, or windows with what they start from."""
    if windows.stream is not None and windows.stream_ptr is not None:
        y: Any = windows.stream_y
        return Judged(x=windows.stream, ends=windows.stream_ptr, y=y, normal=windows.stream_normal)
    X = windows.X_test
    lengths = windows.lengths_test
    lengths = np.full(len(X), X.shape[1]) if lengths is None else lengths
    inside = np.arange(X.shape[1])[None] < lengths[:, None]
    return Judged(
        x=X[inside],
        ends=np.cumsum([0, *lengths]).astype(np.int64),
        y=windows.y_test[inside],
        features=windows.start_test,
        encoded=windows.encoder_test,
        lengths=windows.encoder_lengths_test,
    )


def relabelled(run: runs.RunSpec, data: Sequence[Path], label: str) -> runs.RunSpec:
    """Return a run whose data has another label column.

    Raises:
        DataError: there is no data to be read by it, or the task has no classes.
    """
    if not data:
        raise DataError(f"--label {label}: the test part has its labels already; name data, too")
    if run.task not in _LABELLED:
        raise DataError(f"--label {label}: the task {run.task} has no labels; leave it out")
    return replace(run, data_format=replace(run.data_format, label=label))


def of_data(run: runs.RunSpec, data: Sequence[Path], *, labelled: bool = False) -> Judged:
    """Read data as the run's was.

    Args:
        run: of a streaming task.
        data: files and folders.
        labelled: whether a detector needs labels of the rows; else it takes those that are there.

    Raises:
        DataError: it cannot be used.
    """
    from rnnedge.data.prepare import prepare
    from rnnedge.data.readers import read
    from rnnedge.data.tasks import reading
    from rnnedge.train.tasks.outline import outline, series, without_holes
    from rnnedge.train.tasks.series import stacked

    form, how = run.data_format, reading(run.task, run.data_format)
    if run.text:
        how |= {"vocabulary": run.classes}
    else:
        how |= {"channels": [channel.name for channel in run.channels]}
    ready = prepare(read(data, form, **how).part("test"), form)
    check_rate(run, ready.rate, data)
    recordings = ready.data
    shape = outline(run.task, recordings, form.targets, sorted(set(run.horizons)))
    if shape.classes != run.classes:
        raise DataError(
            f"{data[0]}: its outputs would be {', '.join(shape.classes[:8])}, those of the model "
            f"are {', '.join(run.classes[:8])}"
        )
    mean = np.array([channel.mean for channel in run.channels])
    parts = without_holes(series(shape, recordings), np.zeros(0) if run.text else mean)
    if not parts:
        raise DataError(f"{data[0]}: no recording of two rows or more")
    encoded = [item.encoder for item in parts if item.encoder is not None]
    together, lengths = stacked(encoded) if encoded else (None, None)
    starts = [item.start for item in parts if item.start is not None]
    normal = [item.normal for item in parts if item.normal is not None]
    if labelled and run.task == "anomaly" and not normal:
        raise DataError(
            f"{data[0]}: no label column {form.label!r}; name the one that says which rows are "
            "anomalies"
        )
    return Judged(
        x=np.concatenate([item.x for item in parts]),
        ends=np.cumsum([0, *(len(item.x) for item in parts)]).astype(np.int64),
        y=np.concatenate([item.y for item in parts]),
        features=np.stack(starts) if starts else None,
        encoded=None if together is None else np.asarray(together, np.float32),
        lengths=lengths,
        normal=np.concatenate(normal) if normal else None,
    )


def judge(folder: Path, run: runs.RunSpec, model: QuantizedModel, given: Judged) -> Document:
    """Compare float and int8 on sequences, each from its first state on.

    Returns:
        task, sequences, steps, classes, input_bits, ids (how many there are, if any), variants
        ("float", "int8") with the figures of the task, and what rnnedge.api.baselines says. See
        rnnedge.train.tasks.metrics for the figures; "agreement" is that of the classes with float,
        "difference" the root of the mean squared difference from float, normalised. "free" has the
        figures of free runs.
    """
    from rnnedge.api.running import FloatVariant, IntegerVariant
    from rnnedge.convert.extract import extract_run

    both: dict[str, Variant] = {
        "float": FloatVariant(parts=extract_run(folder, run), run=run),
        "int8": IntegerVariant(model=model),
    }
    scores = {name: _scores(variant, model, given) for name, variant in both.items()}
    variants = {name: _figures(run, given, own) for name, own in scores.items()}
    if run.targets:
        difference = np.square(scores["int8"] - scores["float"])
        variants["int8"]["difference"] = float(np.sqrt(difference.mean()))
    else:
        same = scores["int8"].argmax(axis=1) == scores["float"].argmax(axis=1)
        variants["int8"]["agreement"] = float(same.mean())
    if run.task in ("generate", "translate"):
        for name, variant in both.items():
            variants[name]["free"] = _free(run, variant, given)
    document: Document = {
        "task": run.task,
        "windows": len(given.ends) - 1,
        "sequences": len(given.ends) - 1,
        "steps": int(given.ends[-1]),
        "classes": list(run.classes),
        "input_bits": model.cells[0].input_bits,
        **({"ids": model.input.rows} if isinstance(model.input, EmbeddingLayer) else {}),
        "variants": variants,
    }
    simple = baselines(run, given.y, given.cut(given.x))
    if simple:
        document["baselines"] = simple
    if model.detector is not None:
        document["detector"] = _detector(run, model, given)
    return document


def streamed_accuracy(
    folder: Path, run: runs.RunSpec, model: QuantizedModel, given: Judged
) -> dict[str, float]:
    """Return the accuracy of a classifier whose state runs on, by "float" and "int8".

    It is asked at the end of every window, where they begin one hop after the other.
    """
    from rnnedge.api.running import FloatVariant, IntegerVariant
    from rnnedge.convert.extract import extract_run

    source = extract_run(folder, run)
    last = source.model.recurrent[-1]
    every: Any = replace(last, return_sequences=True)  # type: ignore[arg-type]
    source = replace(
        source, model=replace(source.model, recurrent=(*source.model.recurrent[:-1], every))
    )
    rows = []
    for start, stop in zip(given.ends[:-1], given.ends[1:], strict=True):
        first = min(start + run.window, stop) - 1  # of what is shorter than a window its end
        rows.append(np.arange(first, stop, run.hop))
    asked = np.concatenate(rows)
    variants: dict[str, Variant] = {
        "float": FloatVariant(parts=source, run=run),
        "int8": IntegerVariant(model=model),
    }
    return {
        name: float(np.mean(_scores(v, model, given)[asked].argmax(axis=1) == given.y[asked]))
        for name, v in variants.items()
    }


def _scores(variant: "Variant", model: QuantizedModel, given: Judged) -> F64:
    """Return the real scores of all rows, the inputs those of the data."""
    from rnnedge.api.running import streamed
    from rnnedge.train.tasks.series import stacked

    parts = given.cut(given.x)
    if given.features is None and given.encoded is None:
        return streamed(variant, parts, model.outputs)
    x, lengths = stacked(parts)
    scores = variant.scores(np.asarray(x, np.float32), _begin(given))
    return np.concatenate([row[:count] for row, count in zip(scores, lengths, strict=True)])


def _begin(given: Judged) -> "Begin":
    from rnnedge.api.running import Begin

    return Begin(features=given.features, encoded=given.encoded, lengths=given.lengths)


def _figures(run: runs.RunSpec, given: Judged, scores: F64) -> Document:
    from rnnedge.train.tasks.metrics import class_steps, errors

    if run.targets:
        return errors(np.asarray(given.y, np.float32), _raw(run, scores), run.targets)
    y = np.asarray(given.y, np.int64)
    return class_steps(y, scores, run.classes, matrix=len(run.classes) <= _LARGE)


def _raw(run: runs.RunSpec, scores: F64) -> F64:
    mean = np.array([target.mean for target in run.targets])
    std = np.array([target.std for target in run.targets])
    return np.asarray(scores * std + mean, np.float64)


def _free(run: runs.RunSpec, variant: "Variant", given: Judged) -> Document:
    """Measure free runs: from the first state, or behind the first half of a sequence.

    Returns:
        steps (that were free) and error figures; of classes accuracy (of steps) and exact (share of
        sequences that are right to their last step).
    """
    from rnnedge.train.tasks.metrics import errors
    from rnnedge.train.tasks.series import stacked_answers

    begins = given.features is not None or given.encoded is not None
    xs, ys = given.cut(given.x), given.cut(given.y)
    if not begins:
        least = max(2, min(map(len, xs)))
        xs, ys = [x[:least] for x in xs], [y[:least] for y in ys]
    fed = 0 if begins else len(xs[0]) // 2
    x = np.stack([part[:fed] for part in xs])
    # the last fed step answers the first of what follows
    y = stacked_answers([part[max(0, fed - 1) :] for part in ys])
    free = y.shape[1] - (1 if fed else 0)
    if free < 1:
        return {"steps": 0}
    answers = variant.free(np.asarray(x, np.float32), _begin(given), free)
    y = y[:, -free:]
    if run.targets:
        flat = np.asarray(y.reshape(-1, y.shape[-1]), np.float32)
        raw = _raw(run, answers.reshape(-1, answers.shape[-1]))
        return {"steps": free, **errors(flat, raw, run.targets)}
    known = y >= 0
    right = answers.argmax(axis=-1) == y
    return {
        "steps": free,
        "accuracy": float(right[known].mean()),
        "exact": float((right | ~known).all(axis=1).mean()),
    }


def _detector(run: runs.RunSpec, model: QuantizedModel, given: Judged) -> Document:
    """Measure the device's detector on every sequence."""
    from rnnedge.train.tasks.metrics import alarms

    rule = model.detector
    if rule is None:
        return {}
    labels = [
        detect(model, quantize(model.input, part[None])).labels[0] for part in given.cut(given.x)
    ]
    found: Document = {
        "threshold": rule.threshold,
        "wrong_by": threshold_units(run, model),
        "smoothing": rule.smoothing,
        "warmup": rule.warmup,
        **{key: run.detector[key] for key in ("share", "margin") if key in run.detector},
        "share_of_steps": float(np.concatenate(labels).mean()),
    }
    if given.normal is not None:
        flat = np.concatenate(labels)
        found |= alarms(flat, np.asarray(given.normal, bool), run.rate)
    return found
