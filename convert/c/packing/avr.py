"""The packing of AVRs: three rows side by side, constants between them (firmware/kernels/avr.h)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I8, I32, I64, U8
from rnnedge.convert.c.packing.order import Packed, columns
from rnnedge.convert.c.text import array
from rnnedge.convert.proof import is_narrow
from rnnedge.spec import GruLayer, LstmLayer, RecurrentLayer

_SIDE = 3
"""Rows that one pass works on."""
_MOST_UNITS = 127
_MOST_INPUTS = 255
_MOST_SHIFT = 7
"""By which the shifts of a layer's input and state may differ."""
_NONE = np.ones(1, np.uint8)
"""For rnnedge_cell.multiplier: scales lie in the streams."""
_MOST_MACS = 1536
"""Of a layer that is exported as code too, 10 bytes a MAC."""
_REGISTERS = ("r8", "r9", "r10", "r11", "r12")
"""Where code finds the first columns of v."""
_GRU_FRAME = 12
"""Bytes beside x and h in scratch; avr_gru.c."""
_GATES_FRAME = 12
"""The same; avr_gates.c."""


class _Avr:
    kernel = "avr"

    def pack(self, layer: RecurrentLayer, prefix: str) -> Packed:
        """Return a stream of bytes in the order of use; of wide layers the biases apart."""
        if _is_wide(layer):
            return _wide(layer, prefix)
        after = isinstance(layer, GruLayer) and layer.reset_after
        stream = _gru_after(layer) if after else _gates(layer)
        size = sum(values.size for _, values in stream)
        text = array(
            f"static const uint8_t {prefix}_weights[{size}] RNNEDGE_FLASH",
            "Columns of 3 rows + 128; 3 bytes of bias a row; 1 byte of scale a row",
            stream,
        )
        packed = Packed(
            arrays=(text,),
            weights=f"{prefix}_weights",
            bias="NULL",
            nbytes=size,
            multipliers=_NONE,
        )
        return _unrolled(layer, prefix, packed) if after and _is_small(layer) else packed

    def scratch(self, layer: RecurrentLayer) -> int:
        """Return the narrowed x and h, what the step knows of the layer, and rows of gates."""
        if _is_wide(layer):
            return -(-columns(layer) // 2)
        if isinstance(layer, GruLayer) and layer.reset_after:
            return -(-(_GRU_FRAME + layer.inputs + layer.units) // 4)
        before = isinstance(layer, GruLayer)
        rows = 2 * layer.units + 2 if before else sum(map(len, _groups(layer)[0]))
        return -(-(_GATES_FRAME + layer.inputs + layer.units + 2 * rows) // 4)


def _is_wide(layer: RecurrentLayer) -> bool:
    return (
        not is_narrow(layer)
        or layer.units > _MOST_UNITS
        or layer.inputs > _MOST_INPUTS
        or abs(layer.x_shift - layer.h_shift) > _MOST_SHIFT
        or (isinstance(layer, GruLayer) and layer.x_shift < layer.h_shift)
    )


def _bytes3(values: I64) -> U8:
    """Return int24 as three bytes each, the lowest first."""
    shifted = values[..., None] >> np.array([0, 8, 16]) & 255
    return np.asarray(shifted, np.uint8).reshape(-1)


def _side_by_side(rows: I64) -> U8:
    """Return rows (n, columns) column by column, + 128."""
    return (rows.T + 128).astype(np.uint8).reshape(-1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Unit:
    """What one unit of a GRU, reset after, multiplies and adds.

    Attributes:
        x: int64 (3, inputs), rows of z, r and -n: the candidate's part of x is subtracted.
        h: int64 (3, units), rows of z, r, n.
        constants: of n's part of h, z, r and the negative of n's part of x; the 128 taken off that
            are added to x and h.
        scales: of z, r, n.
    """

    x: I64
    h: I64
    constants: I64
    scales: U8


def _units(layer: RecurrentLayer) -> Iterator[_Unit]:
    H = layer.units
    W, U, bias = (values.astype(np.int64) for values in (layer.W, layer.U, layer.bias))
    of_x, of_h = 128 * W.sum(axis=1) << layer.x_shift, 128 * U.sum(axis=1) << layer.h_shift
    for z in range(H):
        r, n = H + z, 2 * H + z
        constants = (
            bias[3 * H + z] - of_h[n],
            bias[z] - of_x[z] - of_h[z],
            bias[r] - of_x[r] - of_h[r],
            of_x[n] - bias[n],
        )
        yield _Unit(
            x=np.stack([W[z], W[r], -W[n]]),
            h=U[[z, r, n]],
            constants=np.array(constants),
            scales=layer.multiplier[[z, r, n]],
        )


def _gru_after(layer: RecurrentLayer) -> list[tuple[str, U8]]:
    """Return unit by unit columns of x, columns of h, constants, scales."""
    return [
        (
            f"unit {index}",
            np.concatenate(
                [
                    _side_by_side(unit.x),
                    _side_by_side(unit.h),
                    _bytes3(unit.constants),
                    unit.scales,
                ]
            ),
        )
        for index, unit in enumerate(_units(layer))
    ]


def _is_small(layer: RecurrentLayer) -> bool:
    """Tell whether a layer is also exported as code."""
    columns = layer.inputs + layer.units
    return 3 * layer.units * columns <= _MOST_MACS and columns <= 64 and layer.h_shift == 0


def _unrolled(layer: RecurrentLayer, prefix: str, packed: Packed) -> Packed:
    """Return the same numbers also as code: the macros of firmware/include/rnnedge_avr.h."""
    lines = ['#include "rnnedge/include/rnnedge_avr.h"', "", "#if RNNEDGE_AVR_UNROLL", ""]
    lines += [f"#define {prefix}_product {prefix}_rows", f"#define {prefix}_weights NULL", ""]
    lines.append(f"RNNEDGE_AVR_BEGIN({prefix}_rows)")
    for index, unit in enumerate(_units(layer)):
        lines.append(f"/* unit {index} */")
        for column, weights in enumerate(np.concatenate([unit.x, unit.h], axis=1).T):
            word = {0: "FIRST", layer.inputs: "NEXT"}.get(column, "COLUMN")
            if column == layer.inputs:
                lines.append(f"RNNEDGE_AVR_SHIFT({layer.x_shift})")
            register = "r4"
            if column < len(_REGISTERS):
                register = _REGISTERS[column]
            else:
                lines.append(f"RNNEDGE_AVR_LOAD({column})")
            lines.append(f"RNNEDGE_AVR_{word}({_list([register, *weights])})")
        lines.append(f"RNNEDGE_AVR_UNIT({_list([*unit.constants, *unit.scales])})")
    lines += [
        "RNNEDGE_AVR_END",
        "",
        "#else",
        "",
        f"#define {prefix}_product rnnedge_product_narrow",
        "",
        *packed.arrays,
        "",
        "#endif",
    ]
    return Packed(
        arrays=("\n".join(lines),),
        weights=packed.weights,
        bias="NULL",
        nbytes=packed.nbytes,
        multipliers=_NONE,
        product=f"{prefix}_product",
    )


def _list(values: list[object]) -> str:
    return ", ".join(map(str, values))


def _groups(layer: RecurrentLayer) -> list[list[I64]]:
    """Return the rows that each pass over v asks for, three at a time, -1 for none."""
    H = layer.units
    units = np.arange(H)
    if isinstance(layer, GruLayer):
        passes = [np.concatenate([units, H + units]), 2 * H + units]  # z and r; n
    elif isinstance(layer, LstmLayer):
        passes = [(units[:, None] + H * np.arange(4)).reshape(-1)]  # i, f, g, o of each unit
    else:
        passes = [units]
    return [
        list(np.pad(rows, (0, -len(rows) % _SIDE), constant_values=-1).reshape(-1, _SIDE))
        for rows in passes
    ]


def _gates(layer: RecurrentLayer) -> list[tuple[str, U8]]:
    """Return three rows at a time: the part with the larger shift, the other; biases; scales."""
    none = np.zeros((1, 1), np.int64)  # row -1

    def padded(values: npt.NDArray[np.integer]) -> I64:
        matrix = values.astype(np.int64).reshape(len(values), -1)
        return np.concatenate([matrix, none.repeat(matrix.shape[1], axis=1)])

    W, U, bias = padded(layer.W), padded(layer.U), padded(layer.bias)[:, 0]
    of_x, of_h = 128 * W.sum(axis=1) << layer.x_shift, 128 * U.sum(axis=1) << layer.h_shift
    constant = bias - of_x - of_h
    scales = np.append(layer.multiplier, np.uint8(1))
    order = (W, U) if layer.x_shift >= layer.h_shift else (U, W)
    stream = []
    for index, groups in enumerate(_groups(layer)):
        for rows in groups:
            parts = [_side_by_side(part[rows]) for part in order]
            values = np.concatenate([*parts, _bytes3(constant[rows]), scales[rows]])
            stream.append((f"pass {index}, rows {' '.join(map(str, rows))}", values))
    return stream


def _wide(layer: RecurrentLayer, prefix: str) -> Packed:
    """Return unit by unit the scale and the weights of each row, h then x (g after x); biases."""
    H = layer.units
    rows: list[tuple[int, int, tuple[I8, ...]]] = []  # row, of biases, parts
    for unit in range(H):
        if not isinstance(layer, GruLayer):
            for row in range(unit, len(layer.multiplier), H):
                rows.append((row, row, (layer.U, layer.W)))
        elif layer.reset_after:
            z, r, n = unit, H + unit, 2 * H + unit
            rows += [(z, z, (layer.U, layer.W)), (r, r, (layer.U, layer.W))]
            rows += [(n, n, (layer.W,)), (n, 3 * H + unit, (layer.U,))]
        else:
            rows.append((H + unit, H + unit, (layer.U, layer.W)))
    if isinstance(layer, GruLayer) and not layer.reset_after:
        for unit in range(H):
            rows.append((unit, unit, (layer.U, layer.W)))
            rows.append((2 * H + unit, 2 * H + unit, (layer.W, layer.U)))
    stream = [
        (
            f"row {row}",
            np.concatenate(
                [layer.multiplier[[row]], *(part[row].view(np.uint8) for part in parts)]
            ),
        )
        for row, _, parts in rows
    ]
    bias: I32 = layer.bias[[of for _, of, _ in rows]]
    size = sum(values.size for _, values in stream)
    return Packed(
        arrays=(
            array(
                f"static const uint8_t {prefix}_weights[{size}] RNNEDGE_FLASH",
                "Row by row: scale, weights (int8)",
                stream,
            ),
            array(
                f"static const int32_t {prefix}_bias[{bias.size}] RNNEDGE_FLASH",
                "Biases, accumulator format, rounding half included",
                [("", bias)],
            ),
        ),
        weights=f"{prefix}_weights",
        bias=f"{prefix}_bias",
        nbytes=size + 4 * bias.size,
        multipliers=_NONE,
        product="rnnedge_product_wide",
    )


AVR = _Avr()
