"""How a raw sample becomes the int16 input of the first layer."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnedge.arrays import F64, I8, I32, I64
from rnnedge.errors import ModelError
from rnnedge.spec.frozen import Frozen


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputLayer(Frozen):
    """Raw sensor values to int16: normalisation and quantisation in one integer map.

    ``fixed = trunc(clamp(raw * 2**exponent, -2**30, 2**30))`` (float32, exact), then
    ``x = sat16((fixed * multiplier + offset) >> shift)`` in int64. The real, normalised value is
    ``(raw - mean) / std = x * limit / 2**15``.

    Attributes:
        mean: float64 (channels,), raw units.
        std: float64 (channels,), raw units, > 0.
        limit: largest normalised magnitude that int16 holds, > 0.
        exponent: int32 (channels,), -126..127.
        multiplier: int32 (channels,), 1..2**30.
        offset: int64 (channels,), rounding half included.
        shift: int32 (channels,), 0..62.
    """

    DTYPES: ClassVar[dict[str, type[np.generic]]] = {
        "mean": np.float64,
        "std": np.float64,
        "exponent": np.int32,
        "multiplier": np.int32,
        "offset": np.int64,
        "shift": np.int32,
    }
    mean: F64
    std: F64
    limit: float
    exponent: I32
    multiplier: I32
    offset: I64
    shift: I32

    def __post_init__(self) -> None:
        Frozen.__post_init__(self)
        for name in self.DTYPES:
            self.expect(name, (self.channels,))

    @property
    def channels(self) -> int:
        """Number of input channels: what the first layer reads."""
        return int(self.mean.size)

    @property
    def raw_values(self) -> int:
        """Numbers of a raw sample."""
        return self.channels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EmbeddingLayer(Frozen):
    """Ids to int16: a row of a table, ``x = table[id] * 2**8``, in real terms x * limit / 2**15.

    A raw sample is one number, the id; anything but a whole number of 0..rows - 1 is refused.

    Attributes:
        table: int8 (rows, width), -127..127.
        limit: real value of 2**15, > 0.
    """

    DTYPES: ClassVar[dict[str, type[np.generic]]] = {"table": np.int8}
    table: I8
    limit: float

    def __post_init__(self) -> None:
        Frozen.__post_init__(self)
        if self.table.ndim != 2 or 0 in self.table.shape:
            raise ModelError(f"EmbeddingLayer.table has shape {self.table.shape}")

    @property
    def rows(self) -> int:
        """Number of ids."""
        return int(self.table.shape[0])

    @property
    def channels(self) -> int:
        """Width of a row: what the first layer reads."""
        return int(self.table.shape[1])

    @property
    def raw_values(self) -> int:
        """Numbers of a raw sample: the id."""
        return 1
