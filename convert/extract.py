"""Keras layers to plain arrays; the one place that knows Keras' gate order and bias shapes."""

from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.arrays import F64
from rnnedge.convert.floatmodel import FloatDense, FloatGru, FloatModel
from rnnedge.errors import ModelError, UnsupportedLayerError
from rnnedge.kerasbackend import load_keras

_SUPPORTED = "Normalization, GRU (tanh, sigmoid, one direction), Dropout, Dense as the last layer"
_PASSIVE = ("InputLayer", "Dropout", "SpatialDropout1D", "GaussianNoise")


def extract(path: Path) -> FloatModel:
    """Read a .keras file into plain arrays.

    Args:
        path: a sequential Keras 3 model: Normalization, one or more GRU, Dense.

    Raises:
        ModelError: the file is missing, damaged or not of Keras 3; weights are not finite.
        UnsupportedLayerError: a layer or option without integer counterpart.
    """
    model = load_keras(path)
    if type(model).__name__ != "Sequential":
        raise UnsupportedLayerError(
            f"{path}: a {type(model).__name__} model; supported: Sequential models of {_SUPPORTED}"
        )
    layers = [layer for layer in model.layers if type(layer).__name__ not in _PASSIVE]
    kinds = [type(layer).__name__ for layer in layers]
    for layer, kind in zip(layers, kinds, strict=True):
        if kind not in ("Normalization", "GRU", "Dense"):
            raise _unsupported(path, layer, f"{kind} layers")
    if not kinds or kinds[-1] != "Dense" or kinds.count("Dense") != 1 or "GRU" not in kinds:
        raise UnsupportedLayerError(
            f"{path}: layers {', '.join(kinds) or 'none'} are not a model that rnnedge can "
            f"quantise; supported: {_SUPPORTED}"
        )
    recurrent = tuple(
        _gru(path, layer) for layer, kind in zip(layers, kinds, strict=True) if kind == "GRU"
    )
    if not all(layer.return_sequences for layer in recurrent[:-1]):
        raise _unsupported(path, layers[-2], "a GRU that feeds a GRU without return_sequences")
    if recurrent[-1].return_sequences:
        raise _unsupported(path, layers[-2], "return_sequences before the Dense layer")
    mean, std = _normalisation(path, layers, kinds, recurrent[0].W.shape[0])
    head = _dense(path, layers[-1])
    return FloatModel(mean=mean, std=std, recurrent=recurrent, head=head)


def _normalisation(
    path: Path, layers: list[Any], kinds: list[str], channels: int
) -> tuple[F64, F64]:
    if "Normalization" not in kinds:
        return np.zeros(channels), np.ones(channels)
    index = kinds.index("Normalization")
    layer = layers[index]
    if index != 0 or kinds.count("Normalization") != 1 or layer.invert:
        raise _unsupported(path, layer, "a Normalization that is not the first layer")
    if tuple(layer.axis) not in ((-1,), (2,)):
        raise _unsupported(path, layer, f"axis={layer.axis}, not the channels,")
    mean = np.broadcast_to(np.asarray(layer.mean, np.float64).reshape(-1), channels)
    variance = np.broadcast_to(np.asarray(layer.variance, np.float64).reshape(-1), channels)
    return _finite(path, layer, mean), np.sqrt(_finite(path, layer, variance))


def _gru(path: Path, layer: Any) -> FloatGru:
    config = layer.get_config()
    for option, expected in (
        ("activation", "tanh"),
        ("recurrent_activation", "sigmoid"),
        ("go_backwards", False),
        ("stateful", False),
    ):
        if config[option] != expected:
            raise _unsupported(path, layer, f"{option}={config[option]!r}")
    weights = [_finite(path, layer, w) for w in layer.get_weights()]
    W, U = weights[0], weights[1]
    bias = weights[2] if layer.use_bias else np.zeros((2, U.shape[1]))
    bias = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    return FloatGru(
        name=layer.name,
        units=layer.units,
        reset_after=bool(layer.reset_after),
        return_sequences=bool(layer.return_sequences),
        W=W,
        U=U,
        input_bias=bias[0],
        recurrent_bias=bias[1],
    )


def _dense(path: Path, layer: Any) -> FloatDense:
    activation = layer.get_config()["activation"]
    if activation not in ("softmax", "linear"):
        raise _unsupported(path, layer, f"activation={activation!r}")
    weights = [_finite(path, layer, w) for w in layer.get_weights()]
    bias = weights[1] if layer.use_bias else np.zeros(weights[0].shape[1])
    return FloatDense(name=layer.name, W=weights[0], bias=bias)


def _finite(path: Path, layer: Any, values: Any) -> F64:
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ModelError(f"{path}: layer {layer.name!r} has weights that are NaN or infinite")
    return array


def _unsupported(path: Path, layer: Any, what: str) -> UnsupportedLayerError:
    return UnsupportedLayerError(
        f"{path}: layer {layer.name!r}: {what} cannot be quantised; supported: {_SUPPORTED}"
    )
