"""One step of a GRU; firmware/src/gru.c is its twin."""

from rnnedge.arrays import I64
from rnnedge.fixedpoint import blend, gate, reset
from rnnedge.simulator.cells import Gates, Product
from rnnedge.spec import GruLayer

Z, R, N = range(3)


class GruStep:
    """A GRU layer ready to step; int64 arrays hold values of the formats named.

    Calling it gives the next state, Q0.15 (windows, H), and the gates of the step, of

    * h: Q0.15 (windows, H), the state.
    * x: int16 values (windows, I), the input.
    """

    def __init__(self, layer: GruLayer) -> None:
        self._layer = layer
        self._product = Product(layer)

    def __call__(self, h: I64, x: I64) -> tuple[I64, Gates]:
        """Return the next state and the gates."""
        layer, product = self._layer, self._product
        ax, ah, n_rows = product.input(x), product.state(h), product.rows(N)
        tz, tr = product.gate(ax, ah, Z), product.gate(ax, ah, R)
        if layer.reset_after:
            b = ah[:, n_rows] + layer.bias[3 * layer.units :]
            acc = ax[:, n_rows] + layer.bias[n_rows] + reset(b, tr)
        else:
            ag = product.state(gate(h, tr))
            acc = ax[:, n_rows] + ag[:, n_rows] + layer.bias[n_rows]
        n = product.activate(acc, N)
        h = blend(h, n, tz)
        return h, {"z": tz, "r": tr, "n": n, "h": h}
