"""Random quantised models, and the real-valued forward pass that they stand for."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from rnnedge.arrays import F64, I16
from rnnedge.convert.floatmodel import FloatGru
from rnnedge.spec import GruLayer, QuantizedModel
from tests.models import float_model, quantized


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a random model looks like."""

    units: int = 8
    channels: int = 3
    window: int = 6
    classes: int = 4
    layers: int = 1
    reset_after: bool = True
    input_bits: int = 16
    limit: float = 7.3
    update_bias: float = 0.0
    weight: float = 1.0


def random_model(seed: int, shape: Shape) -> QuantizedModel:
    """Return a random model, quantised as every model is."""
    model = float_model(
        seed,
        units=shape.units,
        channels=shape.channels,
        classes=shape.classes,
        cells=("gru" if shape.reset_after else "gru_before",) * shape.layers,
        spread=shape.weight,
    )
    for layer in model.recurrent:
        assert isinstance(layer, FloatGru)
        layer.W[:] /= math.sqrt(len(layer.W))
        layer.bias[: layer.units] += shape.update_bias
    return quantized(model, window=shape.window, limit=shape.limit, input_bits=shape.input_bits)


def sigmoid(v: F64) -> F64:
    return 1 / (1 + np.exp(-v))


def real_states(model: QuantizedModel, x: I16, end: float = np.inf) -> F64:
    """Return the last layer's state after each step, float64 (N, T, H), from the real weights.

    Pre-activations of the gates are limited to -end..end.
    """
    sequence = x.astype(np.float64) * 2.0 ** model.cells[0].input_exponent
    for layer in model.cells:
        assert isinstance(layer, GruLayer)
        H, h = layer.units, np.zeros((len(x), layer.units))
        bias, recurrent_bias = layer.real_bias, layer.real_recurrent_bias
        W = layer.W * layer.row_scale[:, None]
        U = layer.U * layer.row_scale[:, None]
        states = []
        for t in range(x.shape[1]):
            a = sequence[:, t] @ W.T + bias
            zr = sigmoid(np.clip(a[:, : 2 * H] + h @ U[: 2 * H].T, -end, end))
            z, r = zr[:, :H], zr[:, H:]
            if layer.reset_after:
                n = np.tanh(a[:, 2 * H :] + r * (h @ U[2 * H :].T + recurrent_bias))
            else:
                n = np.tanh(a[:, 2 * H :] + (r * h) @ U[2 * H :].T)
            h = z * h + (1 - z) * n
            states.append(h)
        sequence = np.stack(states, axis=1)
    return sequence


def real_scores(model: QuantizedModel, x: I16) -> F64:
    """Return the scores, float64 (N, classes), from the real weights."""
    head = model.dense[0]
    return real_states(model, x)[:, -1] @ (head.W * head.row_scale[:, None]).T + head.real_bias


def windows(model: QuantizedModel, count: int, spread: float = 1.0) -> I16:
    """Return normal windows of normalised standard deviation `spread`; the last is extreme."""
    rng = np.random.default_rng(count)
    size = (count, model.window, model.input.channels)
    x = np.rint(rng.normal(size=size) * spread * 2**15 / model.input.limit)
    x[-1] = rng.choice([-32768, 32767], size[1:])
    clipped: I16 = np.clip(x, -32768, 32767).astype(np.int16)
    return clipped


class Models:
    """The functions of this file, for test modules."""

    Shape = Shape
    random_model = staticmethod(random_model)
    real_states = staticmethod(real_states)
    real_scores = staticmethod(real_scores)
    sigmoid = staticmethod(sigmoid)
    windows = staticmethod(windows)


@pytest.fixture(scope="session")
def models() -> type[Models]:
    return Models


@pytest.fixture(scope="session")
def small(models: type[Models]) -> QuantizedModel:
    return models.random_model(5, Shape())
