"""Helium: groups of eight rows, x and h apart (firmware/kernels/arm_mve.c)."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I8, I32, U8
from rnnedge.convert.c.packing.order import BLOCK, Packed, blocks
from rnnedge.convert.c.text import array
from rnnedge.spec import GruLayer, LstmLayer, RecurrentLayer

_CHUNK = 16  # columns that an instruction multiplies
_KEPT = 4  # chunks of h that stay in registers
_GROUP = 8  # rows with an accumulator each
_ORDER = (0, 2, 4, 6, 1, 3, 5, 7)  # of units, in vectors of 32 and then 16 bits
_EDGE = np.zeros(_CHUNK, np.int8)  # what loads may reach outside the rows


class _Mve:
    kernel = "mve"

    def pack(self, layer: RecurrentLayer, prefix: str) -> Packed:
        """Return weights as int8, biases as int32 and the multipliers, in the order of use."""
        weights: list[tuple[str, I8]] = [("", _EDGE)]
        biases: list[tuple[str, I32]] = []
        for gates, units in _products(layer):
            eights = [units[first : first + _GROUP] for first in range(0, units.size, _GROUP)]
            rows = np.concatenate(
                [
                    layer.GATES.index(gate) * layer.units + eight
                    for eight in eights
                    for gate in gates
                ]
            )
            label = f"{', '.join(gates)}, units {units[0]} to {units[-1]}"
            weights.append((label, _weights(layer.W[rows], layer.U[rows])))
            biases += [(label, bias) for bias in _biases(layer, rows, units)]
        weights.append(("", _EDGE))
        n_weights = sum(values.size for _, values in weights)
        n_biases = sum(values.size for _, values in biases)
        return Packed(
            arrays=(
                array(
                    f"static const int8_t {prefix}_weights[{n_weights}] RNNEDGE_FLASH",
                    "Weights, one scale per row; each 8 rows: input x, state h",
                    weights,
                ),
                array(
                    f"static const int32_t {prefix}_bias[{n_biases}] RNNEDGE_FLASH",
                    "Biases, accumulator format, rounding half included",
                    biases,
                ),
            ),
            weights=f"{prefix}_weights + {_EDGE.size}",
            bias=f"{prefix}_bias",
            nbytes=n_weights + 4 * n_biases,
            multipliers=_multipliers(layer),
        )

    def scratch(self, layer: RecurrentLayer) -> int:
        """Return the input between zeros, the state, and two sums for each row of a block."""
        width = min(layer.units, BLOCK)
        inputs = _up(layer.inputs, _CHUNK) * (1 if layer.input_bits == 8 else 2)
        v = _CHUNK + inputs + _up(layer.units, _CHUNK) * (2 if _before(layer) else 1)
        gates = 2 if _before(layer) else len(layer.GATES)
        return v // 4 + 2 * gates * _up(width, _GROUP)


def _up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple


def _before(layer: RecurrentLayer) -> bool:
    return isinstance(layer, GruLayer) and not layer.reset_after


def _gates(layer: RecurrentLayer) -> tuple[str, ...]:
    """Return the gates in the order in which a step uses them."""
    return tuple("igfo") if isinstance(layer, LstmLayer) else layer.GATES


def _products(layer: RecurrentLayer) -> Iterator[tuple[tuple[str, ...], npt.NDArray[np.int64]]]:
    """Yield gates and units of each product."""
    if _before(layer):
        yield from ((("r",), units) for units in blocks(layer))
        yield from (((gate,), units) for units in blocks(layer) for gate in "zn")
    else:
        yield from ((_gates(layer), units) for units in blocks(layer))


def _weights(W: I8, U: I8) -> I8:
    """Return the weights of one product's rows."""
    pad = ((0, -len(W) % _GROUP), (0, 0))
    x = np.pad(W, pad).reshape(-1, _GROUP, W.shape[1])
    h = np.pad(U, pad).reshape(-1, _GROUP, U.shape[1])
    kept = min(U.shape[1] // _CHUNK, _KEPT) * _CHUNK
    parts = [
        np.concatenate(
            [x[group, :, :_CHUNK].ravel()]
            + [h[group, :, i : i + _CHUNK].ravel() for i in reversed(range(0, kept, _CHUNK))]
        )
        for group in range(len(x))
    ]
    for part, start in ((x, _CHUNK), (h, kept)):
        parts += [part[:, :, i : i + _CHUNK].ravel() for i in range(start, part.shape[2], _CHUNK)]
    return np.concatenate(parts)


def _biases(
    layer: RecurrentLayer, rows: npt.NDArray[np.int64], units: npt.NDArray[np.int64]
) -> Iterator[I32]:
    """Yield the start of each row's sum over h; with reset_after also n's bias over x."""
    bias = layer.bias.astype(np.int64)
    if layer.input_bits == 16:  # the low bytes of x are used less 128
        bias[: layer.multiplier.size] += 128 * layer.W.astype(np.int64).sum(axis=1)
    if isinstance(layer, GruLayer) and layer.reset_after:
        apart = rows >= 2 * layer.units
        yield _padded(bias[rows + apart * layer.units])
        yield _padded(bias[2 * layer.units + units])
    else:
        yield _padded(bias[rows])


def _padded(values: npt.NDArray[np.int64]) -> I32:
    return np.pad(values, (0, -len(values) % _GROUP)).astype(np.int32)


def _multipliers(layer: RecurrentLayer) -> U8:
    """Return the row multipliers: of each 8 units one gate after another, in vector order."""
    passes = (("r",), ("z", "n")) if _before(layer) else (_gates(layer),)
    found: list[U8] = []
    for gates in passes:
        for first in range(0, layer.units, _GROUP):
            for gate in gates:
                row = layer.GATES.index(gate) * layer.units
                values = layer.multiplier[row + first : row + min(first + _GROUP, layer.units)]
                padded = np.pad(values, (0, _GROUP - len(values)), constant_values=1)
                found.append(padded[list(_ORDER)])
    return np.concatenate(found)


MVE = _Mve()
