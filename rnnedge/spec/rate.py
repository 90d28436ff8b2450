"""Sample rates."""

SLOWEST_RATE, FASTEST_RATE = 1e-9, 1e9


def rate_error(rate: object) -> str | None:
    """Return what is wrong with a sample rate, or None.

    >>> rate_error(None), rate_error(50.0)
    (None, None)
    >>> rate_error(0)
    'rate is 0, expected 1e-09 to 1e+09 samples per second'
    """
    if rate is None:
        return None
    number = None if isinstance(rate, bool) or not isinstance(rate, int | float) else rate
    if number is not None and SLOWEST_RATE <= number <= FASTEST_RATE:
        return None
    return f"rate is {rate!r}, expected {SLOWEST_RATE:g} to {FASTEST_RATE:g} samples per second"
