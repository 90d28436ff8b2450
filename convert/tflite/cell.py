"""What the cells have in common: names, states, and the pre-activations of their rows."""

from dataclasses import dataclass

import numpy as np

from rnnedge.arrays import F64, I8
from rnnedge.convert.tflite.product import Gain, Operand, apply_gain, seen, unit_of
from rnnedge.convert.tflite.writer import Graph, Tensor
from rnnedge.spec import RecurrentLayer

STATE = 2.0**-15
"""Scale of states and gates."""
GATE = 2.0**-12
"""Scale of pre-activations of a tanh, and of all with precision 8x8: they end at -8..8."""
WIDE = 2.0**-11
"""Scale of sums among which are sigmoids' with precision 16x8: those matter up to 10.7, where the
kernels' table ends. A slow unit whose gate closes no further than sigmoid(-8) forgets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTensor:
    """A state that a layer carries from step to step, int16, first zero.

    Attributes:
        name: "h" or "c".
        units: number of values.
        scale: real value of one unit, a power of two.
    """

    name: str
    units: int
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Where one layer's step is written.

    Attributes:
        graph: the graph.
        prefix: of all tensor names.
        precision: "16x8" or "8x8".
    """

    graph: Graph
    prefix: str
    precision: str

    @property
    def gate_unit(self) -> float:
        """Scale of a sum among which are sigmoids'."""
        return WIDE if self.precision == "16x8" else GATE

    def name(self, tensor: str) -> str:
        """Return a tensor's full name."""
        return f"{self.prefix}{tensor}"

    def preactivation(
        self,
        name: str,
        layer: RecurrentLayer,
        x: tuple[Tensor, I8],
        h: tuple[Tensor, I8],
        bias: F64,
        gain: Gain,
        out_unit: float = GATE,
        *,
        relu: bool = False,
    ) -> Tensor:
        """Add the pre-activations of some rows: ``gain * (W x + U h + bias)``.

        Args:
            name: of the output.
            layer: which knows the units of input and state.
            x: the input and its rows.
            h: the state and its rows.
            bias: float64 (rows,), row-normalised.
            gain: of each row.
            out_unit: scale of the output.
            relu: the output is never negative.

        Returns:
            int16 (1, rows).

        Raises:
            RangeError: a row's range does not fit the kernels.
        """
        units = (2.0**layer.input_exponent, 2.0 ** (layer.output_shift - 15))
        operands = []
        for part, (tensor, rows), unit in zip("xh", (x, h), units, strict=True):
            narrow = seen(self.graph, self.name(f"{name}_{part}_in"), tensor, self.precision)
            operands.append(
                Operand(
                    name=self.name(f"{name}_{part}"),
                    x=narrow,
                    unit=unit_of(narrow, unit),
                    weights=np.ascontiguousarray(rows),
                    bias=bias if part == "h" else None,
                )
            )
        return apply_gain(self.graph, self.name(name), operands, gain, out_unit, relu=relu)
