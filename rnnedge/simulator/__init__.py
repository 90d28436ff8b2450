"""The integer simulator: one file per cell, mirrors firmware/src bit for bit."""

from rnnedge.simulator.dense import softmax
from rnnedge.simulator.input import quantize, quantize_counts
from rnnedge.simulator.model import Trace, gates, simulate, step_scores

__all__ = [
    "Trace",
    "gates",
    "quantize",
    "quantize_counts",
    "simulate",
    "softmax",
    "step_scores",
]
