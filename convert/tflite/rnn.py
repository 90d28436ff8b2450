"""One time step of a vanilla RNN layer as TensorFlow Lite operators; docs/arithmetic.md, 7."""

import numpy as np

from rnnedge.convert.tflite import operators as op
from rnnedge.convert.tflite.cell import Builder, StateTensor
from rnnedge.convert.tflite.product import Gain
from rnnedge.convert.tflite.writer import Tensor
from rnnedge.spec import RnnLayer


def states(layer: RnnLayer) -> tuple[StateTensor, ...]:
    """Return what the layer carries from step to step."""
    return (StateTensor(name="h", units=layer.units, scale=2.0 ** (layer.state_shift - 15)),)


def step(build: Builder, layer: RnnLayer, x: Tensor, state: list[Tensor]) -> list[Tensor]:
    """Add one time step.

    Args:
        build: names and precision.
        layer: the weights.
        x: int16 input, layer.inputs values.
        state: h, int16 (1, H).

    Returns:
        The next state.

    Raises:
        RangeError: a row's range does not fit the kernels.
    """
    (h,) = state
    gain = Gain(rows=layer.multiplier.astype(np.int16), unit=2.0**-layer.gain_exponent)
    bias = layer.real_bias / layer.row_scale
    operands = (x, layer.W), (h, layer.U), bias, gain
    if layer.activation == "relu":
        return [build.preactivation("h'", layer, *operands, h.label, relu=True)]
    p = build.preactivation("p", layer, *operands)
    return [op.tanh(build.graph, build.name("h'"), p)]
