"""How many bits of its input the first layer reads, and why."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import comb
from typing import Any, Self

import numpy as np
import numpy.typing as npt

KEY = "input"
"""Under this key run.json (in "training") and report.json state the choice."""

_WORTH_16_BITS = 0.005
"""Share of the calibration windows that 16-bit inputs must win back to be chosen."""

_WORTH_16_BITS_ERROR = 0.01
"""Share of a regression's squared error that 8-bit inputs may add."""

_CHANCE = 0.125
"""Largest chance that a coin decides the windows so: 3 won and none lost, or 6 and 1, pass."""

_COST = "2 to 4 times faster on AVR"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputBits:
    """The width of the first layer's input.

    Attributes:
        bits: 8 or 16.
        windows: calibration windows that the two widths were compared on; 0: the width was given,
            or the reason is not known.
        gain: share of the windows (of the steps, where each has a class) whose class is the float
            model's with 16 bits, less the same share with 8 bits.
        won: windows that 16 bits serve better.
        lost: windows that 8 bits serve better.
        by_error: True: of a regression; gain is the share of the squared error that 8 bits add.
    """

    bits: int
    windows: int = 0
    gain: float = 0.0
    won: int = 0
    lost: int = 0
    by_error: bool = False

    @property
    def reason(self) -> str:
        """The width in one line, with its reason and the alternative."""
        if self.windows == 0:
            advice = f"; --input-bits 8 is {_COST}" if self.bits == 16 else ""
            return f"{self.bits} bits{advice}"
        if self.by_error:
            if self.bits == 8 and self.gain <= 0:
                return f"8 bits, as good as 16 on the {self.windows} calibration windows"
            more = f"8 increase the squared error by {100 * self.gain:.1f} %"
            if self.bits == 16:
                return f"16 bits, because {more}; --input-bits 8 is {_COST}"
            return (
                f"8 bits; {more.replace('8 increase', 'they increase')} on the calibration windows"
            )
        of = f"of the {self.windows} calibration windows"
        if self.bits == 16:
            lost = f"8 lose {100 * self.gain:.1f} % {of}"
            return f"16 bits, because {lost}; --input-bits 8 is {_COST}"
        if self.gain <= 0:
            return f"8 bits, as good as 16 on the {self.windows} calibration windows"
        few = "which may be chance" if self.gain > _WORTH_16_BITS else "too little for its cost"
        return f"8 bits; --input-bits 16 wins back {100 * self.gain:.1f} % {of}, {few}"

    def document(self) -> dict[str, Any]:
        """Return it for a JSON document."""
        return {**asdict(self), "reason": self.reason}

    @classmethod
    def of(cls, bits: int, document: object) -> Self:
        """Return what a document says of an input of `bits`; only those if it says nothing."""
        if isinstance(document, Mapping) and document.get("bits") == bits:
            numbers = {key: document.get(key) for key in ("windows", "gain", "won", "lost")}
            if all(isinstance(number, int | float) for number in numbers.values()):
                by_error = document.get("by_error") is True
                return cls(bits=bits, by_error=by_error, **numbers)  # type: ignore[arg-type]
        return cls(bits=bits)


def choose(narrow: npt.NDArray[np.bool_], wide: npt.NDArray[np.bool_]) -> InputBits:
    """Choose 16 bits where they win back more than 0.5 %, and more than chance explains.

    Chance: a one-sided sign test on the windows that the two widths decide differently. If 16 bits
    were no better, each of those would be won or lost like a coin; the outcome must be one that
    coins reach at most once in eight times. One window more of 25 is 4 %, and still nothing.

    Args:
        narrow: (windows,) or (windows, steps), whether the class with 8 bits is the float model's.
        wide: the same with 16 bits.

    >>> ok = np.ones(25, bool)
    >>> choose(np.arange(25) > 0, ok).bits, choose(np.arange(25) > 2, ok).bits
    (8, 16)
    """
    difference = (wide.astype(np.int64) - narrow).reshape(len(wide), -1).sum(axis=1)
    won, lost = int((difference > 0).sum()), int((difference < 0).sum())
    gain = int(difference.sum()) / wide.size
    better = gain > _WORTH_16_BITS and _by_chance(won, lost) <= _CHANCE
    return InputBits(
        bits=16 if better else 8, windows=len(wide), gain=round(gain, 6), won=won, lost=lost
    )


def choose_by_error(narrow: npt.NDArray[np.float64], wide: npt.NDArray[np.float64]) -> InputBits:
    """Choose 16 bits for a regression where 8 increase its squared error by more than 1 %.

    Args:
        narrow: (windows,), mean squared error of each window with 8 bits; NaN: not known.
        wide: the same with 16 bits.

    >>> choose_by_error(np.array([1.0, 1.0]), np.array([0.9, 1.0])).bits
    16
    """
    known = np.isfinite(narrow) & np.isfinite(wide)
    if not known.any():
        return InputBits(bits=8)
    before, after = narrow[known], wide[known]
    gain = float(before.mean() / max(float(after.mean()), 1e-30) - 1)
    return InputBits(
        bits=16 if gain > _WORTH_16_BITS_ERROR else 8, windows=int(known.sum()),
        gain=round(gain, 6), won=int((after < before).sum()), lost=int((after > before).sum()),
        by_error=True,
    )  # fmt: skip


def _by_chance(won: int, lost: int) -> float:
    """Return the probability that of won + lost coins at least `won` show heads.

    >>> _by_chance(3, 0), _by_chance(6, 1), _by_chance(5, 2)
    (0.125, 0.0625, 0.2265625)
    """
    tosses = won + lost
    return float(sum(comb(tosses, heads) for heads in range(won, tosses + 1)) / 2**tosses)
