"""One step of a vanilla RNN; firmware/src/rnn.c is its twin."""

import numpy as np

from rnnedge.arrays import I64
from rnnedge.simulator.cells import Gates, Product
from rnnedge.spec import RnnLayer
from rnnedge.tables import lookup


class RnnStep:
    """A vanilla RNN layer ready to step; int64 arrays hold values of the formats named.

    Calling it gives the next state (windows, H), and the gates of the step, of

    * h: (windows, H), Q0.15, with relu times 2**state_shift.
    * x: int16 values (windows, I), the input.
    """

    def __init__(self, layer: RnnLayer) -> None:
        self._layer = layer
        self._product = Product(layer)

    def __call__(self, h: I64, x: I64) -> tuple[I64, Gates]:
        """Return the next state and the gates."""
        layer, product = self._layer, self._product
        acc = product.input(x) + product.state(h) + layer.bias
        q = product.preactivate(acc, 0)
        if layer.activation == "tanh":
            h = lookup(q)
        else:
            h = np.clip(q >> (5 + layer.state_shift), 0, 32767)
        return h, {"h": h}
