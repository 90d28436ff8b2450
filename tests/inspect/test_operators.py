"""The table of TFLM's operators against the pinned interpreter."""

import subprocess
import sys
from importlib.metadata import version

from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from rnnedge.inspect.operators import TFLM_CUSTOM, TFLM_OPERATORS, TFLM_VERSION, missing
from tests.tflmath.files import T, one

# Each file in a fork of its own: a kernel that gets no options may crash.
CHILD = """
import os, sys
from pathlib import Path
from tflite_micro import runtime
for path in sorted(Path(sys.argv[1]).iterdir()):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        try:
            runtime.Interpreter.from_bytes(path.read_bytes(), arena_size=1 << 16)
        except Exception:
            pass
        os._exit(0)
    os.close(writing)
    said = b""
    while part := os.read(reading, 1 << 16):
        said += part
    os.close(reading)
    os.waitpid(child, 0)
    if b"Didn't find op" not in said and b"Failed to get registration" not in said:
        print(path.name)
"""


def known(names, folder):
    """Return those of the operators for which the interpreter has a kernel."""
    tensor = T(type="FLOAT32", shape=(1, 4))
    for name in names:
        (folder / name).write_bytes(one(name, [tensor], [tensor]))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder)], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_table_is_what_the_pinned_interpreter_has(tmp_path):
    every = {n for n, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    every -= {"CUSTOM", "DELEGATE"}
    assert len(every) > 200
    assert known(sorted(every), tmp_path) == TFLM_OPERATORS
    assert version("tflite-micro") == TFLM_VERSION


def test_so_is_the_table_of_custom_operators(tmp_path):
    others = {"FlexTensorListReserve", "Signal", "EthosU", "Mine"}
    assert known(sorted(TFLM_CUSTOM | others), tmp_path) == TFLM_CUSTOM
    assert missing("FlexTensorListReserve", True)
    assert missing("ADD", True)
    assert not missing("ADD", False)
