"""The dense layers behind the recurrent ones as TensorFlow Lite operators, int16 throughout.

Hidden layers keep each row's own scale. The last one does not: its scores are compared with each
other, so what counts is the error beside the largest row's, and one scale for all rows needs no
gain.
"""

import math

import numpy as np

from rnnedge.arrays import F64, I8
from rnnedge.convert.tflite.cell import STATE
from rnnedge.convert.tflite.product import Gain, Operand, apply_gain, exact_scale, product
from rnnedge.convert.tflite.writer import Graph, Tensor
from rnnedge.spec import DenseLayer


def score_scale(layer: DenseLayer) -> float:
    """Return the real value of one unit of the int16 scores: a power of two that holds them all."""
    weights, scale = one_scale(layer.W, layer.row_scale)
    sums = np.abs(weights.astype(np.int64)).sum(axis=1) * scale
    largest = float(np.max(sums + np.abs(layer.real_bias)))
    return math.ldexp(1.0, max(math.frexp(largest)[1], -15) - 15)


def one_scale(rows: I8, row_scale: F64) -> tuple[I8, float]:
    """Quantise rows that have a scale each again, with one scale for all of them.

    Args:
        rows: int8 (rows, columns).
        row_scale: float64 (rows,).

    Returns:
        int8 (rows, columns), -127..127, and the real value of one unit.
    """
    real = rows * row_scale[:, None]
    scale = exact_scale(max(float(np.abs(real).max()) / 127, 2.0**-40))
    return np.rint(real / scale).astype(np.int8), scale


def scores(graph: Graph, name: str, layers: tuple[DenseLayer, ...], v: Tensor) -> Tensor:
    """Add all dense layers.

    Args:
        graph: where to add them.
        name: of the output; prefix of the other tensors' names.
        layers: first to last.
        v: int16 input, as many values as the first layer takes.

    Returns:
        int16 (1, units of the last layer), scale ``score_scale(layers[-1])``.

    Raises:
        RangeError: a row's range does not fit the kernels.
    """
    for index, layer in enumerate(layers[:-1]):
        # Whatever the label of the input, the weights count it as Q0.15.
        prefix = f"dense{index}"
        bias = layer.real_bias / layer.row_scale
        operand = Operand(name=f"{prefix}_v", x=v, unit=STATE, weights=layer.W, bias=bias)
        gain = Gain(rows=layer.multiplier, unit=2.0 ** -(layer.fraction_bits + 1))
        relu = layer.activation == "relu"
        v = apply_gain(graph, prefix, [operand], gain, 2.0**-layer.fraction_bits, relu=relu)
    last = layers[-1]
    weights, scale = one_scale(last.W, last.row_scale)
    operand = Operand(name=name, x=v, unit=STATE * scale, weights=weights, bias=last.real_bias)
    return product(graph, operand, score_scale(last))
