"""Every gate of every step, as the textbook draws it: real value and integer side by side."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from rnnedge.arrays import F64, I16, I64
from rnnedge.simulator import gates
from rnnedge.spec import BidirectionalLayer, LstmLayer, QuantizedModel, RecurrentLayer


def trace(model: QuantizedModel, x: I16) -> Iterator[dict[str, Any]]:
    """Yield what happens in one window, step by step.

    Args:
        model: the quantised model.
        x: int16 (steps, channels), one window.

    Yields:
        layer (number), kind, direction ("" or "forward", "backward"), step, and gates: a list of
        {"gate", "integer", "real"} with lists of one value a unit. The integer of a sigmoid gate
        is Q0.16; of tanh gates and h Q0.15; of c, and of a relu h, times 2**state_shift.
    """
    for layer, step, direction, named in gates(model, x):
        cell = _cell(model, layer, direction)
        rows = []
        for gate, values in named.items():
            integer, real = _values(cell, gate, values[0])
            rows.append({"gate": gate, "integer": integer.tolist(), "real": real.tolist()})
        yield {
            "layer": layer,
            "kind": cell.kind,
            "direction": direction,
            "step": step,
            "gates": rows,
        }


def _cell(model: QuantizedModel, index: int, direction: str) -> RecurrentLayer:
    layer = model.recurrent[index]
    if isinstance(layer, BidirectionalLayer):
        return layer.backward if direction == "backward" else layer.forward
    return layer


def _values(cell: RecurrentLayer, gate: str, values: I64) -> tuple[I64, F64]:
    """Return the integers of a gate as people know them, and their real values."""
    if gate in cell.GATES and cell.SIGMOID[cell.GATES.index(gate)]:
        gate16 = values + 32768  # (1 + t) / 2
        return gate16, np.ldexp(gate16.astype(np.float64), -16)
    shift = 0
    if gate == "c" and isinstance(cell, LstmLayer):
        shift = cell.state_shift
    if gate == "h":
        shift = cell.output_shift
    return values, np.ldexp(values.astype(np.float64), shift - 15)
