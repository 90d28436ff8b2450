"""The Keras model of a streaming task while it is trained, and the ones that a run keeps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from rnnedge.arrays import F64
from rnnedge.kerasbackend import keras, quiet
from rnnedge.train.models import CELLS

START_SHIFT = 2
"""The cell states of an LSTM that starts from features are within -2**this..2**this."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Front:
    """How raw samples become a layer's input.

    Attributes:
        mean: float64 (channels,), raw units; None: ids.
        std: float64 (channels,), raw units.
        ids: number of ids; 0: values.
        width: of an id's row.
        silent: the id whose row stays zero, or -1.
    """

    mean: F64 | None = None
    std: F64 | None = None
    ids: int = 0
    width: int = 0
    silent: int = -1

    @property
    def channels(self) -> int:
        """Numbers of a raw sample."""
        return 1 if self.mean is None else int(self.mean.size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shape:
    """A network.

    Attributes:
        cell: a key of rnnedge.train.models.CELLS.
        units: width of each recurrent layer.
        layers: recurrent layers.
        reset_after: GRU form.
        dropout: share of the inputs of each recurrent layer dropped in training.
        front: of the samples.
        outputs: number of scores.
        classes: True: the scores are those of classes.
        every: True: an answer at each step is kept; False: only the last of a window.
        start: of the features that make the first state, or None.
        encoder: of the samples of a sequence that makes the first state, or None.
    """

    cell: str
    units: int
    layers: int
    reset_after: bool
    dropout: float
    front: Front
    outputs: int
    classes: bool
    every: bool = True
    start: Front | None = None
    encoder: Front | None = None

    @property
    def parts(self) -> int:
        """Arrays of a layer's state."""
        return 2 if self.cell == "lstm" else 1

    @property
    def state_size(self) -> int:
        """Values of all layers' states."""
        return self.layers * self.parts * self.units


def embedding_width(ids: int) -> int:
    """Return the width of the rows of a number of ids.

    >>> [embedding_width(ids) for ids in (27, 65, 1000)]
    [10, 16, 32]
    """
    return min(32, max(4, round(2 * math.sqrt(ids))))


def network(shape: Shape, lanes: int) -> Any:
    """Return an untrained keras.Model of dictionaries of inputs.

    It takes "x" (batch, steps, channels), raw, and gives probabilities or normalised values at each
    step. "keep" (batch, 1): 1 where the states of the batch before go on, which has `lanes` rows,
    0 where they are zero; outside training they are always zero. Or the first states are made of
    "start" (batch, features), or of "encoder" (batch, steps, channels) and "steps" (batch, 1),
    those that count.
    """
    with quiet():
        model = _network_class()(shape, lanes)
        model(_example(shape))
    return model


def kept_models(model: Any, shape: Shape) -> dict[str, Any]:
    """Return the models that a run keeps, by "model", "start", "encoder": each a keras.Sequential.

    Args:
        model: of `network`, trained.
        shape: its shape.
    """
    kinds = keras().layers
    with quiet():
        found = {"model": _sequential(shape, shape.front, "", [model.head], model)}
        if shape.start is not None:
            dense = kinds.Dense(shape.state_size, activation="hard_tanh", name="states")
            found["start"] = keras().Sequential(
                [keras().Input((shape.start.channels,)), _front(shape.start, "features"), dense]
            )
            dense.set_weights(model.states.get_weights())
        if shape.encoder is not None:
            found["encoder"] = _sequential(shape, shape.encoder, "encoder_", [], model)
    return found


def _sequential(shape: Shape, front: Front, prefix: str, heads: Sequence[Any], model: Any) -> Any:
    first = _front(front, f"{prefix}input")
    cells = _cells(shape, prefix, state=False)
    new = [type(head).from_config(head.get_config()) for head in heads]
    shown = (None,) if front.mean is None else (None, front.channels)
    sequential = keras().Sequential([keras().Input(shown), first, *cells, *new])
    trained = model.encoder_cells if prefix else model.cells
    if front.mean is None:
        first.set_weights((model.encoder_front if prefix else model.front).get_weights())
    for layer, other in zip([*cells, *new], [*trained, *heads], strict=True):
        layer.set_weights(other.get_weights())
    return sequential


def _front(front: Front, name: str) -> Any:
    kinds = keras().layers
    if front.mean is None or front.std is None:
        return kinds.Embedding(front.ids, front.width, name=name.replace("input", "embedding"))
    name = name.replace("input", "normalization")
    layer = kinds.Normalization(mean=front.mean, variance=front.std**2, name=name)
    layer.build((None, front.channels))  # its constants would else belong to the first graph
    return layer


def _cells(shape: Shape, prefix: str, *, state: bool) -> list[Any]:
    return [
        CELLS[shape.cell](
            shape.units,
            shape.reset_after,
            dropout=shape.dropout,
            return_sequences=shape.every or state or index < shape.layers - 1,
            return_state=state,
            name=f"{prefix}{shape.cell}" + ("" if shape.layers == 1 else f"_{index}"),
        )
        for index in range(shape.layers)
    ]


def _example(shape: Shape) -> dict[str, Any]:
    example: dict[str, Any] = {"x": np.zeros((1, 2, shape.front.channels), np.float32)}
    if shape.start is not None:
        example["start"] = np.zeros((1, shape.start.channels), np.float32)
    if shape.encoder is not None:
        example["encoder"] = np.zeros((1, 2, shape.encoder.channels), np.float32)
        example["steps"] = np.ones((1, 1), np.float32)
    return example


@cache
def _network_class() -> Any:
    """Return the class; Keras is imported only here."""
    ops, kinds = keras().ops, keras().layers

    class Network(keras().Model):  # type: ignore[misc]
        """See `network`."""

        def __init__(self, shape: Shape, lanes: int) -> None:
            super().__init__()
            self.shape = shape
            self.front = _front(shape.front, "input")
            self.cells = _cells(shape, "", state=True)
            self.head = kinds.Dense(
                shape.outputs, activation="softmax" if shape.classes else None, name="scores"
            )
            if shape.start is not None:
                self.features = _front(shape.start, "features")
                self.states = kinds.Dense(shape.state_size, activation="hard_tanh", name="states")
            if shape.encoder is not None:
                self.encoder_front = _front(shape.encoder, "encoder_input")
                self.encoder_cells = _cells(shape, "encoder_", state=True)
            self.carried = [
                [
                    self.add_weight(
                        shape=(lanes, shape.units), initializer="zeros", trainable=False,
                        name=f"carried_{layer}_{part}",
                    )
                    for part in range(shape.parts)
                ]
                for layer in range(shape.layers)
            ]  # fmt: skip

        def save(self, path: Any, **_: Any) -> None:
            """Write the model that a run keeps."""
            kept_models(self, self.shape)["model"].save(path)

        def call(self, inputs: dict[str, Any], training: bool = False) -> Any:
            """Return the answers of every step."""
            x = _rows(ops, self.front, self.shape.front, inputs["x"])
            goes_on = training and "keep" in inputs
            for index, layer in enumerate(self.cells):
                state = self._first(inputs, index, training)
                if goes_on:
                    held = [part * inputs["keep"] for part in self.carried[index]]
                    state = [a + b * (1 - inputs["keep"]) for a, b in zip(held, state, strict=True)]
                x, *after = layer(x, initial_state=state, training=training)
                if goes_on:
                    for variable, value in zip(self.carried[index], after, strict=True):
                        variable.assign(ops.stop_gradient(value))
            return self.head(x)

        def _first(self, inputs: dict[str, Any], index: int, training: bool) -> list[Any]:
            """Return a layer's first state."""
            units, parts = self.shape.units, self.shape.parts
            if self.shape.start is not None:
                every = self.states(self.features(inputs["start"]))
                at = index * parts * units
                both = [every[:, at + p * units : at + (p + 1) * units] for p in range(parts)]
                return [both[0], *(c * 2.0**START_SHIFT for c in both[1:])]
            if self.shape.encoder is not None:
                return self._encoded(inputs, training)[index]
            zero = ops.zeros((ops.shape(inputs["x"])[0], units))
            return [zero] * parts

        def _encoded(self, inputs: dict[str, Any], training: bool) -> list[list[Any]]:
            x = _rows(ops, self.encoder_front, self.shape.encoder, inputs["encoder"])
            place = ops.arange(ops.shape(x)[1])
            mask = place[None] < ops.cast(inputs["steps"], place.dtype)
            states = []
            for layer in self.encoder_cells:
                x, *after = layer(x, mask=mask, training=training)
                states.append(after)
            return states

    return Network


def _rows(ops: Any, layer: Any, front: Front | None, raw: Any) -> Any:
    """Return normalised values, or the rows of ids; that of the silent one is zero."""
    if front is None or front.mean is not None:
        return layer(raw)
    ids = ops.cast(raw[..., 0], "int32")
    known = ops.cast(ids != front.silent, "float32")
    return layer(ids) * known[..., None]
