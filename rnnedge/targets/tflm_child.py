"""Run a .tflite file in the TFLite Micro interpreter; a process of its own.

A damaged model or a too small arena can crash the interpreter, so `rnnedge.targets.tflm` starts
this module as a child::

    python -m rnnedge.targets.tflm_child FOLDER ARENA [COUNT]

FOLDER holds ``model.tflite`` and ``x.npy``, int16 (N, T, C); with COUNT, x is that many random
windows in the shape that the model asks for. The outputs go to ``y.npy``, int16 (N, classes). On
an expected failure the reason, one line, goes to ``error.txt`` and the exit code is 3.
"""

import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.arrays import I16

FAILED = 3
"""Exit code of a failure that ``error.txt`` explains."""
_MEMORY = 4 << 30  # a damaged file may ask for any amount


class _FailureError(Exception):
    """The reason, one line."""


def main(arguments: list[str]) -> int:
    """Run the model and return the exit code."""
    folder, arena = Path(arguments[0]), int(arguments[1])
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        interpreter = _load((folder / "model.tflite").read_bytes(), arena)
        shape = _shape(interpreter)
        if len(arguments) > 2:
            x = _random(int(arguments[2]), shape)
        else:
            x = np.load(folder / "x.npy", allow_pickle=False)
        y = _run(interpreter, x, shape)
        np.save(folder / "y.npy", y, allow_pickle=False)
    except _FailureError as failure:
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


def _shape(interpreter: Any) -> tuple[int, ...]:
    details = interpreter.get_input_details(0)
    shape = tuple(int(size) for size in details["shape"])
    if len(shape) != 3 or shape[0] != 1 or details["dtype"] is not np.int16:
        raise _FailureError(
            f"the model's input is {np.dtype(details['dtype']).name} {shape}; "
            "expected int16 (1, window, channels)"
        )
    return shape


def _random(count: int, shape: tuple[int, ...]) -> I16:
    rng = np.random.default_rng(0)  # fewer windows are the first of more
    return rng.integers(-(1 << 15), 1 << 15, (count, *shape[1:]), dtype=np.int16)


def _run(interpreter: Any, x: I16, shape: tuple[int, ...]) -> I16:
    if x.shape[1:] != shape[1:]:
        raise _FailureError(
            f"windows of {x.shape[1:]} for a model that takes {shape[1:]} (steps, channels)"
        )
    details = interpreter.get_output_details(0)
    y = np.empty((len(x), *details["shape"][1:]), np.int16)
    if y.ndim != 2 or details["dtype"] is not np.int16:
        raise _FailureError("the model's output is not int16 (1, classes)")
    try:
        for window, scores in zip(x, y, strict=True):
            interpreter.set_input(window[None], 0)
            interpreter.invoke()
            scores[:] = interpreter.get_output(0)[0]
    except (RuntimeError, ValueError) as error:
        raise _FailureError(f"TFLite Micro does not run the model ({_line(error)})") from None
    return y


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
