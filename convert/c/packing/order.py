"""What all packings share: which rows a step asks for, in which order (firmware/src/kernel.h)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I8, I32, U8
from rnnedge.spec import GruLayer, RecurrentLayer

BLOCK = 16
"""Units that a portable step works on at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chunk:
    """The rows of one product.

    Attributes:
        part: "h", "x", "hx" or "xg": the parts of v, in the order of its columns.
        gates: names of the gates, for comments.
        rows: for each gate the rows of W and U.
        bias: for each gate its biases, int32.
    """

    part: str
    gates: tuple[str, ...]
    rows: tuple[npt.NDArray[np.int64], ...]
    bias: tuple[I32, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A layer's constants in a kernel's order.

    Attributes:
        arrays: C definitions, `<prefix>_weights` among them.
        weights: the initialiser of rnnedge_cell.weights.
        bias: the initialiser of rnnedge_cell.bias.
        nbytes: bytes of the arrays.
        block: units that the kernel's steps work on at once, in the order of multipliers.
        multipliers: row scales in an order of the kernel's own; None: that of multipliers().
        product: the initialiser of rnnedge_cell.product, if the layer has one of its own.
    """

    arrays: tuple[str, ...]
    weights: str
    bias: str
    nbytes: int
    block: int = BLOCK
    multipliers: U8 | None = None
    product: str | None = None


class Packing(Protocol):
    """How one kernel wants its weights."""

    @property
    def kernel(self) -> str:
        """Name of the kernel in small letters: RNNEDGE_KERNEL_<NAME>."""

    def pack(self, layer: RecurrentLayer, prefix: str) -> Packed:
        """Return the constants of a layer; `prefix` starts every name."""

    def scratch(self, layer: RecurrentLayer) -> int:
        """Return the int32 values of scratch that a step needs."""


def blocks(layer: RecurrentLayer, block: int = BLOCK) -> list[npt.NDArray[np.int64]]:
    """Return the units of each block."""
    return [
        np.arange(first, min(first + block, layer.units)) for first in range(0, layer.units, block)
    ]


def chunks(layer: RecurrentLayer, block: int = BLOCK) -> Iterator[Chunk]:
    """Yield the products of a step in the order in which they are asked for."""
    H = layer.units

    def chunk(
        part: str, gates: Sequence[str], units: npt.NDArray[np.int64], shift: int = 0
    ) -> Chunk:
        rows = tuple(layer.GATES.index(gate) * H + units for gate in gates)
        bias = tuple(layer.bias[row + shift] for row in rows)
        return Chunk(part=part, gates=tuple(gates), rows=rows, bias=bias)

    for units in blocks(layer, block):
        if not isinstance(layer, GruLayer):
            yield chunk("hx", layer.GATES, units)
        elif layer.reset_after:
            yield chunk("hx", "zr", units)
            yield chunk("x", "n", units)
            yield chunk("h", "n", units, H)  # the recurrent biases are the fourth block
        else:
            yield chunk("hx", "r", units)
    if isinstance(layer, GruLayer) and not layer.reset_after:
        for units in blocks(layer, block):
            yield chunk("hx", "z", units)
            yield chunk("xg", "n", units)


def multipliers(layer: RecurrentLayer, block: int = BLOCK) -> U8:
    """Return the row multipliers in the order of use, each gate of a block padded to 4 with 1."""
    before = isinstance(layer, GruLayer) and not layer.reset_after
    passes = (("r",), ("z", "n")) if before else (layer.GATES,)
    found: list[U8] = []
    for gates in passes:
        for units in blocks(layer, block):
            for gate in gates:
                row = layer.multiplier[layer.GATES.index(gate) * layer.units + units]
                found.append(np.pad(row, (0, -len(row) % 4), constant_values=1))
    return np.concatenate(found)


def matrix(layer: RecurrentLayer, part: str, rows: npt.NDArray[np.int64], pad: int = 1) -> I8:
    """Return the weights of rows over a part, each part of v padded to a multiple of `pad`."""
    of = {"h": layer.U, "g": layer.U, "x": layer.W}
    padded = [np.pad(of[name][rows], ((0, 0), (0, -of[name].shape[1] % pad))) for name in part]
    return np.concatenate(padded, axis=1)


def columns(layer: RecurrentLayer, pad: int = 1) -> int:
    """Return the columns of v, [h | x] or with reset before [h | x | g]."""
    before = isinstance(layer, GruLayer) and not layer.reset_after
    widths = (layer.units, layer.inputs, *((layer.units,) if before else ()))
    return sum(-(-width // pad) * pad for width in widths)


def accumulators(layer: RecurrentLayer) -> int:
    """Return the int32 accumulators of one block, as the portable step lays them out."""
    stride = -(-min(layer.units, BLOCK) // 4) * 4
    if isinstance(layer, GruLayer):
        return (4 if layer.reset_after else 2) * stride
    return len(layer.GATES) * stride
