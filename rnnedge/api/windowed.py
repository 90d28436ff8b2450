"""How right a classifier is on windows: float, int8 and the forms for TensorFlow Lite Micro."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnnedge import run as runs
from rnnedge.api.opened import Document
from rnnedge.api.tflite import WantedTflite
from rnnedge.arrays import F32, I64
from rnnedge.simulator import quantize, window_scores
from rnnedge.spec import QuantizedModel

if TYPE_CHECKING:
    from rnnedge.data.stored import StoredWindows

BLOCK = 1 << 25
"""Bytes of windows that are looked at at a time."""


def window_metrics(
    folder: Path,
    model: QuantizedModel,
    X: "F32 | StoredWindows",
    y: I64,
    tflite: WantedTflite,
    lengths: I64 | None = None,
) -> Document:
    """Measure the classes of windows: what rnnedge.api.training.evaluate says of them.

    They are taken block by block, so that they may be larger than memory; what is said of forms for
    TFLite Micro beside their classes is of the first block.

    Args:
        folder: of the run.
        model: the quantised model.
        X: float32 (windows, steps, channels), raw units.
        y: int64 (windows,), true class.
        tflite: the forms for TensorFlow Lite Micro.
        lengths: int64 (windows,), steps that count, of padded windows; None: all.
    """
    from rnnedge.api.tflmeval import tflm_classes
    from rnnedge.train.evaluate import classification_metrics, predict

    keras_file = folder / runs.KERAS_FILE
    found: dict[str, list[I64]] = defaultdict(list)
    beside = []
    for part, steps in zip(*blocks(X, lengths), strict=True):
        found["float"].append(predict(keras_file, part, steps).argmax(axis=1))
        int8 = window_scores(model, quantize(model.input, part), steps)
        found["int8"].append(int8.argmax(axis=1))
        tflm, extra, refused = tflm_classes(keras_file, model, part, tflite, steps)
        beside.append((extra, refused))
        for name, those in tflm.items():
            found[name].append(those)
    extra, refused = beside[0]
    classes = {name: np.concatenate(parts) for name, parts in found.items()}
    float_class = classes["float"]
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
        "input_bits": model.cells[0].input_bits,
        "variants": variants,
        **({"no_tflite": refused} if tflite.form != "none" else {}),
    }


def blocks(
    X: "F32 | StoredWindows", lengths: I64 | None
) -> "tuple[Iterator[F32], list[I64] | list[None]]":
    """Part windows, and the steps of them that count, into blocks that fit into memory."""
    from rnnedge.data.stored import chunks

    size = max(1, BLOCK // max(1, 4 * X.shape[1] * X.shape[2]))
    starts = range(0, len(X), size)
    if lengths is None:
        return chunks(X, BLOCK), [None for _ in starts]
    return chunks(X, BLOCK), [lengths[start : start + size] for start in starts]
