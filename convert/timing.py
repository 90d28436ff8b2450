"""Rates and durations as people say them, without exponents."""

from decimal import Decimal

_SPANS = ((86400, "days"), (3600, "h"), (60, "min"))
_FRACTIONS = ((1, "second"), (60, "minute"), (3600, "hour"), (86400, "day"))


def duration(seconds: float) -> str:
    """Return a duration.

    >>> duration(0.32), duration(1800), duration(72000), duration(0.00001)
    ('0.32 s', '30 min', '20 h', '0.00001 s')
    """
    size, unit = next(((size, unit) for size, unit in _SPANS if seconds >= 2 * size), (1, "s"))
    return f"{_plain(seconds / size, 3)} {unit}"


def sample_rate(rate: float) -> str:
    """Return a rate, given in samples a second.

    >>> sample_rate(44100.0), sample_rate(1 / 60), sample_rate(0.01667)
    ('44100 samples a second', '1 sample a minute', '1 sample a minute')
    >>> sample_rate(0.5), sample_rate(1 / 86400)
    ('0.5 samples a second', '1 sample a day')
    """
    if rate >= 0.1:
        return _samples(_plain(rate, 6), "second")
    size, unit = next(
        ((size, unit) for size, unit in _FRACTIONS if rate * size >= 0.9995), _FRACTIONS[-1]
    )
    return _samples(_plain(rate * size, 4), unit)


def _samples(number: str, unit: str) -> str:
    a = "an" if unit == "hour" else "a"
    return f"{number} sample{'' if number == '1' else 's'} {a} {unit}"


def _plain(value: float, digits: int) -> str:
    """Return some digits of a number, never with an exponent."""
    text = f"{Decimal(f'{value:.{digits}g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
