"""Targets: the same bits, and what they cost."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnedge.api.opened import GOLDEN_WINDOWS, Document, open_run
from rnnedge.errors import ModelError
from rnnedge.modelfile import model_hash
from rnnedge.output import write_files
from rnnedge.runwindows import Given
from rnnedge.spec import QuantizedModel

if TYPE_CHECKING:
    from rnnedge.targets.exported import Exported


def verify(
    run: Path,
    targets: Sequence[str],
    *,
    export_folder: Path | None = None,
    windows: int | None = None,
) -> list[Document]:
    """Compile the exported C, run real windows on each target, compare every bit.

    A model that generates also runs freely, from its starts and encoder sequences.

    Args:
        run: run folder.
        targets: names of rnnedge.targets.TARGETS, or "tflm": the .tflite files, in TensorFlow Lite
            Micro, against the NumPy reference of its operators (rnnedge.tflmath).
        export_folder: exported folder, taken as it stands; None: a fresh export.
        windows: number of test windows; None: the target's default.

    Returns:
        For each target: target, windows, free_steps (of a model that generates, over all windows),
        values_compared (states_compared + scores_compared), differences, first_difference (a
        sentence, or None). For tflm, last, a row for each form of the model, with more of
        `rnnedge.targets.tflmcompare.compare_tflm`.

    Raises:
        RnnedgeError: no such run, a compiler or emulator is missing, or the folder was exported
            from another model.
    """
    from rnnedge.targets import TFLM, find_targets
    from rnnedge.targets.compare import compare
    from rnnedge.targets.tflmcompare import compare_tflm

    chosen = find_targets(name for name in targets if name != TFLM)
    _, model, kept = open_run(run)
    raw = kept.X_test
    rows: list[Document] = []
    if chosen:
        with _exported(model, kept.given(GOLDEN_WINDOWS), export_folder) as exported:
            rows += [
                compare(
                    target,
                    exported,
                    model,
                    raw,
                    windows,
                    features=kept.start_test,
                    encoder=kept.encoder_test,
                )
                for target in chosen
            ]
    if TFLM in targets:
        if export_folder is not None:
            check_folder(export_folder, model)
        rows += compare_tflm(model, raw, export_folder, windows)
    return rows


def bench(
    run: Path | None,
    targets: Sequence[str],
    *,
    optimize: str = "speed",
    keep: Path | None = None,
    **shape: Any,
) -> list[Document]:
    """Count instructions per step and read sizes, on emulated targets.

    Args:
        run: run folder, or None for a model with random weights.
        targets: names of rnnedge.targets.COUNTING, or "all".
        optimize: "speed" or "size".
        keep: folder that gets the linked programs, with their marker functions.
        shape: cell, units, inputs, layers, reset_after of rnnedge.benchmark.random_model.

    Returns:
        For each target: target, compiler, cell, units (of the first layer), layers, inputs, steps,
        per_step and per_step_min (equal, unless a step depends on data), per_mac, unit
        ("instructions" or "cycles"), optimize, code_bytes (runtime with head and input),
        step_code_bytes (the functions that a step runs), const_bytes (table and model), ram_bytes
        (state and scratch), stack_bytes (of a step), program_flash_bytes and program_ram_bytes
        (the whole verify program on the emulated board).

    Raises:
        RnnedgeError: no such run, a tool is missing, or the target cannot count.
    """
    from rnnedge.benchmark import random_model
    from rnnedge.targets import find_counting_targets
    from rnnedge.targets.compare import measure

    chosen = find_counting_targets(targets)
    if run is None:
        model, raw = random_model(**shape)
        given = Given(raw=raw[:GOLDEN_WINDOWS])
    else:
        _, model, kept = open_run(run)
        raw, given = kept.X_test, kept.given(GOLDEN_WINDOWS)
    with _exported(model, given, None) as exported:
        return [measure(target, exported, model, raw, optimize, keep) for target in chosen]


@contextmanager
def _exported(model: QuantizedModel, given: Given, folder: Path | None) -> Iterator["Exported"]:
    """Give the exported folder of `model`: `folder` as it stands, or a fresh temporary one."""
    from rnnedge.convert.c import export_c
    from rnnedge.targets.exported import open_exported

    if folder is not None:
        check_folder(folder, model)
        yield open_exported(folder)
        return
    with tempfile.TemporaryDirectory(prefix="rnnedge-") as work:
        write_files(Path(work) / model.name, export_c(model, given))
        yield open_exported(Path(work) / model.name)


def check_folder(folder: Path, model: QuantizedModel) -> None:
    """Refuse an exported folder of another model."""
    from rnnedge.targets.exported import open_exported

    found = open_exported(folder).sha256
    if found != model_hash(model):
        raise ModelError(
            f"{folder}: exported from another model ({found[:12]}) than the run's "
            f"({model_hash(model)[:12]}); run rnnedge export again"
        )
