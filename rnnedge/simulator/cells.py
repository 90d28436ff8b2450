"""What the recurrent cells share: the expanded activations and the product."""

import numpy as np

from rnnedge.arrays import I64
from rnnedge.fixedpoint import narrow, preactivation
from rnnedge.simulator.dot import Dot
from rnnedge.spec import RecurrentLayer
from rnnedge.tables import lookup

Gates = dict[str, I64]
"""Every named number of a step, for `rnnedge simulate --trace`."""


class Product:
    """The accumulators and pre-activations of a layer's rows; int64 arrays hold the values."""

    def __init__(self, layer: RecurrentLayer) -> None:
        self.layer = layer
        self._W, self._U = Dot(layer.W), Dot(layer.U)

    def expand_x(self, x: I64) -> I64:
        """Return the input as the weights see it, (windows, I)."""
        layer = self.layer
        return narrow(x) << layer.x_shift if layer.input_bits == 8 else x

    def expand_h(self, h: I64) -> I64:
        """Return a state as the weights see it, (windows, H)."""
        return narrow(h) << self.layer.h_shift

    def input(self, x: I64) -> I64:
        """Return ``W x`` of all rows."""
        return self._W(self.expand_x(x))

    def state(self, h: I64) -> I64:
        """Return ``U h`` of all rows."""
        return self._U(self.expand_h(h))

    def rows(self, gate: int) -> slice:
        """Return the rows of the gate with this number."""
        H = self.layer.units
        return slice(gate * H, (gate + 1) * H)

    def preactivate(self, acc: I64, gate: int) -> I64:
        """Return the pre-activation of a gate's accumulators."""
        layer = self.layer
        return preactivation(acc, layer.multiplier[self.rows(gate)], layer.acc_shift)

    def activate(self, acc: I64, gate: int) -> I64:
        """Return tanh of a gate's pre-activation, Q0.15."""
        return lookup(self.preactivate(acc, gate))

    def gate(self, ax: I64, ah: I64, gate: int) -> I64:
        """Return tanh of the pre-activation of both products of a gate, Q0.15."""
        rows = self.rows(gate)
        return self.activate(
            self.layer.bias[rows].astype(np.int64) + ax[:, rows] + ah[:, rows], gate
        )
