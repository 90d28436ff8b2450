"""One step of a GRU; firmware/src/gru.c is its twin."""

from rnnedge import tables
from rnnedge.arrays import I64
from rnnedge.fixedpoint import lookup, mul_q15, narrow, requant, sat16, shl
from rnnedge.simulator.dot import Dot
from rnnedge.spec import GruLayer


class GruStep:
    """A GRU layer ready to step; int64 arrays hold values of the formats named.

    Calling it gives the next state, Q0.15 (windows, H), of

    * h: Q0.15 (windows, H), the state.
    * x: int16 values (windows, I), the input.
    """

    def __init__(self, layer: GruLayer) -> None:
        self._layer = layer
        self._W = Dot(layer.W)
        self._U = Dot(layer.U)
        self._U_gates = Dot(layer.U[: 2 * layer.units])
        self._U_n = Dot(layer.U[2 * layer.units :])

    def __call__(self, h: I64, x: I64) -> I64:
        """Return the next state."""
        layer, H = self._layer, self._layer.units
        xi = narrow(x) if layer.input_bits == 8 else x
        ax = shl(self._W(xi), layer.input_shift)
        h8 = narrow(h)
        if layer.reset_after:
            ah = self._U(h8)
            z, r = self._gates(ax, ah)
            a = self._finish(ax[:, 2 * H :], 2 * H)
            b = self._finish(ah[:, 2 * H :], 3 * H)
            p = sat16(a + mul_q15(r, b))
        else:
            z, r = self._gates(ax, self._U_gates(h8))
            g8 = narrow(mul_q15(r, h))
            p = self._finish(ax[:, 2 * H :] + self._U_n(g8), 2 * H)
        n = lookup(tables.TANH, p)
        return h + mul_q15(32768 - z, n - h)

    def _gates(self, ax: I64, ah: I64) -> tuple[I64, I64]:
        H = self._layer.units
        gates = lookup(tables.SIGMOID, self._finish(ax[:, : 2 * H] + ah[:, : 2 * H], 0))
        return gates[:, :H], gates[:, H:]

    def _finish(self, acc: I64, row: int) -> I64:
        """Accumulators of the rows from `row` on to Q3.12."""
        layer, rows = self._layer, slice(row, row + acc.shape[1])
        return requant(acc + layer.bias[rows], layer.multiplier[rows], layer.shift)
