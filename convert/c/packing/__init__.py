"""The orders of weights that the kernels of firmware/kernels/ read: one file each.

A kernel is chosen when the exported C is compiled; the numbers never change with it.
"""

from rnnedge.convert.c.packing.order import Packed, Packing
from rnnedge.convert.c.packing.rows import ROWS

PACKINGS: dict[str, Packing] = {packing.kernel: packing for packing in (ROWS,)}
"""By the kernel's name, as in RNNEDGE_KERNEL_<NAME>."""

__all__ = ["PACKINGS", "Packed", "Packing"]
