"""Layers as plain float arrays, and their forward passes."""

from dataclasses import dataclass

import numpy as np

from rnnedge.arrays import F64, I64

State = tuple[F64, ...]
"""A layer's state: h (windows, H), of an LSTM h and c; empty: zeros."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatCell:
    """What all recurrent layers have, in Keras' shapes and gate order.

    Attributes:
        name: Keras layer name, for messages.
        units: H.
        return_sequences: whether the next layer reads every step.
        W: float64 (I, gates * H).
        U: float64 (H, gates * H).
        bias: float64 (gates * H,).
    """

    name: str
    units: int
    return_sequences: bool
    W: F64
    U: F64
    bias: F64

    def run(self, x: F64, state: State = ()) -> tuple[F64, F64]:
        """Run x (windows, steps, I) from a state (none: zeros).

        Returns:
            The outputs (windows, steps, H), and what calibration must hold besides: the cell
            states of an LSTM, the outputs of a relu RNN, else nothing (size 0).
        """
        raise NotImplementedError

    def after(self, outputs: F64, held: F64, steps: I64) -> State:  # noqa: ARG002
        """Return the state after the given number of steps (windows,), >= 1, of what `run` gave."""
        return (outputs[np.arange(len(steps)), steps - 1],)

    @property
    def parts(self) -> tuple[str, ...]:
        """What a state consists of: h, or h and c."""
        return ("h",)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatGru(FloatCell):
    """A Keras GRU's weights, gate order z, r, n (Keras writes n as h).

    Attributes:
        reset_after: which of the two GRU forms.
        recurrent_bias: float64 (3H,), zero without reset_after.
    """

    reset_after: bool
    recurrent_bias: F64

    def run(self, x: F64, state: State = ()) -> tuple[F64, F64]:
        """Run x; nothing needs calibration."""
        H = self.units
        h = state[0] if state else np.zeros((x.shape[0], H))
        states = np.empty((*x.shape[:2], H))
        ax = x @ self.W + self.bias
        for t in range(x.shape[1]):
            ah = h @ self.U + self.recurrent_bias
            z = _sigmoid(ax[:, t, :H] + ah[:, :H])
            r = _sigmoid(ax[:, t, H : 2 * H] + ah[:, H : 2 * H])
            if self.reset_after:
                n = np.tanh(ax[:, t, 2 * H :] + r * ah[:, 2 * H :])
            else:
                n = np.tanh(ax[:, t, 2 * H :] + (r * h) @ self.U[:, 2 * H :])
            h = states[:, t] = z * h + (1 - z) * n
        return states, np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatLstm(FloatCell):
    """A Keras LSTM's weights, gate order i, f, g, o (Keras writes g as c)."""

    def run(self, x: F64, state: State = ()) -> tuple[F64, F64]:
        """Run x; returns the cell states for calibration."""
        H = self.units
        h, c = state or (np.zeros((x.shape[0], H)),) * 2
        states, cells = np.empty((*x.shape[:2], H)), np.empty((*x.shape[:2], H))
        ax = x @ self.W + self.bias
        for t in range(x.shape[1]):
            i, f, g, o = np.split(ax[:, t] + h @ self.U, 4, axis=1)
            c = cells[:, t] = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
            h = states[:, t] = _sigmoid(o) * np.tanh(c)
        return states, cells

    def after(self, outputs: F64, held: F64, steps: I64) -> State:
        """Return h and c."""
        place = np.arange(len(steps)), steps - 1
        return outputs[place], held[place]

    @property
    def parts(self) -> tuple[str, ...]:
        """What a state consists of."""
        return ("h", "c")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatRnn(FloatCell):
    """A Keras SimpleRNN's weights.

    Attributes:
        activation: "tanh" or "relu".
    """

    activation: str

    def run(self, x: F64, state: State = ()) -> tuple[F64, F64]:
        """Run x; returns relu outputs for calibration."""
        h = state[0] if state else np.zeros((x.shape[0], self.units))
        states = np.empty((*x.shape[:2], self.units))
        ax = x @ self.W + self.bias
        for t in range(x.shape[1]):
            p = ax[:, t] + h @ self.U
            h = states[:, t] = np.tanh(p) if self.activation == "tanh" else np.maximum(p, 0)
        return states, states if self.activation == "relu" else np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatBidirectional:
    """A Keras Bidirectional with merge_mode="concat".

    Attributes:
        forward: first to last step.
        backward: last to first step.
    """

    forward: FloatCell
    backward: FloatCell

    @property
    def units(self) -> int:
        """Width of one direction."""
        return self.forward.units

    @property
    def return_sequences(self) -> bool:
        """Whether the next layer reads every step."""
        return self.forward.return_sequences

    def run(self, x: F64, state: State = ()) -> tuple[F64, F64]:  # noqa: ARG002
        """Run x both ways from zero states; the outputs are those of each step, side by side."""
        ahead, held = self.forward.run(x)
        back, too = self.backward.run(x[:, ::-1])
        return np.concatenate([ahead, back[:, ::-1]], axis=2), np.concatenate(
            [held.ravel(), too.ravel()]
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatDense:
    """A Keras Dense layer's weights.

    Attributes:
        name: Keras layer name, for messages.
        W: float64 (I, units).
        bias: float64 (units,).
        activation: "linear" or "relu".
    """

    name: str
    W: F64
    bias: F64
    activation: str = "linear"

    def run(self, v: F64) -> F64:
        """Return the outputs of v (..., I)."""
        y = v @ self.W + self.bias
        return np.asarray(np.maximum(y, 0) if self.activation == "relu" else y)


FloatRecurrent = FloatCell | FloatBidirectional


def _sigmoid(x: F64) -> F64:
    # tanh does not overflow
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)), dtype=np.float64)
