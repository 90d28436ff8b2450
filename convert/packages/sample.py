"""How a sample is told in the examples: names with their units, means, comments."""

import textwrap

from rnnedge.convert.c.text import comment_text

_WIDTH = 100


def comment(text: str, start: str) -> str:
    """Return text as lines of a comment."""
    return "\n".join(
        textwrap.wrap(
            text, _WIDTH, initial_indent=start, subsequent_indent=start, break_on_hyphens=False
        )
    )


def named(name: str, unit: str) -> str:
    """Return a channel, or a feature, with its unit.

    >>> named("ax", "g"), named("ay", "")
    ('ax [g]', 'ay')
    """
    name, unit = comment_text(name), comment_text(unit)
    return f"{name} [{unit}]" if unit else name


def mean_literal(value: float) -> str:
    """Return a float of C with six digits.

    >>> mean_literal(2.0), mean_literal(1 / 3)
    ('2.0f', '0.333333f')
    """
    text = f"{value:.6g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"
