"""The integer simulator: one file per cell, mirrors firmware/src bit for bit."""

from rnnedge.simulator.input import quantize
from rnnedge.simulator.model import Trace, simulate

__all__ = ["Trace", "quantize", "simulate"]
