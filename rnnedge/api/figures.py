"""What an export says of its model: measured, or said to be unknown."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rnnedge.api.opened import Document
from rnnedge.archive import DAMAGED
from rnnedge.convert.inputbits import KEY, InputBits
from rnnedge.errors import ToolError
from rnnedge.modelfile import model_hash
from rnnedge.output import write_files
from rnnedge.run import METRICS_FILE, RunSpec, Windows
from rnnedge.simulator import quantize, simulate
from rnnedge.spec import QuantizedModel

if TYPE_CHECKING:
    from rnnedge.targets.target import CountingTarget

_Found = TypeVar("_Found")

NONE = "none"
_USUAL = "cortex-m4"
_OPTIMIZE = {"avr": ("speed", "size")}
_FIGURES = ("class", "accuracy", "macro_f1", "nats", "agreement", "rmse_normalised", "exact")
_ROW = (
    *("target", "compiler", "optimize", "per_step", "unit"),
    *("code_bytes", "const_bytes", "ram_bytes", "stack_bytes"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a run knows of its model beyond the integers.

    Attributes:
        windows: for accuracy and measurements.
        float_accuracy: of the float model on them, or None.
        judged: what training measured of a streaming task (rnnedge.api.judging), or None.
        imported: they are those of the calibration.
        input_bits: what it says of the width of its input, a document of rnnedge.convert.inputbits.
    """

    windows: Windows
    float_accuracy: float | None = None
    judged: Document | None = None
    imported: bool = False
    input_bits: object = None


def known(folder: Path | None, run: RunSpec, model: QuantizedModel, windows: Windows) -> Known:
    """Collect what a run knows; `folder` is None before there is one."""
    return Known(
        windows=windows,
        float_accuracy=None if folder is None else _metrics(folder, model, _float_accuracy),
        judged=None if folder is None or not model.every else _metrics(folder, model, _judged),
        imported="imported" in run.split,
        input_bits=run.training.get(KEY),
    )


def measured_targets(names: Sequence[str] | None, kernels: Sequence[str]) -> "list[CountingTarget]":
    """Return the targets to measure on.

    Args:
        names: of rnnedge.targets.COUNTING, "all", or "none"; None: the Cortex-M4, or the first
            target whose weights are exported.
        kernels: those whose weights are exported.

    Raises:
        ToolError: an unknown target, or one whose weights are not exported.
    """
    from rnnedge.convert.c.packing import KERNELS
    from rnnedge.targets import COUNTING, find_counting_targets

    if names is None:
        able = [name for name in COUNTING if KERNELS[name] in kernels]
        names = [_USUAL] if _USUAL in able else able[:1]
    chosen = find_counting_targets(name for name in names if name != NONE)
    for target in chosen:
        core = target.name.removesuffix(":clang")
        if KERNELS[core] not in kernels:
            raise ToolError(
                f"target {target.name!r} cannot be measured, its weights are not exported; add "
                f"--target {core}, or say --measure {NONE}"
            )
    return chosen


def figures(
    model: QuantizedModel,
    known: Known,
    files: Mapping[str, bytes],
    targets: "Sequence[CountingTarget]",
) -> Document:
    """Measure a model.

    Args:
        model: the quantised model.
        known: windows, and what else its run knows.
        files: of rnnedge.convert.c.export_c, to be measured.
        targets: of `measured_targets`.

    Returns:
        model, sha256, input (rnnedge.convert.inputbits), windows, imported, accuracy (of "int8" and
        "float" where they are known), judged (of a streaming task that was measured), measured
        (rows of rnnedge.targets.compare.measure; on AVR one for speed and one for size, with which
        Arduino builds) and not_measured (target, reason).
    """
    from rnnedge.targets.compare import measure
    from rnnedge.targets.exported import open_exported

    rows, missing = [], []
    with tempfile.TemporaryDirectory(prefix="rnnedge-") as work:
        write_files(Path(work) / model.name, files)
        exported = open_exported(Path(work) / model.name)
        for target in targets:
            try:
                for optimize in _OPTIMIZE.get(target.name, ("speed",)):
                    row = measure(target, exported, model, known.windows.X_test, optimize)
                    rows.append({key: row[key] for key in _ROW})
            except ToolError as error:
                missing.append({"target": target.name, "reason": str(error)})
    return {
        "model": model.name,
        "sha256": model_hash(model),
        KEY: InputBits.of(model.cells[0].input_bits, known.input_bits).document(),
        "windows": len(known.windows.y_test),
        "imported": known.imported,
        "accuracy": _accuracy(model, known),
        **({} if known.judged is None else {"judged": known.judged}),
        "measured": rows,
        "not_measured": missing,
    }


def _accuracy(model: QuantizedModel, known: Known) -> dict[str, float]:
    y = known.windows.y_test
    if model.task != "classify" or (y < 0).any():
        return {}
    scores = simulate(model, quantize(model.input, known.windows.X_test)).scores
    accuracy = {"int8": float(np.mean(scores.argmax(axis=1) == y))}
    if known.float_accuracy is not None:
        accuracy["float"] = known.float_accuracy
    return accuracy


def _metrics(
    folder: Path, model: QuantizedModel, read: Callable[[Document], _Found]
) -> _Found | None:
    """Return what training measured of this very model, or None."""
    try:
        metrics = json.loads((folder / METRICS_FILE).read_text())
        return read(metrics) if metrics["sha256"] == model_hash(model) else None
    except DAMAGED:
        return None


def _float_accuracy(metrics: Document) -> float:
    return float(metrics["variants"]["float"]["accuracy"])


def _judged(metrics: Document) -> Document:
    """Keep of what training measured the figures of a streaming task, for report.json."""
    return {
        "steps": metrics["steps"],
        "sequences": metrics["sequences"],
        "variants": {name: _short(one) for name, one in metrics["variants"].items()},
        "baselines": {name: _short(one) for name, one in metrics.get("baselines", {}).items()},
        **({"detector": metrics["detector"]} if "detector" in metrics else {}),
    }


def _short(found: Document) -> Document:
    """Return figures without matrices; "rmse" is a list, of each output."""
    kept = {key: found[key] for key in _FIGURES if key in found}
    if "outputs" in found:
        kept["rmse"] = [output["rmse"] for output in found["outputs"]]
    if "free" in found:
        kept["free"] = {"steps": found["free"]["steps"], **_short(found["free"])}
    return kept
