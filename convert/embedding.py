"""Embedding tables in int8."""

import numpy as np

from rnnedge.arrays import F64
from rnnedge.spec import EmbeddingLayer

_STEPS = 128
_LARGEST = 127


def quantize_embedding(table: F64, limit: float) -> EmbeddingLayer:
    """Return a table in int8.

    Args:
        table: float64 (ids, width).
        limit: the real value of 2**15; values beyond saturate.
    """
    rows = np.floor(table * (_STEPS / limit) + 0.5)
    return EmbeddingLayer(table=np.clip(rows, -_LARGEST, _LARGEST).astype(np.int8), limit=limit)
