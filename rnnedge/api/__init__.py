"""The Python calls behind the commands: everything the command line does, as functions.

TensorFlow is imported only inside `fit`, `export_keras` and, for the float model, `evaluate`.
"""

from rnnedge.api.describing import describe_data
from rnnedge.api.exporting import Wanted, export, export_keras, write_export
from rnnedge.api.flashing import boards, flash
from rnnedge.api.generating import Seed, generate
from rnnedge.api.onboard import verify_boards
from rnnedge.api.opened import open_run
from rnnedge.api.proving import bench, verify
from rnnedge.api.tflite import WantedTflite
from rnnedge.api.training import evaluate, fit, predict, trace

__all__ = [
    "Seed",
    "Wanted",
    "WantedTflite",
    "bench",
    "boards",
    "describe_data",
    "evaluate",
    "export",
    "export_keras",
    "fit",
    "flash",
    "generate",
    "open_run",
    "predict",
    "trace",
    "verify",
    "verify_boards",
    "write_export",
]
