"""A recurrent model as plain float arrays, and its forward pass: the bridge from Keras."""

from dataclasses import dataclass

import numpy as np

from rnnedge.arrays import F64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatGru:
    """A Keras GRU's weights, gate order z, r, n (Keras writes n as h).

    Attributes:
        name: Keras layer name, for messages.
        units: H.
        reset_after: which of the two GRU forms.
        return_sequences: whether the next layer reads every step.
        W: float64 (I, 3H).
        U: float64 (H, 3H).
        input_bias: float64 (3H,).
        recurrent_bias: float64 (3H,), zero without reset_after.
    """

    name: str
    units: int
    reset_after: bool
    return_sequences: bool
    W: F64
    U: F64
    input_bias: F64
    recurrent_bias: F64

    def forward(self, x: F64) -> F64:
        """Return the states (windows, steps, H) of x (windows, steps, I), from a zero state."""
        H = self.units
        h = np.zeros((x.shape[0], H))
        states = np.empty((*x.shape[:2], H))
        ax = x @ self.W + self.input_bias
        for t in range(x.shape[1]):
            ah = h @ self.U + self.recurrent_bias
            z = _sigmoid(ax[:, t, :H] + ah[:, :H])
            r = _sigmoid(ax[:, t, H : 2 * H] + ah[:, H : 2 * H])
            if self.reset_after:
                n = np.tanh(ax[:, t, 2 * H :] + r * ah[:, 2 * H :])
            else:
                n = np.tanh(ax[:, t, 2 * H :] + (r * h) @ self.U[:, 2 * H :])
            h = states[:, t] = z * h + (1 - z) * n
        return states


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatDense:
    """A Keras Dense layer's weights.

    Attributes:
        name: Keras layer name, for messages.
        W: float64 (I, units).
        bias: float64 (units,).
    """

    name: str
    W: F64
    bias: F64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatModel:
    """Normalisation, recurrent layers, head.

    Attributes:
        mean: float64 (channels,), raw units.
        std: float64 (channels,), raw units.
        recurrent: the recurrent layers, first to last.
        head: the dense layer behind them.
    """

    mean: F64
    std: F64
    recurrent: tuple[FloatGru, ...]
    head: FloatDense

    def normalise(self, raw: F64) -> F64:
        """Return ``(raw - mean) / std``."""
        return (raw - self.mean) / self.std

    def forward(self, raw: F64) -> tuple[list[F64], F64]:
        """Run raw windows (windows, steps, channels) in float64.

        Returns:
            The states of each recurrent layer (windows, steps, H), and the scores before softmax
            (windows, units).
        """
        v = self.normalise(raw.astype(np.float64))
        states = []
        for layer in self.recurrent:
            v = layer.forward(v)
            states.append(v)
        return states, v[:, -1] @ self.head.W + self.head.bias


def _sigmoid(x: F64) -> F64:
    # tanh does not overflow
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)), dtype=np.float64)
