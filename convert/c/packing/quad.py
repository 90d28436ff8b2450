"""The packing of cores without SIMD: four rows side by side in words (firmware/kernels/quad.h)."""

import numpy as np

from rnnedge.arrays import I8, I32
from rnnedge.convert.c.packing.order import Packed, accumulators, chunks, columns, matrix
from rnnedge.convert.c.text import array
from rnnedge.spec import RecurrentLayer

_STARTS = 3
"""int32 values in front of v; RNNEDGE_QUAD_STARTS."""


class _Quad:
    kernel = "quad"

    def pack(self, layer: RecurrentLayer, prefix: str) -> Packed:
        """Return groups of four rows in the order of use, each its weights and then its biases."""
        stream = []
        for chunk in chunks(layer):
            for gate, rows, bias in zip(chunk.gates, chunk.rows, chunk.bias, strict=True):
                units = rows % layer.units
                missing = -len(rows) % 4
                w = np.pad(matrix(layer, chunk.part, rows), ((0, missing), (0, 0)))
                label = f"{gate} over {chunk.part}, units {units[0]} to {units[-1]}"
                stream.append((label, _words(w, np.pad(bias, (0, missing)))))
        size = sum(words.size for _, words in stream)
        return Packed(
            arrays=(
                array(
                    f"static const int32_t {prefix}_weights[{size}] RNNEDGE_FLASH",
                    "Groups of 4 rows: each column's 4 weights + 128 in a word, then 4 biases",
                    stream,
                ),
            ),
            weights=f"{prefix}_weights",
            bias="NULL",
            nbytes=4 * size,
        )

    def scratch(self, layer: RecurrentLayer) -> int:
        """Return accumulators of one block, start values, and v as int32."""
        return accumulators(layer) + _STARTS + columns(layer)


def _words(w: I8, bias: I32) -> I32:
    """Return groups of 4 rows (rows, columns): a word for each column, then the biases."""
    bytes_ = (w.astype(np.int64) + 128).reshape(-1, 4, w.shape[1])
    words = (bytes_ << np.array([0, 8, 16, 24])[:, None]).sum(axis=1)
    flat = np.concatenate([words, bias.reshape(-1, 4).astype(np.int64) & 0xFFFFFFFF], axis=1)
    return np.asarray(flat, dtype=np.uint32).view(np.int32)


QUAD = _Quad()
