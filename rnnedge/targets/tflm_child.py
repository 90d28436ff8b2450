"""Run a .tflite file in the TFLite Micro interpreter; a process of its own.

A damaged model or a too small arena can crash the interpreter, so `rnnedge.targets.tflm` starts
this module as a child::

    python -m rnnedge.targets.tflm_child FOLDER ARENA [COUNT]

FOLDER holds ``model.tflite`` and ``x.npy``, (N, T, C); with COUNT, x is that many random windows in
the shape that the model asks for. The scores go to ``y.npy``: (N, ...) as the model shapes them, of
a stream (N, T, classes). The states after each step of a stream that are outputs of the graph go to
``states.npy``, int16 (N, T, values). On an expected failure the reason, one line, goes to
``error.txt`` and the exit code is 3.
"""

import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I16
from rnnedge.errors import ToolError
from rnnedge.targets.artefact import Artefact, read_artefact

FAILED = 3
"""Exit code of a failure that ``error.txt`` explains."""
_MEMORY = 4 << 30  # a damaged file may ask for any amount
_RANDOM_STEPS = 6  # of a stream

Values = npt.NDArray[Any]


class _FailureError(Exception):
    """The reason, one line."""


def main(arguments: list[str]) -> int:
    """Run the model and return the exit code."""
    folder, arena = Path(arguments[0]), int(arguments[1])
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        tflite = (folder / "model.tflite").read_bytes()
        interpreter = _load(tflite, arena)
        found = read_artefact(tflite)
        if len(arguments) > 2:
            x = _random(int(arguments[2]), found)
        else:
            x = np.load(folder / "x.npy", allow_pickle=False)
        y, states = _run(interpreter, x, found)
        np.save(folder / "y.npy", y, allow_pickle=False)
        np.save(folder / "states.npy", states, allow_pickle=False)
    except (_FailureError, ToolError) as failure:
        (folder / "error.txt").write_text(str(failure))
        return FAILED
    return 0


def _load(tflite: bytes, arena: int) -> Any:
    try:
        from tflite_micro import runtime
    except ImportError as error:
        raise _FailureError(
            f"the package tflite-micro cannot be imported ({error}); pip install tflite-micro"
        ) from None
    try:
        return runtime.Interpreter.from_bytes(tflite, arena_size=arena)
    except Exception as error:  # whatever a damaged file makes of it
        raise _FailureError(
            f"TFLite Micro does not load the model with an arena of {arena} bytes "
            f"({_line(error)}); the file is damaged or the arena too small"
        ) from None


def _random(count: int, found: Artefact) -> Values:
    rng = np.random.default_rng(0)  # fewer windows are the first of more
    port = found.inputs[0]
    shape = port.shape[1:] if found.form == "window" else (_RANDOM_STEPS, *port.shape[1:])
    limits = np.iinfo(port.dtype)
    return rng.integers(limits.min, limits.max + 1, (count, *shape), dtype=port.dtype)


def _run(interpreter: Any, x: Values, found: Artefact) -> tuple[Values, I16]:
    port, shape = found.inputs[0], found.inputs[0].shape[1:]
    if x.dtype.name != port.dtype:
        raise _FailureError(f"windows of {x.dtype} for a model that takes {port.dtype}")
    if x.shape[3 - len(shape) :] != shape:
        kind = "(steps, channels)" if len(shape) == 2 else "(channels,)"
        raise _FailureError(
            f"windows of {x.shape[3 - len(shape) :]} for a model that takes {shape} {kind}"
        )
    try:
        if found.form == "window":
            return _windows(interpreter, x, found), np.zeros((len(x), 0, 0), np.int16)
        return _streams(interpreter, x, found)
    except (RuntimeError, ValueError) as error:
        raise _FailureError(f"TFLite Micro does not run the model ({_line(error)})") from None


def _windows(interpreter: Any, x: Values, found: Artefact) -> Values:
    port = found.outputs[0]
    y = np.empty((len(x), *port.shape[1:]), port.dtype)
    for window, scores in zip(x, y, strict=True):
        interpreter.reset()  # the fused LSTM keeps its state
        interpreter.set_input(window[None], 0)
        interpreter.invoke()
        scores[:] = interpreter.get_output(0)[0]
    return y


def _streams(interpreter: Any, x: Values, found: Artefact) -> tuple[Values, I16]:
    port, sizes = found.outputs[0], [state.shape[1] for state in found.states]
    y = np.empty((*x.shape[:2], *port.shape[1:]), port.dtype)
    states = np.empty((*x.shape[:2], sum(sizes)), np.int16)
    for n in range(len(x)):
        interpreter.reset()
        state = [np.zeros(item.shape, np.int16) for item in found.states]
        for t in range(x.shape[1]):
            interpreter.set_input(x[n, t][None], 0)
            for index, value in enumerate(state):
                interpreter.set_input(value, index + 1)
            interpreter.invoke()
            y[n, t] = interpreter.get_output(0)[0]
            state = [interpreter.get_output(index + 1) for index in range(len(state))]
            if state:
                states[n, t] = np.concatenate(state, axis=1)[0]
    return y, states


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
