"""What every target offers, and what one run on it gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rnnedge.arrays import F32, I16
from rnnedge.targets.exported import Exported
from rnnedge.targets.stream import Answer, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Bytes in the linked program that belong to runtime and model, read from the ELF.

    Attributes:
        code_bytes: the runtime's code, with what it calls of the compiler's library.
        const_bytes: tables, weights and the rest of the model in flash.
        ram_bytes: one state and the scratch.
        program_flash_bytes: the whole verify program: code, constants, initial values.
        program_ram_bytes: its variables, without stack.
    """

    code_bytes: int
    const_bytes: int
    ram_bytes: int
    program_flash_bytes: int
    program_ram_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """A run with counting.

    Attributes:
        answer: states, scores and stack.
        counts: instructions or cycles of a step: how many steps took that many.
        functions: instructions or cycles in each function, over all steps, largest first.
        code_bytes: size of those functions: the code of a step.
    """

    answer: Answer
    counts: Mapping[int, int]
    functions: Mapping[str, int]
    code_bytes: int


class Target(Protocol):
    """A place where an exported model is compiled and run."""

    @property
    def name(self) -> str:
        """The name on the command line."""

    @property
    def windows(self) -> int | None:
        """How many windows verification runs unless told; None: all."""

    def compiler_version(self) -> str:
        """Return the compiler's name and version."""

    def build(self, exported: Exported, work: Path, optimize: str = "speed") -> Path:
        """Return the program for `exported`, built in the folder `work`."""

    def run(self, program: Path, x: F32 | I16 | Request) -> Answer:
        """Run windows (windows, steps, channels), or a request; return every state and score."""


class CountingTarget(Target, Protocol):
    """A target that can also measure."""

    @property
    def unit(self) -> str:
        """What it counts: instructions or cycles."""

    def sizes(self, program: Path) -> Sizes:
        """Return what runtime and model take in `program`."""

    def measure(self, program: Path, x: F32 | I16 | Request) -> Measured:
        """Run windows and count every step."""
