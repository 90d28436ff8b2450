"""The packing of the DSP extension: pairs of rows in 16 bits (firmware/kernels/arm_dsp.c)."""

import numpy as np

from rnnedge.arrays import I64
from rnnedge.convert.c.packing.order import Packed, chunks, columns, matrix
from rnnedge.convert.c.text import array
from rnnedge.convert.proof import is_narrow
from rnnedge.spec import GruLayer, RecurrentLayer

_PAD = 4
"""RNNEDGE_PAD, columns that a product takes at once."""
_GROUP = 4
"""Units that the kernel's steps work on at once."""
_GATE_PLAN, _PLAN_END = 8, 4
"""Words of a gate's plan and of its end, with the accumulators of a group."""


class _Dsp:
    kernel = "dsp"

    def pack(self, layer: RecurrentLayer, prefix: str) -> Packed:
        """Return groups of four rows in the order of use, each its biases and then its weights."""
        group = _narrow if is_narrow(layer) else _wide
        stream = []
        for chunk in chunks(layer, _GROUP):
            for gate, rows, bias in zip(chunk.gates, chunk.rows, chunk.bias, strict=True):
                units = rows % layer.units
                missing = _GROUP - len(rows)
                w = np.pad(matrix(layer, chunk.part, rows, _PAD), ((0, missing), (0, 0)))
                words = group(w.astype(np.int64), np.pad(bias, (0, missing)).astype(np.int64))
                label = f"{gate} over {chunk.part}, units {units[0]} to {units[-1]}"
                stream.append((label, (words & 0xFFFFFFFF).astype(np.uint32).view(np.int32)))
        stream.append(("read ahead, not used", np.zeros(_GROUP, np.int32)))
        size = sum(words.size for _, words in stream)
        kind = "pairs of rows as 256 a + b" if is_narrow(layer) else "columns 0 2 1 3"
        return Packed(
            arrays=(
                array(
                    f"static const int32_t {prefix}_weights[{size}] RNNEDGE_FLASH",
                    f"Groups of 4 rows: biases, then weights of 4 columns at once, {kind}",
                    stream,
                ),
            ),
            weights=f"{prefix}_weights",
            bias="NULL",
            nbytes=4 * size,
            block=_GROUP,
        )

    def scratch(self, layer: RecurrentLayer) -> int:
        """Return the plan of a group's gates, and v as int16."""
        gates = len(layer.GATES)
        if isinstance(layer, GruLayer):  # n over x and n over h are planned apart; r before z, n
            gates = 4 if layer.reset_after else 2
        return gates * _GATE_PLAN + _PLAN_END + columns(layer, _PAD) // 2


def _narrow(w: I64, bias: I64) -> I64:
    """Return the words of a group of rows a, b, c, d for 24-bit accumulators.

    256 a + b in 16 bits; of every 4 columns a word of a, b with columns 0, 1, one of c, d with the
    same, then both with columns 2, 3. In front 256 times the bias of a plus that of b, and the bias
    of b; the same of c, d.
    """
    pairs = 256 * w[0::2] + w[1::2]
    words = (pairs[:, 0::2] & 0xFFFF) | pairs[:, 1::2] << 16
    start = np.stack([256 * bias[0::2] + bias[1::2], bias[1::2]], axis=1)
    return np.concatenate([start.ravel(), words.T.ravel()])


def _wide(w: I64, bias: I64) -> I64:
    """Return the words of a group of rows for 32-bit accumulators.

    Of every 4 columns a word for each row, bytes in the order of columns 0, 2, 1, 3. In front the
    biases.
    """
    quads = (w & 0xFF).reshape(_GROUP, -1, 4)
    words = (quads[..., [0, 2, 1, 3]] << [0, 8, 16, 24]).sum(axis=-1)
    return np.concatenate([bias, words.T.ravel()])


DSP = _Dsp()
