"""One time step of an LSTM layer as TensorFlow Lite operators; docs/arithmetic.md, section 6.

As the GRU's step: int8 rows with a gain each, pre-activations Q4.11 (8x8: Q3.12), gates Q0.15.
"""

import numpy as np

from rnnedge.convert.tflite import operators as op
from rnnedge.convert.tflite.cell import STATE, Builder, StateTensor
from rnnedge.convert.tflite.product import Gain
from rnnedge.convert.tflite.writer import Tensor
from rnnedge.spec import LstmLayer


def states(layer: LstmLayer) -> tuple[StateTensor, ...]:
    """Return what the layer carries from step to step."""
    return (
        StateTensor(name="h", units=layer.units, scale=STATE),
        StateTensor(name="c", units=layer.units, scale=2.0 ** (layer.state_shift - 15)),
    )


def step(build: Builder, layer: LstmLayer, x: Tensor, state: list[Tensor]) -> list[Tensor]:
    """Add one time step.

    Args:
        build: names and precision.
        layer: the weights.
        x: int16 input, layer.inputs values.
        state: h, int16 (1, H), Q0.15, and c.

    Returns:
        The next state.

    Raises:
        RangeError: a row's range does not fit the kernels.
    """
    graph, name = build.graph, build.name
    h, c = state
    halved = np.repeat(layer.SIGMOID, layer.units)
    rows = layer.multiplier.astype(np.int16) << halved
    gain = Gain(rows=rows.astype(np.int16), unit=2.0**-layer.gain_exponent)
    bias = layer.real_bias / layer.row_scale
    operands = (x, layer.W), (h, layer.U), bias, gain
    p = build.preactivation("p", layer, *operands, build.gate_unit)
    parts = op.split(graph, [name(f"p_{gate}") for gate in layer.GATES], p)
    i, f, g, o = (
        (op.logistic if sigmoid else op.tanh)(graph, name(gate), part)
        for gate, sigmoid, part in zip(layer.GATES, layer.SIGMOID, parts, strict=True)
    )
    kept = op.mul(graph, name("f*c"), f, c, c.label)
    added = op.mul(graph, name("i*g"), i, g, STATE)
    c = op.add(graph, name("c'"), kept, added, c.label)
    return [op.mul(graph, name("h'"), o, op.tanh(graph, name("tanh_c"), c), STATE), c]
