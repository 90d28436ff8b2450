"""The biases of a cell's rows."""

import numpy as np

from rnnedge.arrays import F64
from rnnedge.convert.floatmodel import FloatCell, FloatGru


def row_biases(layer: FloatCell) -> tuple[F64, F64 | None]:
    """Return the rows' biases, and those of a GRU candidate's recurrent part with reset_after."""
    if isinstance(layer, FloatGru) and layer.reset_after:
        H = layer.units
        gates = layer.bias[: 2 * H] + layer.recurrent_bias[: 2 * H]
        return np.concatenate([gates, layer.bias[2 * H :]]), layer.recurrent_bias[2 * H :]
    return layer.bias, None
