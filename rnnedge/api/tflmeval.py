"""How right the forms for TensorFlow Lite Micro are: classes, and the state over a long run."""

from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.api.opened import Document
from rnnedge.api.tflite import Made, WantedTflite, make
from rnnedge.arrays import F32, F64, I16, I64
from rnnedge.simulator import quantize
from rnnedge.spec import QuantizedModel

_STEPS = 500
_TIMEOUT = 3600.0


def tflm_classes(
    keras_file: Path,
    model: QuantizedModel,
    X: F32,
    wanted: WantedTflite,
    lengths: I64 | None = None,
) -> tuple[dict[str, I64], dict[str, Document], list[Document]]:
    """Run windows through forms of a model in TensorFlow Lite Micro.

    Args:
        keras_file: the float model.
        model: the quantised model.
        X: float32 (windows, steps, channels), raw units.
        wanted: the forms.
        lengths: int64 (windows,), steps that count, of padded windows; None: all.

    Returns:
        By name ("tflm" is the window in 16x8, "tflm-stream-io-8x8" another): the class of each
        window, from a zero state; and variant, tflite_bytes, arena_bytes and, of streams, long_run
        (`_long_run`). Then what the model cannot have.

    Raises:
        RnnedgeError: tflite-micro cannot run one.
    """
    from rnnedge.convert.tflite import Variant, as_input
    from rnnedge.targets.tflm import run_tflm

    variants, refused = wanted.variants(model)
    if lengths is not None:
        why = "the windows are of different lengths, and its loop runs to their last step"
        refused += [{"variant": v.name, "reason": why} for v in variants if v.form != "stream"]
        variants = [v for v in variants if v.form == "stream"]
    ends = np.full(len(X), X.shape[1]) if lengths is None else lengths
    x = quantize(model.input, X)
    classes, extra = {}, {}
    for made in make(model, variants, refused):
        variant = made.variant
        name = "tflm" if variant == Variant() else f"tflm-{variant.name}"
        scores = run_tflm(made.tflite, as_input(x, variant), made.arena, timeout=_TIMEOUT)
        # an answer at every step
        last = scores if scores.ndim == 2 else scores[np.arange(len(X)), ends - 1]
        classes[name] = last.argmax(axis=1)
        extra[name] = {
            "variant": variant.name,
            "tflite_bytes": len(made.tflite),
            "arena_bytes": made.arena,
        }
        if variant.form == "stream":
            extra[name]["long_run"] = _long_run(keras_file, model, made, X)
    return classes, extra, refused


def _long_run(keras_file: Path, model: QuantizedModel, made: Made, X: F32) -> Document:
    """Stream windows laid end to end, without reset, and compare with the float model.

    Returns:
        streams, steps, and against the float model as it is and against one whose input ends where
        that of the graph does (_clipped): state_rms (all values of h) and state_rms_median (of the
        streams' own), None where the state stays inside the graph, and agreement (equal classes at
        every step).
    """
    from rnnedge.convert.extract import extract
    from rnnedge.convert.tflite import as_input, output_scale
    from rnnedge.convert.tflite.stream import states
    from rnnedge.targets.tflm import run_stream

    source = extract(keras_file)
    raw = long_streams(X)
    x: Any = as_input(quantize(model.input, raw), made.variant)
    got = run_stream(made.tflite, x, made.arena, timeout=_TIMEOUT)
    document: Document = {"streams": len(raw), "steps": raw.shape[1]}
    v = source.normalise(raw.astype(np.float64))
    limit = model.input.limit
    for suffix, given in (("", v), ("_clipped", np.clip(v, -limit, limit))):
        hidden, sequence = [], given
        for layer in source.recurrent:
            sequence, _ = layer.run(sequence)
            hidden.append(sequence)
        scores = sequence
        for dense in source.dense:
            scores = dense.run(scores)
        rms = median = None
        if got.states.size:
            held = h_of(got.states, [(s.name, s.units, s.scale) for s in states(model)])
            squares = np.mean((held - np.concatenate(hidden, axis=2)) ** 2, axis=(1, 2))
            rms, median = float(np.sqrt(squares.mean())), float(np.sqrt(np.median(squares)))
        same = np.mean(classes_of(got.scores * output_scale(model)) == classes_of(scores))
        document |= {
            f"state_rms{suffix}": rms,
            f"state_rms_median{suffix}": median,
            f"agreement{suffix}": float(same),
        }
    return document


def classes_of(scores: Any) -> I64:
    """Return the class at every step; one score alone stands for two, with 0 between."""
    if scores.shape[-1] == 1:
        return np.asarray(scores[..., 0] > 0, np.int64)
    best: I64 = scores.argmax(axis=-1)
    return best


def long_streams(X: F32, steps: int = _STEPS) -> F32:
    """Return streams of at most `steps` steps: all windows laid end to end, each in one of them."""
    each = min(-(-steps // X.shape[1]), len(X))
    return np.stack(
        [
            np.concatenate(list(X[start : start + each]))[:steps]
            for start in range(0, len(X) - each + 1, each)
        ]
    )


def h_of(states: I16, layout: list[tuple[str, int, float]]) -> F64:
    """Return the real h of all layers (N, T, values) of states that lie as `layout` says."""
    parts, place = [], 0
    for name, units, scale in layout:
        if name.rpartition(".")[2] == "h":
            parts.append(states[..., place : place + units] * scale)
        place += units
    return np.concatenate(parts, axis=2)
