"""The integer simulator: one file per cell, mirrors firmware/src bit for bit."""

from rnnedge.simulator.dense import softmax
from rnnedge.simulator.detect import Detection, detect
from rnnedge.simulator.generate import (
    FreeTrace,
    Machine,
    check_generates,
    feedback,
    first_state,
    largest,
    run_free,
)
from rnnedge.simulator.input import embed, quantize, quantize_counts
from rnnedge.simulator.model import Trace, gates, simulate, step_scores, window_scores

__all__ = [
    "Detection",
    "FreeTrace",
    "Machine",
    "Trace",
    "check_generates",
    "detect",
    "embed",
    "feedback",
    "first_state",
    "gates",
    "largest",
    "quantize",
    "quantize_counts",
    "run_free",
    "simulate",
    "softmax",
    "step_scores",
    "window_scores",
]
