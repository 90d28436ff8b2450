"""Data through a file: windows, or streams whose state goes around."""

import numpy as np

from rnnedge.errors import ModelError
from rnnedge.tflmath.interpreter import Interpreter
from rnnedge.tflmath.kernels import Values


def run(tflite: bytes, x: Values) -> Values:
    """Run windows or streams through a model, as `trace` does; return the first output only."""
    return trace(tflite, x)[0]


def trace(tflite: bytes, x: Values) -> tuple[Values, Values]:
    """Run windows or streams through a model.

    A model with an input (1, T, C) takes windows; one with (1, C) takes a step at a time: a stream
    is then a sequence of T invocations, and each further input is the state, fed from the output
    at the same place. State is forgotten before each window and each stream.

    Args:
        tflite: the file's content.
        x: (N, T, C) of the input's type.

    Returns:
        The first output: (N, classes) of windows, (N, T, classes) of streams. The states of a
        stream after each step, side by side: (N, T, values), no values of windows and of states
        that stay inside.

    Raises:
        ModelError: a damaged file, an operator without reference here, or `x` does not fit.
    """
    model = Interpreter(tflite)
    first = model.inputs[0]
    if x.ndim != 3 or len(first.shape) not in (2, 3):
        raise ModelError(f"x is {x.shape} for an input of {first.shape}; expected (N, T, C)")
    stream = len(first.shape) == 2
    if not stream and len(model.inputs) > 1:
        raise ModelError(f"a window model with {len(model.inputs)} inputs")
    if stream and len(model.inputs) > len(model.outputs):
        raise ModelError(f"{len(model.inputs)} inputs but {len(model.outputs)} outputs")
    results, states = [], []
    for window in x:
        model.reset()
        if stream:
            scores, after = _stream(model, window)
            results.append(scores)
            states.append(after)
        else:
            results.append(model.invoke([window[None]])[0][0])
    steps = (len(x), x.shape[1]) if stream else (len(x),)
    scored = np.array(results, _dtype(model)).reshape(*steps, *model.outputs[0].shape[1:])
    if len(model.inputs) == 1:
        return scored, np.zeros((len(x), x.shape[1] if stream else 0, 0), np.int16)
    return scored, np.array(states)


def _dtype(model: Interpreter) -> type[np.generic]:
    return np.int8 if model.outputs[0].type == "INT8" else np.int16


def _stream(model: Interpreter, steps: Values) -> tuple[list[Values], list[Values]]:
    kinds = {"INT8": np.int8, "INT16": np.int16, "INT32": np.int32}
    state = [np.full(t.shape, t.zero_point, kinds.get(t.type, np.int16)) for t in model.inputs[1:]]
    scores, states = [], []
    for step in steps:
        y, *after = model.invoke([step[None], *state])
        state = after[: len(state)]
        scores.append(y[0])
        if state:
            states.append(np.concatenate([value.reshape(-1) for value in state]))
    return scores, states
