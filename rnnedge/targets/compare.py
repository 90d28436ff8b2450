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
from rnnedge.targets.target import CountingTarget, Target

BENCH_WINDOWS = 2


def compare(
    target: Target, exported: Exported, model: QuantizedModel, raw: F32, windows: int | None
) -> dict[str, Any]:
    """Build `exported` for `target`, run raw windows, compare every state and score.

    Args:
        target: where to run.
        exported: the folder, as it stands.
        model: what it should compute.
        raw: float32 (windows, steps, channels), raw units; some of them are chosen, evenly.
        windows: how many, None for the target's default.

    Returns:
        target, compiler, windows, values_compared, states_compared, scores_compared, differences,
        and first_difference (a sentence, or None).

    Raises:
        ToolError: the compiler or emulator is missing or fails.
    """
    chosen = choose(raw, target.windows if windows is None else windows)
    expected = simulate(model, quantize(model.input, chosen))
    with tempfile.TemporaryDirectory(prefix="rnnedge-") as work:
        program = target.build(exported, Path(work))
        answer = target.run(program, chosen)
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
    states = int(np.count_nonzero(got.states != expected.states))
    scores = int(np.count_nonzero(got.scores != expected.scores))
    return {
        "target": target.name,
        "compiler": target.compiler_version(),
        "windows": len(chosen),
        "values_compared": expected.states.size + expected.scores.size,
        "states_compared": expected.states.size,
        "scores_compared": expected.scores.size,
        "differences": states + scores,
        "first_difference": first_difference(expected, got),
    }


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
        measured = target.measure(program, chosen)
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
        window, row = (int(i) for i in wrong[0])
        want, have = expected.scores[window, row], got.scores[window, row]
        return f"window {window}, score {row}: {have}, expected {want}"
    return None
