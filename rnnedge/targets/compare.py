"""A target against the simulator, bit for bit, and its figures."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.arrays import F32
from rnnedge.errors import ToolError
from rnnedge.modelfile import model_hash
from rnnedge.simulator import Trace, quantize, simulate
from rnnedge.spec import QuantizedModel, RecurrentLayer
from rnnedge.targets.exported import Exported
from rnnedge.targets.freely import Check, free_checks
from rnnedge.targets.stream import Answer, Request
from rnnedge.targets.target import CountingTarget, Target

BENCH_WINDOWS = 2


def compare(
    target: Target,
    exported: Exported,
    model: QuantizedModel,
    raw: F32,
    windows: int | None,
    *,
    features: F32 | None = None,
    encoder: F32 | None = None,
) -> dict[str, Any]:
    """Build `exported` for `target`, run raw windows, compare every state and score.

    A model with free steps, a start or an encoder runs freely, too (rnnedge.targets.freely).

    Args:
        target: where to run.
        exported: the folder, as it stands.
        model: what it should compute.
        raw: float32 (windows, steps, raw values), raw units or ids; some are chosen, evenly.
        windows: how many, None for the target's default.
        features: float32 (windows, features), raw units, of a model with a start.
        encoder: float32 (windows, encoder steps, raw values), of a model with an encoder.

    Returns:
        target, compiler, windows, free_steps, values_compared, states_compared, scores_compared,
        differences, and first_difference (a sentence, or None).

    Raises:
        ToolError: the compiler or emulator is missing or fails.
    """
    count = target.windows if windows is None else windows
    chosen = choose(raw, count)
    checks = [
        Check(
            request=Request.windows(model, chosen),
            expected=simulate(model, quantize(model.input, chosen)),
        ),
        *free_checks(
            model,
            chosen,
            None if features is None else choose(features, count),
            None if encoder is None else choose(encoder, count),
        ),
    ]
    with tempfile.TemporaryDirectory(prefix="rnnedge-") as work:
        program = target.build(exported, Path(work))
        answers = [target.run(program, check.request) for check in checks]
    states = scores = differences = 0
    first = None
    for check, answer in zip(checks, answers, strict=True):
        expected, got = check.expected, answer.trace
        _check_model(target, model, expected, answer)
        states += expected.states.size
        scores += expected.scores.size
        differences += int(np.count_nonzero(got.states != expected.states))
        differences += int(np.count_nonzero(got.scores != expected.scores))
        found = first_difference(expected, got)
        first = first or (found and check.named + found)
    return {
        "target": target.name,
        "compiler": target.compiler_version(),
        "windows": len(chosen),
        "free_steps": sum(len(check.request.x) * check.request.back for check in checks),
        "values_compared": states + scores,
        "states_compared": states,
        "scores_compared": scores,
        "differences": differences,
        "first_difference": first,
    }


def _check_model(target: Target, model: QuantizedModel, expected: Trace, answer: Answer) -> None:
    got = answer.trace
    if got.states.shape != expected.states.shape or got.scores.shape != expected.scores.shape:
        raise ToolError(
            f"{target.name}: the program has another model ({answer.sha256[:12]}): "
            f"{got.states.shape[2]} state values, expected {expected.states.shape[2]}"
        )
    if answer.sha256 != model_hash(model):
        raise ToolError(
            f"{target.name}: the program says that it is model {answer.sha256[:12]}, not "
            f"{model_hash(model)[:12]}; run rnnedge export again"
        )


def measure(
    target: CountingTarget,
    exported: Exported,
    model: QuantizedModel,
    raw: F32,
    optimize: str,
    keep: Path | None = None,
) -> dict[str, Any]:
    """Count every step over some windows and read sizes from the ELF.

    Args:
        target: where to run.
        exported: the folder, as it stands.
        model: what it computes.
        raw: float32 (windows, steps, channels), raw units.
        optimize: "speed" or "size".
        keep: a folder that gets the program, named after the target.

    Raises:
        ToolError: a tool is missing or fails, or the program's results are not the simulator's.
    """
    chosen = choose(raw, BENCH_WINDOWS)
    expected = simulate(model, quantize(model.input, chosen))
    with tempfile.TemporaryDirectory(prefix="rnnedge-") as work:
        program = target.build(exported, Path(work), optimize)
        measured = target.measure(program, Request.windows(model, chosen))
        sizes = target.sizes(program)
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy2(program, keep)
    if first_difference(expected, measured.answer.trace) is not None:
        raise ToolError(f"{target.name}: wrong results, no figures; run rnnedge verify")
    # a bidirectional model is counted a window at a time
    times = chosen.shape[1] if model.bidirectional else 1
    per_step = -(-max(measured.counts) // times)
    return {
        "target": target.name,
        "compiler": target.compiler_version(),
        "cell": "+".join(layer.kind for layer in model.recurrent),
        "units": model.recurrent[0].units,
        "layers": len(model.recurrent),
        "inputs": model.input.channels,
        "steps": sum(measured.counts.values()) * times,
        "per_step": per_step,
        "per_step_min": -(-min(measured.counts) // times),
        "per_mac": round(per_step / sum(map(_macs, model.cells)), 3),
        "unit": target.unit,
        "optimize": optimize,
        "code_bytes": sizes.code_bytes,
        "step_code_bytes": measured.code_bytes,
        "const_bytes": sizes.const_bytes,
        "ram_bytes": sizes.ram_bytes,
        "stack_bytes": measured.answer.stack_bytes,
        "program_flash_bytes": sizes.program_flash_bytes,
        "program_ram_bytes": sizes.program_ram_bytes,
    }


def _macs(layer: RecurrentLayer) -> int:
    return layer.W.size + layer.U.size


def choose(raw: F32, windows: int | None) -> F32:
    """Return `windows` of the windows, evenly spread over all."""
    if windows is None or windows >= len(raw):
        return raw
    return raw[np.linspace(0, len(raw) - 1, max(windows, 1)).astype(np.int64)]


def first_difference(expected: Trace, got: Trace) -> str | None:
    """Say where the first difference is."""
    wrong = np.argwhere(expected.states != got.states)
    if len(wrong):
        window, step, unit = (int(i) for i in wrong[0])
        want, have = expected.states[window, step, unit], got.states[window, step, unit]
        return f"window {window}, step {step}, state {unit}: {have}, expected {want}"
    wrong = np.argwhere(expected.scores != got.scores)
    if len(wrong):
        place = tuple(int(i) for i in wrong[0])
        where = f"score {place[-1]}"
        if len(place) == 3:  # after the last fed step, then after each free one
            where = f"answer {place[1]}, {where}"
        want, have = expected.scores[place], got.scores[place]
        return f"window {place[0]}, {where}: {have}, expected {want}"
    return None
