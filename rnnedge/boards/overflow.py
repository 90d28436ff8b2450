"""What a linker says of a program that is too large."""

import re

_OVER = re.compile(r"region .(FLASH|RAM). overflowed by (\d+) bytes")
_FULL = re.compile(r"will not fit in region .(FLASH|RAM)|(size of array .* is too large)")
_NAMES = {"FLASH": "flash", "RAM": "RAM"}


def overflow(output: str) -> dict[str, int]:
    """Return the full memories, "flash" and "RAM", each with the bytes that it lacks.

    They are 0 where the compiler gives up before the linker can tell; the stack's reserve counts
    as RAM.

    Args:
        output: what compiler and linker wrote.
    """
    full = {_NAMES[region or "FLASH"]: 0 for region, _ in _FULL.findall(output)}
    return full | {_NAMES[region]: int(count) for region, count in _OVER.findall(output)}
