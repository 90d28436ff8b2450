"""Data through a file: windows, or streams whose state goes around."""

import numpy as np

from rnnedge.errors import ModelError
from rnnedge.tflmath.interpreter import Interpreter
from rnnedge.tflmath.kernels import Values


def run(tflite: bytes, x: Values) -> Values:
    """Run windows or streams through a model.

    A model with an input (1, T, C) takes windows; one with (1, C) takes a step at a time: a stream
    is then a sequence of T invocations, and each further input is the state, fed from the output
    at the same place. State is forgotten before each window and each stream.

    Args:
        tflite: the file's content.
        x: (N, T, C) of the input's type.

    Returns:
        The first output: (N, classes) of windows, (N, T, classes) of streams.

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
    results = []
    for window in x:
        model.reset()
        results.append(_stream(model, window) if stream else model.invoke([window[None]])[0][0])
    out = model.outputs[0].shape[1:]
    shape = (len(x), *((x.shape[1],) if stream else ()), *out)
    return np.array(results, _dtype(model)).reshape(shape)


def _dtype(model: Interpreter) -> type[np.generic]:
    return np.int8 if model.outputs[0].type == "INT8" else np.int16


def _stream(model: Interpreter, steps: Values) -> list[Values]:
    kinds = {"INT8": np.int8, "INT16": np.int16, "INT32": np.int32}
    state = [np.full(t.shape, t.zero_point, kinds.get(t.type, np.int16)) for t in model.inputs[1:]]
    scores = []
    for step in steps:
        y, *after = model.invoke([step[None], *state])
        state = after[: len(state)]
        scores.append(y[0])
    return scores
