"""The packing of the DSP extension: pairs of rows in 16 bits (firmware/kernels/arm_dsp.c)."""

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I8, I32
from rnnedge.convert.c.packing.order import Packed, accumulators, chunks, columns, matrix
from rnnedge.convert.c.text import array
from rnnedge.convert.proof import is_narrow
from rnnedge.spec import RecurrentLayer

_PAD = 4
"""Columns that a group of rows advances by; RNNEDGE_PAD."""


class _Dsp:
    kernel = "dsp"

    def pack(self, layer: RecurrentLayer, prefix: str) -> Packed:
        """Return groups of four rows in the order of use, each its biases and then its weights."""
        group = _narrow if is_narrow(layer) else _wide
        stream = []
        for chunk in chunks(layer):
            for gate, rows, bias in zip(chunk.gates, chunk.rows, chunk.bias, strict=True):
                units = rows % layer.units
                missing = -len(rows) % 4
                w = np.pad(matrix(layer, chunk.part, rows, _PAD), ((0, missing), (0, 0)))
                words = group(w.reshape(-1, 4, w.shape[1]), np.pad(bias, (0, missing)))
                label = f"{gate} over {chunk.part}, units {units[0]} to {units[-1]}"
                stream.append((label, words))
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
        )

    def scratch(self, layer: RecurrentLayer) -> int:
        """Return accumulators of one block, and v as int16."""
        return accumulators(layer) + columns(layer, _PAD) // 2


def _narrow(groups: I8, bias: I32) -> I32:
    """Return groups of rows a, b, c, d (n, 4, columns) for 24-bit accumulators.

    256 a + b in 16 bits; of every 4 columns a word of a, b with columns 0, 1, one of c, d with the
    same, then both with columns 2, 3. In front 256 times the bias of a plus that of b, and the bias
    of b; the same of c, d.
    """
    pairs = groups.astype(np.int64).reshape(len(groups), 2, 2, -1)
    halves = 256 * pairs[:, :, 0] + pairs[:, :, 1]
    words = (halves[..., 0::2] & 0xFFFF) | halves[..., 1::2] << 16
    first = bias.astype(np.int64).reshape(-1, 2)
    start = np.stack([256 * first[:, 0] + first[:, 1], first[:, 1]], axis=1)
    return _stream(start.reshape(-1, 4), words.transpose(0, 2, 1))


def _wide(groups: I8, bias: I32) -> I32:
    """Return groups of rows (n, 4, columns) for 32-bit accumulators.

    Of every 4 columns a word for each row, bytes in the order of columns 0, 2, 1, 3. In front the
    biases.
    """
    quads = groups.view(np.uint8).astype(np.int64).reshape(len(groups), 4, -1, 4)
    words = quads[..., 0] | quads[..., 2] << 8 | quads[..., 1] << 16 | quads[..., 3] << 24
    return _stream(bias.astype(np.int64).reshape(-1, 4), words.transpose(0, 2, 1))


def _stream(start: npt.NDArray[np.int64], words: npt.NDArray[np.int64]) -> I32:
    """Return the start values of each group (n, 4) and its words (n, .., ..), as 32 bits."""
    flat = np.concatenate([start, words.reshape(len(start), -1)], axis=1)
    return np.asarray(flat & 0xFFFFFFFF, dtype=np.uint32).view(np.int32)


DSP = _Dsp()
