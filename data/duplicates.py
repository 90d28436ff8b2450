"""Stretches of samples that two recordings share."""

from collections import defaultdict
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from rnnedge.data.readers import Recordings
from rnnedge.data.readers.cache import AT_ONCE, forget

_MOST = 100_000
_PAGE = 1 << 20  # what a look into a mapped file brings along


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """Stretches that occur in more than one recording, sample for sample.

    Attributes:
        rows: of a stretch.
        stretches: how many occur more than once.
        between_parts: how many of them occur in the training and in the test part of the files.
        example: two recordings that share one, for people; "" if there are none.
    """

    rows: int
    stretches: int
    between_parts: int
    example: str


def duplicates(data: Recordings, rows: int) -> Duplicates:
    """Compare the stretches of `rows` rows, laid end to end, that are not constant.

    Of large data an even sample of the recordings' stretches is compared.
    """
    owners: dict[bytes, list[int]] = defaultdict(list)
    total = sum(len(item.values) // rows for item in data.items)
    stride = max(1, -(-total // _MOST)) * rows
    looked = 0
    for index, item in enumerate(data.items):
        for row in range(0, len(item.values) - rows + 1, stride):
            part = np.ascontiguousarray(item.values[row : row + rows])
            looked += part.nbytes if stride == rows else max(part.nbytes, _PAGE)
            if looked > AT_ONCE:
                forget(item.values)
                looked = 0
            if (part != part[0]).any():
                owners[blake2b(part.tobytes(), digest_size=16).digest()].append(index)
    shared = [sorted(set(found)) for found in owners.values() if len(set(found)) > 1]
    parts = [{data.items[index].part for index in found} for found in shared]
    between = [{"train", "test"} <= found for found in parts]
    example = ""
    if shared:
        chosen = shared[between.index(True) if any(between) else 0]
        example = " and ".join(data.items[index].source for index in (chosen[0], chosen[-1]))
    return Duplicates(rows=rows, stretches=len(shared), between_parts=sum(between), example=example)
