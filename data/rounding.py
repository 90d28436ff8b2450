"""What float32, in which samples are kept, rounds away of a channel."""

import numpy as np

_COARSE = 0.001
_LEVELS = 4


def coarse(value: float) -> float:
    """Return the step of float32 at a value where it is one to know of, else 0.

    >>> coarse(1e9), coarse(7.0)
    (64.0, 0.0)
    """
    step = float(np.spacing(np.float32(abs(value))))
    return step if step >= _COARSE else 0.0


def remedy(name: str, value: float, *, target: bool) -> str:
    """Say what to do about a channel that is always `value` as float32.

    Args:
        name: the channel.
        value: in raw units.
        target: whether it is what is to be forecast, and so cannot be ignored.

    >>> remedy("x", 7.0, target=False)
    '--ignore x'
    """
    plain = "name another --target" if target else f"--ignore {name}"
    step = coarse(value)
    if not step:
        return plain
    return (
        f"float32 has steps of {step:g} there and rounds smaller changes away: if it changes, "
        f"subtract an offset or give it in other units, else {plain}"
    )


def lost(value: float, std: float) -> str:
    """Tell that float32 leaves only a few steps of how a channel changes; "" where it does not.

    Args:
        value: its mean, raw units.
        std: its standard deviation, raw units.

    >>> lost(1e7, 20.0)
    ''
    """
    step = coarse(value)
    if not step or std >= _LEVELS * step:
        return ""
    return (
        f"float32 has steps of {step:g} at {value:g}, its standard deviation is {std:.3g}: "
        "subtract an offset or give it in other units"
    )
