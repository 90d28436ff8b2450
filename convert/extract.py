"""Keras layers to plain arrays; the one place that knows Keras' gate order and bias shapes."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.arrays import F64
from rnnedge.convert.floatmodel import (
    FloatBidirectional,
    FloatCell,
    FloatDense,
    FloatGru,
    FloatLstm,
    FloatModel,
    FloatParts,
    FloatRecurrent,
    FloatRnn,
    FloatStart,
)
from rnnedge.errors import ModelError, UnsupportedLayerError
from rnnedge.kerasbackend import load_keras
from rnnedge.run import ENCODER_FILE, KERAS_FILE, START_FILE, RunSpec

_SUPPORTED = (
    "Normalization first; GRU, LSTM (tanh, sigmoid), SimpleRNN (tanh, relu), Bidirectional of them "
    "(merge_mode concat); then Dense, with relu between and softmax, sigmoid or nothing last; "
    "Dropout anywhere"
)
_PASSIVE = ("InputLayer", "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout")
_CELLS = ("GRU", "LSTM", "SimpleRNN")
_RECURRENT = (*_CELLS, "Bidirectional")
_LAST = ("softmax", "sigmoid", "linear")


def extract(path: Path, *, encoder: bool = False) -> FloatModel:
    """Read a .keras file into plain arrays.

    Args:
        path: a Keras 3 model, one layer after another: Normalization, recurrent layers, dense ones.
        encoder: True: there are no dense ones; the last states are what counts.

    Raises:
        ModelError: the file is missing, damaged or not of Keras 3; weights are not finite.
        UnsupportedLayerError: a layer or option without integer counterpart; says what has one.
    """
    model = load_keras(path)
    layers = [layer for layer in _chain(path, model) if type(layer).__name__ not in _PASSIVE]
    kinds = [type(layer).__name__ for layer in layers]
    known = (
        "Normalization",
        "Embedding",
        *_RECURRENT,
        "Dense",
        "TimeDistributed",
        "Activation",
        "ReLU",
        "Softmax",
    )
    for layer, kind in zip(layers, kinds, strict=True):
        if kind not in known:
            raise _unsupported(path, layer, f"{kind} layers")
    places = [i for i, kind in enumerate(kinds) if kind in _RECURRENT]
    if not places or places != list(range(places[0], places[-1] + 1)) or places[0] > 1:
        raise _no_model(path, kinds)
    first, behind = places[0], places[-1] + 1
    recurrent = tuple(_recurrent(path, layers[i]) for i in places)
    for index, layer in zip(places[:-1], recurrent[:-1], strict=True):
        if not layer.return_sequences:
            raise _unsupported(path, layers[index], "a layer that feeds a recurrent one without "
                               "return_sequences")  # fmt: skip
    dense = () if encoder else _dense_chain(path, layers[behind:], kinds)
    if encoder and layers[behind:]:
        raise _unsupported(path, layers[behind], "a layer behind an encoder's recurrent ones")
    embedding = None
    if kinds[0] == "Embedding":
        (embedding,) = _weights(path, layers[0])
        mean, std = np.zeros(embedding.shape[1]), np.ones(embedding.shape[1])
    else:
        mean, std = _normalisation(path, layers[:first], int(model.input_shape[-1]))
    window = model.input_shape[1]
    return FloatModel(
        mean=mean,
        std=std,
        recurrent=recurrent,
        dense=dense,
        window=None if window is None else int(window),
        embedding=embedding,
    )


def extract_start(path: Path, shift: int) -> FloatStart:
    """Read start.keras: a Normalization, then a Dense layer with hard_tanh.

    Args:
        path: the file.
        shift: cell states of an LSTM are what it gives times 2**shift.

    Raises:
        ModelError: the file is missing, damaged or another model.
    """
    model = load_keras(path)
    layers = [layer for layer in model.layers if type(layer).__name__ not in _PASSIVE]
    kinds = [type(layer).__name__ for layer in layers]
    if kinds != ["Normalization", "Dense"] or layers[1].get_config()["activation"] != "hard_tanh":
        raise ModelError(f"{path}: layers {', '.join(kinds)} make no first state; train again")
    mean, std = _normalisation(path, layers[:1], int(model.input_shape[-1]))
    dense = replace(_dense(path, layers[1]), activation="linear")
    return FloatStart(mean=mean, std=std, dense=dense, shift=shift)


def extract_run(folder: Path, run: RunSpec) -> FloatParts:
    """Read every Keras model of a run.

    Raises:
        ModelError: a file is missing or damaged.
        UnsupportedLayerError: a layer without integer counterpart.
    """
    return FloatParts(
        model=extract(folder / KERAS_FILE),
        start=extract_start(folder / START_FILE, run.start_shift) if run.features else None,
        encoder=extract(folder / ENCODER_FILE, encoder=True) if run.encoder_channels else None,
    )


def _chain(path: Path, model: Any) -> list[Any]:
    """Return the layers of a model in which each feeds only the next."""
    layers = list(model.layers)
    for layer in layers:
        if not type(layer).__module__.startswith("keras."):
            raise _unsupported(path, layer, f"a class of your own ({type(layer).__name__})")
    if type(model).__name__ == "Sequential":
        return layers
    for layer in layers:
        _called_plainly(path, layer)
    straight = len(getattr(model, "inputs", ())) == 1 and len(getattr(model, "outputs", ())) == 1
    if straight:
        try:
            straight = all(after.input is before.output for before, after in pairwise(layers))
        except (AttributeError, ValueError):  # a layer that is used twice, or a list of inputs
            straight = False
    if not straight or len(model.input_shape) != 3:
        raise UnsupportedLayerError(
            f"{path}: a {type(model).__name__} model that branches, or whose input is not (steps, "
            f"channels); supported, one after another: {_SUPPORTED}"
        )
    return layers


def _called_plainly(path: Path, layer: Any) -> None:
    """Refuse a layer that is called twice, or with more than its input."""
    nodes = getattr(layer, "_inbound_nodes", [])
    if len(nodes) != 1:
        raise _unsupported(path, layer, f"{type(layer).__name__}, used {len(nodes)} times,")
    arguments = nodes[0].arguments
    given = [
        name
        for name, value in arguments.kwargs.items()
        if value is not None and name not in ("training",)
    ]
    if len(arguments.args) > 1 or given:
        what = ", ".join(given) or "more than one input"
        raise _unsupported(path, layer, f"{type(layer).__name__} called with {what}")


def _normalisation(path: Path, layers: list[Any], channels: int) -> tuple[F64, F64]:
    if not layers:
        return np.zeros(channels), np.ones(channels)
    layer = layers[0]
    if type(layer).__name__ != "Normalization" or layer.invert:
        raise _unsupported(path, layer, f"{type(layer).__name__} before the recurrent layers")
    if tuple(layer.axis) not in ((-1,), (2,)):
        raise _unsupported(path, layer, f"axis={layer.axis}, not the channels,")
    mean = np.broadcast_to(np.asarray(layer.mean, np.float64).reshape(-1), channels)
    variance = np.broadcast_to(np.asarray(layer.variance, np.float64).reshape(-1), channels)
    if (variance < 0).any():
        raise ModelError(f"{path}: layer {layer.name!r} has a negative variance; adapt it to data")
    # Keras divides by max(sqrt(variance), epsilon)
    return _finite(path, layer, mean), np.maximum(np.sqrt(_finite(path, layer, variance)), 1e-7)


def _recurrent(path: Path, layer: Any) -> FloatRecurrent:
    if type(layer).__name__ != "Bidirectional":
        return _cell(path, layer, backwards=False)
    if layer.merge_mode != "concat":
        raise _unsupported(path, layer, f"merge_mode={layer.merge_mode!r}")
    for inner in (layer.forward_layer, layer.backward_layer):
        if type(inner).__name__ not in _CELLS:
            raise _unsupported(path, layer, f"Bidirectional of {type(inner).__name__}")
    if type(layer.forward_layer) is not type(layer.backward_layer):
        raise _unsupported(path, layer, "two directions of different kinds")
    ahead, back = (inner.get_config() for inner in (layer.forward_layer, layer.backward_layer))
    for option in ("units", "activation", "reset_after"):
        if ahead.get(option) != back.get(option):
            raise _unsupported(path, layer, f"two directions of different {option}")
    return FloatBidirectional(
        forward=_cell(path, layer.forward_layer, backwards=False),
        backward=_cell(path, layer.backward_layer, backwards=True),
    )


def _cell(path: Path, layer: Any, *, backwards: bool) -> FloatCell:
    """Read one GRU, LSTM or SimpleRNN."""
    config, kind = layer.get_config(), type(layer).__name__
    expected: list[tuple[str, tuple[Any, ...]]] = [("go_backwards", (backwards,))]
    if kind == "SimpleRNN":
        expected.append(("activation", ("tanh", "relu")))
    else:
        expected += [("activation", ("tanh",)), ("recurrent_activation", ("sigmoid",))]
    for option, known in expected:
        if config[option] not in known:
            raise _unsupported(path, layer, f"{option}={config[option]!r}")
    weights = _weights(path, layer)
    W, U = weights[0], weights[1]
    bias = weights[2] if layer.use_bias else np.zeros(U.shape[1])
    fields: dict[str, Any] = {
        "name": layer.name,
        "units": int(layer.units),
        "return_sequences": bool(layer.return_sequences),
        "W": W,
        "U": U,
    }
    if kind == "GRU":
        bias = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
        return FloatGru(
            **fields, bias=bias[0], recurrent_bias=bias[1], reset_after=bool(layer.reset_after)
        )
    if kind == "LSTM":
        return FloatLstm(**fields, bias=bias)
    return FloatRnn(**fields, bias=bias, activation=config["activation"])


def _dense_chain(path: Path, layers: list[Any], kinds: list[str]) -> tuple[FloatDense, ...]:
    """Read the layers behind the recurrent ones."""
    dense: list[FloatDense] = []
    owners: list[Any] = []
    for layer in layers:
        kind = type(layer).__name__
        if kind == "TimeDistributed" and type(layer.layer).__name__ == "Dense":
            layer, kind = layer.layer, "Dense"
        if kind == "Dense":
            dense.append(_dense(path, layer))
            owners.append(layer)
            continue
        activation = {"ReLU": "relu", "Softmax": "softmax"}.get(kind) or layer.get_config().get(
            "activation"
        )
        plain = _is_plain(layer, kind)
        if not dense or dense[-1].activation != "linear" or activation is None or not plain:
            raise _unsupported(path, layer, f"{kind} here")
        dense[-1] = replace(dense[-1], activation=activation)
    if not dense:
        raise _no_model(path, kinds)
    for index, layer in enumerate(dense):
        allowed = _LAST if index == len(dense) - 1 else ("relu", "linear")
        if layer.activation not in allowed:
            raise _unsupported(
                path, owners[index], f"activation={layer.activation!r} at this place"
            )
    # softmax and sigmoid do not change the order of the scores
    return (*dense[:-1], replace(dense[-1], activation="linear"))


def _is_plain(layer: Any, kind: str) -> bool:
    """Tell whether an activation layer is the one of a Dense layer."""
    if kind == "ReLU":
        limited = layer.max_value is not None or layer.negative_slope or layer.threshold
        return not limited
    return kind != "Softmax" or layer.axis in (-1, len(layer.output.shape) - 1)


def _dense(path: Path, layer: Any) -> FloatDense:
    weights = _weights(path, layer)
    bias = weights[1] if layer.use_bias else np.zeros(weights[0].shape[1])
    activation = layer.get_config()["activation"]
    return FloatDense(name=layer.name, W=weights[0], bias=bias, activation=activation)


def _weights(path: Path, layer: Any) -> list[F64]:
    """Return a layer's weights as float64."""
    if getattr(layer, "quantization_mode", None):
        raise _unsupported(path, layer, f"weights that Keras has quantised to {layer.dtype_policy}")
    weights = [_finite(path, layer, w) for w in layer.get_weights()]
    if not weights:
        raise ModelError(
            f"{path}: layer {layer.name!r} has no weights yet; give the model an Input, or call it "
            "once, before it is saved"
        )
    return weights


def _finite(path: Path, layer: Any, values: Any) -> F64:
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ModelError(f"{path}: layer {layer.name!r} has weights that are NaN or infinite")
    return array


def _no_model(path: Path, kinds: list[str]) -> UnsupportedLayerError:
    return UnsupportedLayerError(
        f"{path}: layers {', '.join(kinds) or 'none'} are not a model that rnnedge can quantise; "
        f"supported: {_SUPPORTED}"
    )


def _unsupported(path: Path, layer: Any, what: str) -> UnsupportedLayerError:
    return UnsupportedLayerError(
        f"{path}: layer {layer.name!r}: {what} cannot be quantised; supported: {_SUPPORTED}"
    )
