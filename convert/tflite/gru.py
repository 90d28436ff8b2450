"""One time step of a GRU layer as TensorFlow Lite operators.

The same equations as docs/arithmetic.md, section 5, on the same int8 rows. Precision differs: the
products see all 16 bits of state and input, but pre-activations are Q3.12 and end at -8..8, gates
are Q0.15 like the state: no gate closes further than sigmoid(-8).

The update gate's rows get a negative gain: sigmoid(-p) = 1 - z, which for a slow gate is small
and thus keeps the state's error small, and h' = h + (1 - z)(n - h) needs no constant 1.
"""

import numpy as np

from rnnedge.convert.tflite.product import Operand, apply_gain
from rnnedge.convert.tflite.writer import Graph, Tensor
from rnnedge.spec import GruLayer

STATE = 2.0**-15
"""Scale of states and gates."""
GATE = 2.0**-12
"""Scale of pre-activations."""


def step(
    graph: Graph, name: str, layer: GruLayer, x: Tensor, h: Tensor, split_axis: Tensor
) -> Tensor:
    """Add one time step.

    Args:
        graph: body of the loop.
        name: prefix of all tensor names.
        layer: the weights.
        x: int16 input, layer.inputs values.
        h: int16 (1, H) state, Q0.15.
        split_axis: int32 constant 1.

    Returns:
        int16 (1, H), the next state, Q0.15.

    Raises:
        RangeError: a row's range does not fit the kernels.
    """
    rows = layer.units
    bias = layer.real_bias / layer.row_scale
    n_unit = 2.0**-layer.gain_exponent
    x_unit = 2.0**layer.input_exponent
    gate_sign = np.repeat(np.array([-1, 1], np.int16), rows)
    multiplier = layer.multiplier.astype(np.int16)

    gates = [
        Operand(name=f"{name}zr_x", x=x, unit=x_unit, weights=layer.W[: 2 * rows], bias=None),
        Operand(
            name=f"{name}zr_h", x=h, unit=STATE, weights=layer.U[: 2 * rows], bias=bias[: 2 * rows]
        ),
    ]
    gain = gate_sign * multiplier[: 2 * rows]
    p = apply_gain(graph, f"{name}zr_p", gates, gain, 2 * n_unit, GATE)
    zr = graph.logistic(f"{name}zr", p)
    z1, r = graph.split([f"{name}1-z", f"{name}r"], split_axis, zr)

    W, U = layer.W[2 * rows :], layer.U[2 * rows :]
    gain = multiplier[2 * rows :]
    if layer.reset_after:
        recurrent_bias = layer.real_recurrent_bias / layer.row_scale[2 * rows :]
        from_x = Operand(name=f"{name}n_x", x=x, unit=x_unit, weights=W, bias=bias[2 * rows :])
        from_h = Operand(name=f"{name}n_h", x=h, unit=STATE, weights=U, bias=recurrent_bias)
        a = apply_gain(graph, f"{name}n_a", [from_x], gain, n_unit, GATE)
        b = apply_gain(graph, f"{name}n_b", [from_h], gain, n_unit, GATE)
        p = graph.add(f"{name}n_p", a, graph.mul(f"{name}rb", r, b, GATE), GATE)
    else:
        g = graph.mul(f"{name}rh", r, h, STATE)
        from_x = Operand(name=f"{name}n_x", x=x, unit=x_unit, weights=W, bias=None)
        from_g = Operand(name=f"{name}n_h", x=g, unit=STATE, weights=U, bias=bias[2 * rows :])
        p = apply_gain(graph, f"{name}n_p", [from_x, from_g], gain, n_unit, GATE)
    n = graph.tanh(f"{name}n", p)

    difference = graph.sub(f"{name}n-h", n, h, 2 * STATE)
    change = graph.mul(f"{name}dh", z1, difference, 2 * STATE)
    return graph.add(f"{name}h'", h, change, STATE)
