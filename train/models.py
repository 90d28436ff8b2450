"""Keras models: normalisation, recurrent layers, a softmax head."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from rnnedge.arrays import F32, F64, I64
from rnnedge.data.rounding import remedy
from rnnedge.data.stored import StoredWindows, moments
from rnnedge.errors import DataError, UnsupportedLayerError
from rnnedge.kerasbackend import keras, quiet

_LEAST_STD, _LARGEST_STD = 1e-6, 1e15


def _gru(units: int, reset_after: bool, **options: Any) -> Any:
    return keras().layers.GRU(units, reset_after=reset_after, **options)


def _lstm(units: int, _: bool, **options: Any) -> Any:
    return keras().layers.LSTM(units, **options)


def _rnn(units: int, _: bool, **options: Any) -> Any:
    return keras().layers.SimpleRNN(units, **options)


CELLS: dict[str, Callable[..., Any]] = {"gru": _gru, "lstm": _lstm, "rnn": _rnn}
"""The recurrent layers: name to (units, reset_after, Keras options) -> Keras layer."""


def check_cell(cell: str) -> None:
    """Refuse an unknown cell.

    Raises:
        UnsupportedLayerError: lists those known.
    """
    if cell not in CELLS:
        raise UnsupportedLayerError(f"cell {cell!r} is not supported; choose {', '.join(CELLS)}")


def build(
    *,
    cell: str,
    units: int,
    layers: int,
    reset_after: bool,
    dropout: float,
    window: int,
    classes: int,
    mean: F64,
    std: F64,
) -> Any:
    """Build an untrained model: raw windows in, class probabilities out.

    Args:
        cell: a key of CELLS.
        units: width of each recurrent layer.
        layers: recurrent layers, >= 1.
        reset_after: GRU form; other cells ignore it.
        dropout: share of the inputs of each recurrent layer dropped in training, 0 <= d < 1.
        window: time steps.
        classes: number of classes.
        mean: float64 (channels,), raw units.
        std: float64 (channels,), raw units, > 0.

    Returns:
        A keras.Sequential, input float32 (batch, window, channels).

    Raises:
        UnsupportedLayerError: an unknown cell.
    """
    check_cell(cell)
    kinds = keras().layers
    with quiet():
        recurrent = [
            CELLS[cell](
                units,
                reset_after,
                dropout=dropout,
                return_sequences=index < layers - 1,
                name=cell if layers == 1 else f"{cell}_{index}",
            )
            for index in range(layers)
        ]
        return keras().Sequential(
            [
                keras().Input((window, len(mean))),
                kinds.Normalization(mean=mean, variance=std**2, name="normalization"),
                *recurrent,
                kinds.Dense(classes, activation="softmax", name="scores"),
            ]
        )


def masked(sequential: Any) -> Any:
    """Return a model of the same layers, whose windows may end before their last step.

    Args:
        sequential: of `build`, or one that a run keeps.

    Returns:
        A keras.Model of {"x": float32 (batch, window, channels), "steps": float32 (batch, 1), those
        that count}, which gives the probabilities after the last of these. Saved, it is
        `sequential`.
    """
    with quiet():
        model = _masked_class()(sequential)
        shape = sequential.input_shape
        model({"x": np.zeros((1, *shape[1:]), np.float32), "steps": np.ones((1, 1), np.float32)})
    return model


@cache
def _masked_class() -> Any:
    """Return the class; Keras is imported only here."""
    ops, kinds = keras().ops, keras().layers

    class Masked(keras().Model):  # type: ignore[misc]
        """See `masked`."""

        def __init__(self, sequential: Any) -> None:
            super().__init__()
            self.sequential = sequential

        def call(self, inputs: dict[str, Any], training: bool = False) -> Any:
            """Return the probabilities of each window."""
            x = inputs["x"]
            place = ops.arange(ops.shape(x)[1])
            mask = place[None] < ops.cast(inputs["steps"], place.dtype)
            for layer in self.sequential.layers:
                recurrent = isinstance(layer, kinds.RNN)
                x = layer(x, mask=mask, training=training) if recurrent else layer(x)
            return x

        def save(self, path: Any, **_: Any) -> None:
            """Write the model that a run keeps."""
            self.sequential.save(path)

    return Masked


def normalization(
    X: F32 | StoredWindows,
    channels: Sequence[str],
    lengths: I64 | None = None,
    *,
    targets: Sequence[str] = (),
) -> tuple[F64, F64]:
    """Measure mean and standard deviation of every channel.

    Args:
        X: float32 (windows, steps, channels), the training part.
        channels: their names, for messages.
        lengths: int64 (windows,), steps of the windows that count; None: all.
        targets: those that cannot be left out, because they are what is to be forecast.

    Returns:
        mean and std, float64 (channels,), raw units.

    Raises:
        DataError: a channel never changes, or its spread is beyond what float32 can normalise.
    """
    mean, std = moments(X, lengths)
    for index, name in enumerate(channels):
        if std[index] == 0:
            value = float(X[0][0, index])
            raise DataError(
                f"channel {name!r} never changes in the training part (always {value:g}); "
                f"{remedy(name, value, target=name in targets)}"
            )
        if not _LEAST_STD <= std[index] <= _LARGEST_STD:
            raise DataError(
                f"channel {name!r} has a standard deviation of {std[index]:.3g}, expected "
                f"{_LEAST_STD:g} to {_LARGEST_STD:g}; give it in another unit of measure"
            )
    return mean, std
