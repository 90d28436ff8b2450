"""A layer over a whole window as the fused UNIDIRECTIONAL_SEQUENCE_LSTM.

The operator knows one scale for each of its eight weight matrices, so the rows are quantised a
second time, with one scale for each gate. Its state lives in variable tensors: the application
resets the interpreter before each window; the kernels of CMSIS-NN start from zero anyway.
"""

import numpy as np

from rnnedge.arrays import F64, I8
from rnnedge.convert.tflite import operators as op
from rnnedge.convert.tflite.cell import STATE
from rnnedge.convert.tflite.dense import one_scale
from rnnedge.convert.tflite.product import unit_of
from rnnedge.convert.tflite.writer import Graph, Tensor
from rnnedge.spec import LstmLayer


def gate_weights(layer: LstmLayer, gate: int) -> tuple[tuple[I8, float], tuple[I8, float], F64]:
    """Return a gate's weights as the fused operator holds them.

    Args:
        layer: the weights.
        gate: its number in ``layer.GATES``.

    Returns:
        Input weights int8 (H, I) and the real value of one unit, recurrent weights int8 (H, H)
        and theirs, and the real bias, float64 (H,).
    """
    rows = slice(gate * layer.units, (gate + 1) * layer.units)
    scale = layer.row_scale[rows]
    return one_scale(layer.W[rows], scale), one_scale(layer.U[rows], scale), layer.real_bias[rows]


def run(graph: Graph, prefix: str, layer: LstmLayer, x: Tensor) -> Tensor:
    """Add a layer.

    Args:
        graph: main graph.
        prefix: of all tensor names.
        layer: the weights.
        x: int16 or int8 (1, steps, layer.inputs).

    Returns:
        (1, steps, H) of the type of x, h after each step.
    """
    narrow = x.dtype == "int8"
    h_scale = STATE * 2.0**8 if narrow else STATE
    c_scale = 2.0 ** (layer.state_shift - 15)
    x_unit = unit_of(x, 2.0**layer.input_exponent)
    h_unit = h_scale
    W, U, B = [], [], []
    for gate, name in enumerate(layer.GATES):
        (w, w_scale), (u, u_scale), bias = gate_weights(layer, gate)
        w_label = float(np.float32(w_scale * x_unit / x.label))
        u_label = float(np.float32(u_scale * h_unit / h_scale))
        steps = np.rint(bias / (w_scale * x_unit))
        steps = steps.astype(np.int32 if narrow else np.int64)
        W.append(graph.constant(f"{prefix}{name}_x_w", w, w_label))
        U.append(graph.constant(f"{prefix}{name}_h_w", u, u_label))
        B.append(graph.constant(f"{prefix}{name}_b", steps, float(np.float32(x.label)) * w_label))
    h = graph.variable(f"{prefix}h", (1, layer.units), x.dtype, h_scale)
    c = graph.variable(f"{prefix}c", (1, layer.units), "int16", c_scale)
    none = [None]
    inputs = [x, *W, *U, *(3 * none), *B, *(2 * none), h, c, *(4 * none)]
    clip = 2.0**layer.state_shift
    return op.sequence_lstm(graph, f"{prefix}sequence", inputs, layer.units, h_scale, clip)
