"""The graph's input and output: types, scales, and how samples become the input."""

from collections.abc import Sequence

import numpy as np

from rnnedge.arrays import I8, I16
from rnnedge.convert.tflite import dense
from rnnedge.convert.tflite.variant import Variant
from rnnedge.convert.tflite.writer import Graph, Tensor
from rnnedge.spec import QuantizedModel


def input_type(variant: Variant) -> str:
    """Return the type of the graph's input: int16, or int8 with precision 8x8."""
    return "int8" if variant.precision == "8x8" else "int16"


def input_scale(model: QuantizedModel, variant: Variant | None = None) -> float:
    """Return the normalised value of one unit of the input."""
    bits = 7 if variant is not None and input_type(variant) == "int8" else 15
    return float(np.float32(model.input.limit * 2.0**-bits))


def output_scale(model: QuantizedModel) -> float:
    """Return the real value of one unit of the int16 scores, a power of two."""
    return dense.score_scale(model.dense[-1])


def as_input(x: I16, variant: Variant) -> I16 | I8:
    """Return samples as the graph takes them.

    Args:
        x: int16, as `rnnedge.simulator.quantize` makes them.
        variant: of the graph.

    Returns:
        x itself, or int8: its top byte, rounded half up and saturated.
    """
    if input_type(variant) == "int16":
        return x
    narrow: I8 = np.clip((x.astype(np.int32) + 128) >> 8, -128, 127).astype(np.int8)
    return narrow


def graph_input(
    graph: Graph, model: QuantizedModel, variant: Variant, shape: Sequence[int]
) -> Tensor:
    """Add the graph's input."""
    return graph.input("x", shape, input_type(variant), input_scale(model, variant))
