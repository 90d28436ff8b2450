"""Dense layers and softmax; firmware/src/dense.c and softmax.c are their twins."""

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I64, frozen
from rnnedge.fixedpoint import scale
from rnnedge.simulator.dot import Dot
from rnnedge.spec import DenseLayer

_POWERS = frozen(np.rint(2.0 ** (15 - np.arange(17) / 16)), np.int64)
_LOG2_E = 94548  # log2(e) * 2**16


def dense(layer: DenseLayer, v: I64, *, last: bool = True) -> I64:
    """Return a dense layer's outputs (windows, units) of int16 values v (windows, I).

    Args:
        layer: weights.
        v: the input.
        last: True: int32 scores; False: int16 values for the layer behind.
    """
    scores = scale(Dot(layer.W)(v) + layer.bias, layer.multiplier)
    if last:
        return scores
    low = 0 if layer.activation == "relu" else -32768
    return np.asarray(np.clip(scores, low, 32767), dtype=np.int64)


def softmax(scores: npt.NDArray[np.integer], fraction_bits: int) -> I64:
    """Return the device's probabilities, Q0.15, of int32 scores (..., classes).

    >>> softmax(np.array([4096, 0]), 12)
    array([23955,  8813])
    """
    wide = scores.astype(np.int64)
    d = wide.max(axis=-1, keepdims=True) - wide
    e = np.minimum((d * _LOG2_E) >> fraction_bits, (1 << 21) - 1)
    k, f = (e >> 12) & 15, e & 4095
    u = ((_POWERS[k] << 12) - (_POWERS[k] - _POWERS[k + 1]) * f + (1 << 11)) >> 12
    u = u >> (e >> 16)
    total = u.sum(axis=-1, keepdims=True)
    probability: I64 = ((u << 15) + (total >> 1)) // total
    return probability
