"""A recurrent model as plain float arrays, and its forward pass: the bridge from Keras."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnedge.arrays import F32, F64, I64
from rnnedge.convert.floatcells import (
    FloatBidirectional,
    FloatCell,
    FloatDense,
    FloatGru,
    FloatLstm,
    FloatRecurrent,
    FloatRnn,
    State,
)

__all__ = [
    "FloatBidirectional",
    "FloatCell",
    "FloatDense",
    "FloatGru",
    "FloatLstm",
    "FloatModel",
    "FloatParts",
    "FloatRecurrent",
    "FloatRnn",
    "FloatStart",
    "State",
    "last_output",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatModel:
    """Normalisation, recurrent layers, dense layers.

    Attributes:
        mean: float64 (channels,), raw units.
        std: float64 (channels,), raw units.
        recurrent: the recurrent layers, first to last.
        dense: the dense layers behind them; the last gives the scores.
        window: time steps that the Keras model was built for, or None for any.
        embedding: float64 (ids, width), the rows that ids stand for, or None; mean and std are then
            those of its columns, 0 and 1.
    """

    mean: F64
    std: F64
    recurrent: tuple[FloatRecurrent, ...]
    dense: tuple[FloatDense, ...]
    window: int | None = None
    embedding: F64 | None = None

    @property
    def channels(self) -> int:
        """Numbers of a raw sample."""
        return int(self.mean.size) if self.embedding is None else 1

    @property
    def outputs(self) -> int:
        """Number of scores; of an encoder the width of its last layer."""
        return int(self.dense[-1].bias.size) if self.dense else self.recurrent[-1].units

    @property
    def cells(self) -> tuple[FloatCell, ...]:
        """The recurrent layers of a model that can stream."""
        return tuple(layer for layer in self.recurrent if isinstance(layer, FloatCell))

    def normalise(self, raw: F64) -> F64:
        """Return ``(raw - mean) / std``, or the rows of the embedding."""
        if self.embedding is not None:
            rows: F64 = self.embedding[raw[..., 0].astype(np.int64)]
            return rows
        return (raw - self.mean) / self.std

    def forward(self, raw: F64, states: Sequence[State] = ()) -> tuple[list[F64], F64]:
        """Run raw windows (windows, steps, channels) in float64.

        Returns:
            The outputs of each recurrent layer (windows, steps, width), and the scores before
            softmax, of the last step (windows, outputs), or if the last recurrent layer returns
            sequences of every step (windows, steps, outputs).
        """
        v = self.normalise(raw.astype(np.float64))
        outputs = []
        for layer, state in zip(self.recurrent, states or [()] * len(self.recurrent), strict=True):
            v, _ = layer.run(v, state)
            outputs.append(v)
        last = self.recurrent[-1]
        if not last.return_sequences:
            v = last_output(last, v)
        for dense in self.dense:
            v = dense.run(v)
        return outputs, v

    def encode(self, raw: F64, steps: I64) -> tuple[State, ...]:
        """Return each layer's state after the first `steps` (windows,) of raw sequences."""
        v, found = self.normalise(raw.astype(np.float64)), []
        for layer in self.cells:
            v, held = layer.run(v)
            found.append(layer.after(v, held, steps))
        return tuple(found)

    def advance(self, v: F64, states: Sequence[State]) -> tuple[tuple[State, ...], F64]:
        """Take one step.

        Args:
            v: float64 (windows, width), a normalised sample.
            states: of each layer, not empty.

        Returns:
            The states after it, and the scores (windows, outputs).
        """
        found, one = [], np.ones(len(v), np.int64)
        v = v[:, None]
        for layer, state in zip(self.cells, states, strict=True):
            v, held = layer.run(v, state)
            found.append(layer.after(v, held, one))
        v = v[:, 0]
        for dense in self.dense:
            v = dense.run(v)
        return tuple(found), v

    def zeros(self, windows: int) -> tuple[State, ...]:
        """Return zero states."""
        return tuple(
            tuple(np.zeros((windows, layer.units)) for _ in layer.parts) for layer in self.cells
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatStart:
    """The state that a sequence starts from, of a feature vector.

    Attributes:
        mean: float64 (features,), raw units.
        std: float64 (features,), raw units.
        dense: a linear layer whose outputs, limited to -1..1, are the states: layer after layer
            h, then c.
        shift: c is what the layer gives times 2**shift.
    """

    mean: F64
    std: F64
    dense: FloatDense
    shift: int

    def states(self, features: F64, model: FloatModel) -> tuple[State, ...]:
        """Return the first states of each layer of `model`, of features (windows, features)."""
        given = np.clip(self.dense.run((features.astype(np.float64) - self.mean) / self.std), -1, 1)
        found, place = [], 0
        for layer in model.cells:
            state = []
            for part in layer.parts:
                scale = 2.0**self.shift if part == "c" else 1.0
                state.append(given[:, place : place + layer.units] * scale)
                place += layer.units
            found.append(tuple(state))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatParts:
    """Everything of a run's float model.

    Attributes:
        model: the model.
        start: makes its first states, or None.
        encoder: a model without dense layers that leaves its first states, or None.
    """

    model: FloatModel
    start: FloatStart | None = None
    encoder: FloatModel | None = None

    def first(
        self, windows: int, features: F32 | None, encoded: F32 | None, steps: I64 | None
    ) -> tuple[State, ...]:
        """Return the first states of a number of windows.

        Args:
            windows: how many.
            features: float32 (windows, features), of a start.
            encoded: float32 (windows, encoder steps, encoder channels), of an encoder.
            steps: int64 (windows,), encoder steps that count; None: all.
        """
        if self.start is not None and features is not None:
            return self.start.states(features.astype(np.float64), self.model)
        if self.encoder is not None and encoded is not None:
            count = np.full(windows, encoded.shape[1]) if steps is None else steps
            return self.encoder.encode(encoded.astype(np.float64), count)
        return self.model.zeros(windows)


def last_output(layer: FloatRecurrent, v: F64) -> F64:
    """Return what a layer without sequences leaves, of its outputs v (windows, steps, width)."""
    if isinstance(layer, FloatBidirectional):
        H = layer.units
        return np.concatenate([v[:, -1, :H], v[:, 0, H:]], axis=1)
    return v[:, -1]
