"""TensorFlow Lite Micro's arithmetic in NumPy: why an artefact's bits are what they are.

`run` computes a .tflite file operator by operator, bit for bit as the pinned interpreter with its
reference kernels does. Nothing here calls that interpreter, and nothing comes from a run of it.
"""

from rnnedge.tflmath.file import File, Operator, Quantization, Subgraph, Tensor
from rnnedge.tflmath.interpreter import OPERATORS, Interpreter
from rnnedge.tflmath.reading import read
from rnnedge.tflmath.running import run, trace

__all__ = [
    "OPERATORS",
    "File",
    "Interpreter",
    "Operator",
    "Quantization",
    "Subgraph",
    "Tensor",
    "read",
    "run",
    "trace",
]
