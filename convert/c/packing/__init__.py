"""The orders of weights that the kernels of firmware/kernels/ read: one file each.

A kernel is chosen when the exported C is compiled; the numbers never change with it.
"""

from collections.abc import Iterable

from rnnedge.convert.c.packing.avr import AVR
from rnnedge.convert.c.packing.dsp import DSP
from rnnedge.convert.c.packing.mve import MVE
from rnnedge.convert.c.packing.order import Packed, Packing
from rnnedge.convert.c.packing.quad import QUAD
from rnnedge.convert.c.packing.rows import ROWS
from rnnedge.errors import ToolError
from rnnedge.targets.cores import CORES

PACKINGS: dict[str, Packing] = {packing.kernel: packing for packing in (ROWS, QUAD, DSP, AVR, MVE)}
"""By the kernel's name, as in RNNEDGE_KERNEL_<NAME>."""

KERNELS = {"host": "rows", **{core.name: core.kernel for core in CORES.values()}}
"""The kernel that a core's compiler chooses, and this machine's."""


def kernels_of(targets: Iterable[str]) -> list[str]:
    """Return the kernels of targets; "all" stands for every kernel.

    Raises:
        ToolError: an unknown target.
    """
    names: list[str] = []
    for target in targets:
        core = target.removesuffix(":clang")
        if core != "all" and core not in KERNELS:
            raise ToolError(f"target {target!r} is not known; there are {', '.join(KERNELS)}, all")
        names += PACKINGS if core == "all" else [KERNELS[core]]
    return [kernel for kernel in PACKINGS if kernel in names]


__all__ = ["KERNELS", "PACKINGS", "Packed", "Packing", "kernels_of"]
