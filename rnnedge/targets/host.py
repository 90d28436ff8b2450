"""This machine, through its own C compiler."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from rnnedge.arrays import F32, I16
from rnnedge.errors import ToolError
from rnnedge.targets.build import Toolchain, build, firmware
from rnnedge.targets.exported import Exported
from rnnedge.targets.stream import Answer, Request, parse, request
from rnnedge.targets.tools import run


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The host target.

    Attributes:
        compiler: C compiler; None takes the environment's CC, or cc.
        flags: further flags, such as sanitizers.
    """

    name: str = "host"
    windows: int | None = None
    compiler: str | None = None
    flags: tuple[str, ...] = ()

    def compiler_version(self) -> str:
        """Return the compiler's name and version."""
        return self._toolchain().version()

    def build(self, exported: Exported, work: Path, optimize: str = "speed") -> Path:
        """Return the program for `exported`, built in the folder `work`."""
        name = self.name.replace(":", "-")
        return build(
            exported, self._toolchain(), [firmware("app/host.c")], work, optimize, name=name
        )

    def run(self, program: Path, x: F32 | I16 | Request) -> Answer:
        """Run windows (windows, steps, channels) and return every state and score."""
        output = run([program], purpose="run the model on the host", data=request(x))
        return parse(output, x, self.name)

    def _toolchain(self) -> Toolchain:
        text = self.compiler or os.environ.get("CC") or "cc"
        try:
            compiler, *words = shlex.split(text)
        except ValueError as error:
            raise ToolError(f"CC is {text!r}: not a command ({error}); unset or mend it") from None
        return Toolchain(compiler=compiler, flags=(*words, *self.flags))
