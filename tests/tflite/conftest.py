"""Random quantised models, and the real-valued forward pass that they stand for."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from rnnedge.arrays import F64, I16
from rnnedge.spec import DenseLayer, GruLayer, InputLayer, Layer, QuantizedModel


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


def _rows(largest: F64, offset: int, shift: range) -> tuple[Any, int]:
    """Return (multiplier, shift) that cover rows of these largest weights."""
    for candidate in reversed(shift):
        multiplier = np.maximum(np.ceil(largest / 127 * 2.0 ** (offset + candidate)), 1)
        if multiplier.max() <= 32767:
            return multiplier.astype(int), candidate
    raise ValueError("weights too large")


def _gru(rng: np.random.Generator, shape: Shape, inputs: int, k: int, limit: float) -> GruLayer:
    H = shape.units
    W = rng.normal(size=(3 * H, inputs)) * shape.weight / math.sqrt(inputs) * limit / 2**k
    U = rng.normal(size=(3 * H, H)) * shape.weight / math.sqrt(H)
    W *= rng.uniform(0.1, 1, (3 * H, 1))  # rows of different size, as training leaves them
    U *= rng.uniform(0.1, 1, (3 * H, 1))
    of_w, of_u = np.abs(W).max(axis=1), np.abs(U).max(axis=1)
    joint = np.maximum(of_w, of_u)
    if shape.reset_after:
        largest = np.concatenate([joint[: 2 * H], of_w[2 * H :], of_u[2 * H :]])
    else:
        largest = joint
    multiplier, shift = _rows(largest, 5, range(8, 17))
    scale = np.ldexp(multiplier, -(5 + shift))
    w_scale = scale[: 3 * H, None]
    u_scale = np.concatenate([scale[: 2 * H], scale[-H:]])[:, None]
    bias = rng.normal(size=len(scale)) * 0.3
    bias[:H] += shape.update_bias
    return GruLayer(
        units=H,
        inputs=inputs,
        reset_after=shape.reset_after,
        return_sequences=False,
        input_bits=shape.input_bits,
        input_shift=k if shape.input_bits == 8 else k - 8,
        W=np.rint(W / w_scale),
        U=np.rint(U / u_scale),
        bias=np.rint(bias / scale * 2**7 + 2.0 ** (shift - 1) / multiplier),
        multiplier=multiplier,
        shift=shift,
    )


def _dense(rng: np.random.Generator, units: int, inputs: int) -> DenseLayer:
    W = rng.normal(size=(units, inputs))
    multiplier, fraction = _rows(np.abs(W).max(axis=1), 1, range(31))
    scale = np.ldexp(multiplier, -(fraction + 1))
    return DenseLayer(
        units=units,
        inputs=inputs,
        W=np.rint(W / scale[:, None]),
        bias=np.rint(rng.normal(size=units) / scale * 2**15 + 2.0**15 / multiplier),
        multiplier=multiplier,
        fraction_bits=fraction,
    )


def random_model(seed: int, shape: Shape) -> QuantizedModel:
    """Return a random model with realistic weights."""
    rng = np.random.default_rng(seed)
    inputs, layers = shape.channels, list[Layer]()
    for index in range(shape.layers):
        k = max(math.ceil(math.log2(shape.limit)), 0) if index == 0 else 0
        limit = shape.limit if index == 0 else 1.0
        layers.append(_gru(rng, shape, inputs, k, limit))
        inputs = shape.units
    layers.append(_dense(rng, shape.classes, inputs))
    zeros = np.zeros(shape.channels, int)
    return QuantizedModel(
        name="random",
        task="classify",
        window=shape.window,
        channels=tuple(f"c{index}" for index in range(shape.channels)),
        channel_units=("g",) * shape.channels,
        rate=50.0,
        classes=tuple(f"k{index}" for index in range(shape.classes)),
        input=InputLayer(
            mean=zeros, std=zeros + 1, limit=shape.limit,
            exponent=zeros, multiplier=zeros + 1, offset=zeros, shift=zeros,
        ),
        layers=tuple(layers),
    )  # fmt: skip


def sigmoid(v: F64) -> F64:
    return 1 / (1 + np.exp(-v))


def real_states(model: QuantizedModel, x: I16) -> F64:
    """Return the last layer's state after each step, float64 (N, T, H), from the real weights."""
    sequence = x.astype(np.float64) * 2.0 ** model.recurrent[0].input_exponent
    for layer in model.recurrent:
        H, h = layer.units, np.zeros((len(x), layer.units))
        scale, bias = layer.row_scale, layer.real_bias
        W = layer.W * scale[: 3 * H, None]
        U = layer.U * np.concatenate([scale[: 2 * H], scale[-H:]])[:, None]
        states = []
        for t in range(x.shape[1]):
            a = sequence[:, t] @ W.T
            zr = sigmoid(a[:, : 2 * H] + h @ U[: 2 * H].T + bias[: 2 * H])
            z, r = zr[:, :H], zr[:, H:]
            if layer.reset_after:
                b = h @ U[2 * H :].T + bias[3 * H :]
                n = np.tanh(a[:, 2 * H :] + bias[2 * H : 3 * H] + r * b)
            else:
                n = np.tanh(a[:, 2 * H :] + bias[2 * H :] + (r * h) @ U[2 * H :].T)
            h = z * h + (1 - z) * n
            states.append(h)
        sequence = np.stack(states, axis=1)
    return sequence


def real_scores(model: QuantizedModel, x: I16) -> F64:
    """Return the scores, float64 (N, classes), from the real weights."""
    head = model.head[0]
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
