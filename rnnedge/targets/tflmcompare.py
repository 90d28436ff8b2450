"""The .tflite in the TFLite Micro interpreter against the NumPy reference of its operators."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnedge.arrays import F32
from rnnedge.errors import ToolError
from rnnedge.simulator import quantize
from rnnedge.spec import QuantizedModel
from rnnedge.targets.compare import choose

if TYPE_CHECKING:
    from rnnedge.convert.tflite import Variant

TFLM = "tflm"
"""The target's name."""
_WINDOWS = 16
_AMPLE_ARENA = 1 << 26
_PACKAGE = "tflite-micro"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """A file to run; the arena is None where none was searched."""

    name: str
    variant: "Variant"
    content: bytes
    arena: int | None


def compare_tflm(
    model: QuantizedModel, raw: F32, folder: Path | None, windows: int | None
) -> list[dict[str, Any]]:
    """Run .tflite files in TensorFlow Lite Micro, compare every output with rnnedge.tflmath.

    Expected is what the reference computes of the file that the model gives; run is the exported
    one, as it stands, in the arena that its header says.

    Args:
        model: what the files should compute.
        raw: float32 (windows, steps, channels), raw units; some of them are chosen, evenly.
        folder: exported folder; None: fresh files of every form that the model can have.
        windows: how many, None for 16.

    Returns:
        For each file what `rnnedge.targets.compare.compare` says, and variant, file (None: fresh),
        tflite_bytes and arena_bytes (None: fresh).

    Raises:
        RnnedgeError: tflite-micro is missing; a file is missing, damaged, or of another model.
    """
    chosen = choose(raw, _WINDOWS if windows is None else windows)
    if folder is None:
        return [_compare(model, chosen, subject, None) for subject in _fresh(model)]
    from rnnedge.targets.tflmfiles import tflite_files_of

    return [
        _compare(
            model,
            chosen,
            _Subject(
                name=str(file.path), variant=file.variant, content=file.content, arena=file.arena
            ),
            str(file.path.relative_to(folder)),
        )
        for file in tflite_files_of(folder, model)
    ]


def _fresh(model: QuantizedModel) -> Iterator[_Subject]:
    from rnnedge.convert.tflite import emit, variants

    for variant in variants(model):
        yield _Subject(
            name=f"{model.name} {variant.name}",
            variant=variant,
            content=emit(model, variant),
            arena=None,
        )


def _compare(
    model: QuantizedModel, raw: F32, subject: _Subject, file: str | None
) -> dict[str, Any]:
    from rnnedge import tflmath
    from rnnedge.convert.tflite import as_input, emit
    from rnnedge.targets.tflm import run_stream

    x = as_input(quantize(model.input, raw), subject.variant)
    scores, states = tflmath.trace(emit(model, subject.variant), x)
    try:
        got = run_stream(subject.content, x, subject.arena or _AMPLE_ARENA)
    except ToolError as error:
        raise ToolError(f"{subject.name}: {error}") from None
    if got.scores.shape != scores.shape or got.states.shape != states.shape:
        raise ToolError(
            f"{subject.name}: gives outputs of {got.scores.shape} and {got.states.shape}, expected "
            f"{scores.shape} and {states.shape}; run rnnedge export again"
        )
    wrong = [np.argwhere(a != b) for a, b in ((scores, got.scores), (states, got.states))]
    first = None
    for what, places, want, have in (
        ("score", wrong[0], scores, got.scores),
        ("state", wrong[1], states, got.states),
    ):
        if len(places) and first is None:
            first = _sentence(what, tuple(map(int, places[0])), want, have)
    return {
        "target": TFLM,
        "compiler": _version(),
        "windows": len(x),
        "values_compared": scores.size + states.size,
        "states_compared": states.size,
        "scores_compared": scores.size,
        "differences": len(wrong[0]) + len(wrong[1]),
        "first_difference": first,
        "variant": subject.variant.name,
        "file": file,
        "tflite_bytes": len(subject.content),
        "arena_bytes": subject.arena,
    }


def _sentence(what: str, place: tuple[int, ...], want: Any, have: Any) -> str:
    steps = f", step {place[1]}" if len(place) == 3 else ""
    return f"window {place[0]}{steps}, {what} {place[-1]}: {have[place]}, expected {want[place]}"


def _version() -> str:
    try:
        return f"{_PACKAGE} {version(_PACKAGE)}"
    except PackageNotFoundError:
        return _PACKAGE
