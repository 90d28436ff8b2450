"""Tables of Markdown."""

import re
from collections.abc import Iterable, Sequence

# control characters, and those that turn the direction of text
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# an underscore within a word is none of Markdown's
_MARKDOWN = re.compile(r"[\\`*<\[\]|~&]|(?<![^\W_])_|_(?![^\W_])")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [_row(columns), _row(["---"] * len(columns)), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(cell_text(str(cell)) for cell in cells)} |"


def cell_text(text: str) -> str:
    r"""Return `text` for a cell of a Markdown table, as it is to be read.

    >>> print(cell_text("a|b\\c *d* net_1 _e_ <f> größe"))
    a\|b\\c \*d\* net_1 \_e\_ \<f> größe
    """
    line = " ".join(text.split()).encode(errors="replace").decode()
    return _MARKDOWN.sub(r"\\\g<0>", _UNSEEN.sub("?", line))
