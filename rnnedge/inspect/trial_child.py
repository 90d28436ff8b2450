"""Load and invoke a .tflite file in TensorFlow Lite Micro; a process of its own.

A damaged file can crash the interpreter, so `rnnedge.inspect.trial` starts this module as::

    python -m rnnedge.inspect.trial_child FOLDER INPUTS

FOLDER holds ``model.tflite``. What the interpreter prints goes to ``log.txt``, how far it came to
``stage.json``.
"""

import json
import os
import resource
import sys
from pathlib import Path

import numpy as np

_MEMORY = 4 << 30
_SECONDS = 120  # of processor time
_ARENA = 1 << 27
_LOG = 1 << 24


def main(arguments: list[str]) -> int:
    """Run the file and return the exit code."""
    folder, inputs = Path(arguments[0]), int(arguments[1])
    log = os.open(folder / "log.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LOG, _LOG))
    from tflite_micro import runtime

    model = runtime.Interpreter.from_bytes(
        (folder / "model.tflite").read_bytes(), arena_size=_ARENA
    )
    _reached(folder, loads=True, runs=False)
    for index in range(inputs):
        details = model.get_input_details(index)
        zero_points = details["quantization_parameters"]["zero_points"]
        fill = int(zero_points[0]) if len(zero_points) else 0
        model.set_input(np.full(details["shape"], fill, details["dtype"]), index)
    model.invoke()
    _reached(folder, loads=True, runs=True)
    model.print_allocations()
    return 0


def _reached(folder: Path, *, loads: bool, runs: bool) -> None:
    part = folder / "stage.part"
    part.write_text(json.dumps({"loads": loads, "runs": runs}))
    part.replace(folder / "stage.json")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
