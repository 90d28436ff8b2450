"""Faults of a line: what can happen to the frames of one direction."""

from collections import Counter
from collections.abc import Callable

import numpy as np

KINDS = (
    "lost",
    "byte lost",
    "damaged",
    "burst",
    "inserted",
    "repeated",
    "delayed",
    "cut",
    "joined",
)
NOISE = (b"\n", b">", b"<", b"0", b"boot: ok\r\n", b"\xff\x00\xfe")

Direction = Callable[[bytes], list[tuple[float, bytes]]]
"""Makes of a frame what arrives: (delay 0..1, bytes), in order of sending."""


def clean(frame: bytes) -> list[tuple[float, bytes]]:
    """A line without faults."""
    return [(0.0, frame)]


class Faults:
    """Random faults in the frames of one direction.

    Attributes:
        rate: part of the frames that one fault or more happens to.
        done: how often each fault was made.
    """

    def __init__(self, seed: int, rate: float) -> None:
        self.rng = np.random.default_rng(seed)
        self.rate = rate
        self.done: Counter[str] = Counter()

    def __call__(self, frame: bytes) -> list[tuple[float, bytes]]:
        out = [(0.0, frame)]
        while out and self.rng.random() < self.rate:
            kind = KINDS[self.rng.integers(len(KINDS))]
            self.done[kind] += 1
            out = self._fault(kind, *out[0]) + out[1:]
        return out

    def _fault(self, kind: str, delay: float, frame: bytes) -> list[tuple[float, bytes]]:
        """Return what becomes of a frame."""
        rng = self.rng
        at = int(rng.integers(max(len(frame), 1)))
        if kind == "lost":
            return []
        if kind == "repeated":
            return [(delay, frame), (delay + float(rng.choice([0.0, rng.random()])), frame)]
        if kind == "delayed":
            return [(delay + rng.random(), frame)]
        changed = {
            "byte lost": lambda: frame[:at] + frame[at + 1 :],
            "damaged": lambda: frame[:at] + self._other(frame[at : at + 1]) + frame[at + 1 :],
            "burst": lambda: frame[:at] + rng.bytes(len(frame[at : at + 8])) + frame[at + 8 :],
            "inserted": lambda: frame[:at] + NOISE[rng.integers(len(NOISE))] + frame[at:],
            "cut": lambda: frame[:at],
            "joined": lambda: frame.rstrip(b"\n"),
        }
        return [(delay, changed[kind]())]

    def _other(self, byte: bytes) -> bytes:
        """Another hexadecimal digit more often than not: what only the CRC can tell."""
        if self.rng.random() < 0.8:
            return bytes([self.rng.choice([d for d in b"0123456789ABCDEF" if bytes([d]) != byte])])
        return bytes([byte[0] ^ 1 << int(self.rng.integers(8))]) if byte else b"?"
