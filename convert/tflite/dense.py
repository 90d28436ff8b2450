"""The dense head as TensorFlow Lite operators."""

import math

import numpy as np

from rnnedge.convert.tflite.product import Operand, apply_gain
from rnnedge.convert.tflite.writer import Graph, Tensor
from rnnedge.spec import DenseLayer

_H = 2.0**-15  # unit of the Q0.15 state


def score_scale(layer: DenseLayer) -> float:
    """Return the real value of one unit of the int16 scores: a power of two that holds them all."""
    sums = np.abs(layer.W.astype(np.int64)).sum(axis=1) * layer.row_scale
    largest = float(np.max(sums + np.abs(layer.real_bias)))
    return math.ldexp(1.0, max(math.frexp(largest)[1], -15) - 15)


def scores(graph: Graph, name: str, layer: DenseLayer, h: Tensor) -> Tensor:
    """Add the head.

    Args:
        graph: main graph.
        name: of the output; prefix of the other tensors' names.
        layer: the weights.
        h: int16 (1, layer.inputs), Q0.15.

    Returns:
        int16 (1, layer.units), scale ``score_scale(layer)``.

    Raises:
        RangeError: a row's range does not fit the kernels.
    """
    operand = Operand(
        name=f"{name}_h", x=h, unit=_H, weights=layer.W, bias=layer.real_bias / layer.row_scale
    )
    gain_unit = 2.0 ** -(layer.fraction_bits + 1)
    return apply_gain(graph, name, [operand], layer.multiplier, gain_unit, score_scale(layer))
