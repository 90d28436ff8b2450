"""The output head; firmware/src/dense.c is its twin."""

from rnnedge.arrays import I64
from rnnedge.fixedpoint import scale
from rnnedge.simulator.dot import Dot
from rnnedge.spec import DenseLayer


def dense(layer: DenseLayer, h: I64) -> I64:
    """Return int32 scores (windows, units) of the Q0.15 state h (windows, I)."""
    return scale(Dot(layer.W)(h) + layer.bias, layer.multiplier, 16)
