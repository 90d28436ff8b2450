"""One time step of a GRU layer as TensorFlow Lite operators.

The same equations as docs/arithmetic.md, section 5, on the same int8 rows. Precision differs: the
products see all 16 bits of state and input (8x8: their top byte), gates are Q0.15 like the state.
Pre-activations of gates are Q4.11 and reach beyond the end of the kernels' table, those of the
candidate are Q3.12 (8x8: all of them, so that no gate closes further than sigmoid(-8)).

The update gate's rows get a negative gain: sigmoid(-p) = 1 - z, which for a slow gate is small
and thus keeps the state's error small, and h' = h + (1 - z)(n - h) needs no constant 1.

With reset_after both parts of the candidate are rows of their own, one of the input and one of the
state, so that a single sum and a single gain serve the whole layer. The rows of zeros that this
takes are cheaper than the tables that an interpreter keeps of every operator and tensor.
"""

import numpy as np

from rnnedge.convert.tflite import operators as op
from rnnedge.convert.tflite.cell import GATE, STATE, Builder, StateTensor
from rnnedge.convert.tflite.product import Gain
from rnnedge.convert.tflite.writer import Tensor
from rnnedge.spec import GruLayer


def states(layer: GruLayer) -> tuple[StateTensor, ...]:
    """Return what the layer carries from step to step."""
    return (StateTensor(name="h", units=layer.units, scale=STATE),)


def step(build: Builder, layer: GruLayer, x: Tensor, state: list[Tensor]) -> list[Tensor]:
    """Add one time step.

    Args:
        build: names and precision.
        layer: the weights.
        x: int16 input, layer.inputs values.
        state: h, int16 (1, H), Q0.15.

    Returns:
        The next state.

    Raises:
        RangeError: a row's range does not fit the kernels.
    """
    (h,) = state
    z1, n = (_after if layer.reset_after else _before)(build, layer, x, h)
    difference = op.sub(build.graph, build.name("n-h"), n, h, 2 * STATE)
    change = op.mul(build.graph, build.name("dh"), z1, difference, 2 * STATE)
    return [op.add(build.graph, build.name("h'"), h, change, STATE)]


def _after(build: Builder, layer: GruLayer, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    graph, name, H = build.graph, build.name, layer.units
    W = np.concatenate([layer.W, np.zeros((H, layer.inputs), np.int8)])
    U = np.concatenate([layer.U[: 2 * H], np.zeros((H, H), np.int8), layer.U[2 * H :]])
    scale = np.concatenate([layer.row_scale, layer.row_scale[2 * H :]])
    bias = np.concatenate([layer.real_bias, layer.real_recurrent_bias]) / scale
    m = layer.multiplier.astype(np.int16)
    # A sigmoid's row has twice the unit: its gain is doubled.
    rows = np.concatenate([-2 * m[:H], 2 * m[H : 2 * H], m[2 * H :], m[2 * H :]])
    gain = Gain(rows=rows, unit=2.0**-layer.gain_exponent)
    p = build.preactivation("p", layer, (x, W), (h, U), bias, gain, build.gate_unit)
    pz, pr, a, b = op.split(graph, [name(f"p_{part}") for part in ("1-z", "r", "nx", "nh")], p)
    z1, r = op.logistic(graph, name("1-z"), pz), op.logistic(graph, name("r"), pr)
    rb = op.mul(graph, name("r*nh"), r, b, GATE)
    return z1, op.tanh(graph, name("n"), op.add(graph, name("p_n"), a, rb, GATE))


def _before(build: Builder, layer: GruLayer, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    graph, name, H = build.graph, build.name, layer.units
    bias = layer.real_bias / layer.row_scale
    m = layer.multiplier.astype(np.int16)
    unit = 2.0**-layer.gain_exponent
    gates, cand = np.s_[: 2 * H], np.s_[2 * H :]
    gain = Gain(rows=np.concatenate([-m[:H], m[H : 2 * H]]), unit=2 * unit)
    operands = (x, layer.W[gates]), (h, layer.U[gates]), bias[gates], gain
    p = build.preactivation("p_zr", layer, *operands, build.gate_unit)
    z1, r = op.split(graph, [name("1-z"), name("r")], op.logistic(graph, name("zr"), p))
    g = op.mul(graph, name("r*h"), r, h, STATE)
    gain = Gain(rows=m[cand], unit=unit)
    p = build.preactivation("p_n", layer, (x, layer.W[cand]), (g, layer.U[cand]), bias[cand], gain)
    return z1, op.tanh(graph, name("n"), p)
