"""One step of an LSTM; firmware/src/lstm.c is its twin."""

import numpy as np

from rnnedge.arrays import I64
from rnnedge.fixedpoint import gate, half, sat16
from rnnedge.simulator.cells import Gates, Product
from rnnedge.spec import LstmLayer
from rnnedge.tables import lookup


class LstmStep:
    """An LSTM layer ready to step; int64 arrays hold values of the formats named.

    Calling it gives the next state (windows, 2H), and the gates of the step, of

    * state: (windows, 2H), h in Q0.15, then c with `state_shift`.
    * x: int16 values (windows, I), the input.
    """

    def __init__(self, layer: LstmLayer) -> None:
        self._layer = layer
        self._product = Product(layer)

    def __call__(self, state: I64, x: I64) -> tuple[I64, Gates]:
        """Return the next state and the gates."""
        product, H, s = self._product, self._layer.units, self._layer.state_shift
        h, c = state[:, :H], state[:, H:]
        ax, ah = product.input(x), product.state(h)
        ti, tf, g, to = (product.gate(ax, ah, row) for row in range(4))
        c = sat16((c * half(tf) + ((g * half(ti)) >> s) + (1 << 14)) >> 15)
        h = gate(lookup((c << (5 + s)) + 128), to)
        return np.concatenate([h, c], axis=1), {"i": ti, "f": tf, "g": g, "o": to, "c": c, "h": h}
