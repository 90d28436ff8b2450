"""Whether a program fits into a board, and what would."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnnedge.boards.board import Board
from rnnedge.errors import FitError
from rnnedge.spec import (
    BidirectionalLayer,
    DenseLayer,
    Layer,
    QuantizedModel,
    Recurrent,
    RecurrentLayer,
)

_STEP = 4
"""Units are suggested in steps of this: the kernels work on that many rows at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What a program takes of a board.

    Attributes:
        flash_bytes: code, constants and initial values.
        flash_size: what the board has for them.
        ram_bytes: variables.
        ram_size: all of it.
        stack_bytes: what the board keeps free for the stack.
    """

    flash_bytes: int
    flash_size: int
    ram_bytes: int
    ram_size: int
    stack_bytes: int

    @property
    def free_bytes(self) -> int:
        """What the stack can grow to."""
        return self.ram_size - self.ram_bytes

    def __str__(self) -> str:
        return (
            f"flash {self.flash_bytes:,} of {self.flash_size:,} bytes\n"
            f"RAM {self.ram_bytes:,} of {self.ram_size:,} bytes, "
            f"{self.free_bytes:,} left for the stack (at least {self.stack_bytes:,} wanted)"
        )


def fit(board: Board, *, flash_bytes: int, ram_bytes: int) -> Fit:
    """Return what a program takes of a board.

    Raises:
        FitError: more than there is; says how much.
    """
    over = {
        "flash": flash_bytes - board.flash.size,
        "RAM": ram_bytes + board.stack - board.ram.size,
    }
    over = {name: count for name, count in over.items() if count > 0}
    if over:
        raise FitError(f"{board.name}: {lacking(over)}", over)
    return Fit(
        flash_bytes=flash_bytes,
        flash_size=board.flash.size,
        ram_bytes=ram_bytes,
        ram_size=board.ram.size,
        stack_bytes=board.stack,
    )


def lacking(over: Mapping[str, int]) -> str:
    """Return by how much a program is too large.

    >>> lacking({"flash": 3174})
    'too large by 3.1 kB of flash'
    >>> lacking({"flash": 12, "RAM": 0})
    'too large by 12 bytes of flash and for its RAM'
    """
    known = [f"{_size(count)} of {name}" for name, count in over.items() if count]
    unknown = [f"for its {name}" for name, count in over.items() if not count]
    parts = [f"by {' and '.join(known)}"] * bool(known) + unknown
    return f"too large {' and '.join(parts)}"


def _size(count: int) -> str:
    return f"{count / 1024:,.1f} kB" if count >= 1024 else f"{count} bytes"


def most_units(
    model: QuantizedModel, fits: Callable[[QuantizedModel], bool], step: int = _STEP
) -> int | None:
    """Return the largest width for which a model of the same shape fits.

    Args:
        model: one that does not fit.
        fits: builds a model and says whether it does.
        step: widths are multiples of this, or below it any.

    Returns:
        Units of the widest layer, or None: not even one unit.
    """
    widest = max(layer.units for layer in model.recurrent)
    widths = [*range(1, min(step, widest)), *range(step, widest, step)]
    low, high = 0, len(widths)  # widths[:low] fit, widths[high:] do not
    while low < high:
        middle = (low + high) // 2
        if fits(narrower(model, widths[middle])):
            low = middle + 1
        else:
            high = middle
    return widths[low - 1] if low else None


def narrower(model: QuantizedModel, units: int) -> QuantizedModel:
    """Return a model of the same shape with fewer units: it takes what a newly trained one would.

    It is cut out of `model`.

    Args:
        model: any model.
        units: of the widest layer, at least 1; others shrink in proportion.
    """
    widest = max(layer.units for layer in model.recurrent)
    layers: list[Layer] = []
    inputs = model.input.channels
    for layer in model.layers:
        if isinstance(layer, DenseLayer):
            layers.append(_cut_dense(layer, inputs))
        else:
            layers.append(_cut(layer, max(1, layer.units * units // widest), inputs))
        inputs = layers[-1].outputs
    return replace(model, layers=tuple(layers))


def _cut(layer: Recurrent, units: int, inputs: int) -> Recurrent:
    if isinstance(layer, BidirectionalLayer):
        return replace(
            layer,
            forward=_cut_cell(layer.forward, units, inputs),
            backward=_cut_cell(layer.backward, units, inputs),
        )
    return _cut_cell(layer, units, inputs)


def _cut_cell(layer: RecurrentLayer, units: int, inputs: int) -> RecurrentLayer:
    gates = len(layer.GATES)

    def rows(values: np.ndarray, blocks: int) -> np.ndarray:
        shaped = values.reshape(blocks, layer.units, *values.shape[1:])[:, :units]
        return shaped.reshape(blocks * units, *values.shape[1:])

    return replace(
        layer,
        units=units,
        inputs=inputs,
        W=rows(layer.W, gates)[:, :inputs],
        U=rows(layer.U, gates)[:, :units],
        bias=rows(layer.bias, layer.bias_rows // layer.units),
        multiplier=rows(layer.multiplier, gates),
    )


def _cut_dense(layer: DenseLayer, inputs: int) -> DenseLayer:
    return replace(layer, inputs=inputs, W=layer.W[:, :inputs])
