"""C text of constant arrays: aligned, at most 100 columns, one comment each."""

import json
import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

_WIDTH = 100
_LIST = " *   "
_DANGEROUS = re.compile(r"[*](?=/)|/(?=[*])|[?](?=[?])")


def array(
    declaration: str,
    comment: str,
    blocks: Sequence[tuple[str, npt.NDArray[np.integer]]],
    *,
    suffix: str = "",
) -> str:
    """Return one const array.

    Args:
        declaration: such as ``static const int8_t w[12]``.
        comment: meaning, shape, order, format.
        blocks: (label, values) in order; each block starts on a line of its own.
        suffix: of every literal, such as ``u``.
    """
    cells = [_literals(values.reshape(-1).tolist(), suffix) for _, values in blocks]
    width = max((len(cell) for block in cells for cell in block), default=1)
    lines = [f"/* {comment} */", f"{declaration} = {{"]
    for (label, _), block in zip(blocks, cells, strict=True):
        if label:
            lines.append(f"    /* {label} */")
        lines += _rows(block, width)
    return "\n".join([*lines, "};"])


def string(text: str) -> str:
    r"""Return `text` as a C string literal; anything but plain ASCII is escaped as octal bytes.

    >>> print(string('25 "C"'))
    "25 \"C\""
    """

    def escape(byte: int) -> str:
        if chr(byte) in '"\\?':  # ? for the sake of trigraphs
            return f"\\{chr(byte)}"
        return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"

    return f'"{"".join(map(escape, text.encode(errors="replace")))}"'


def float_literal(value: float) -> str:
    """Return a finite float32 as a C literal; nine digits are exact.

    >>> float_literal(0.5), float_literal(-3.0)
    ('0.5f', '-3.0f')
    """
    text = f"{value:.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def comment_text(text: str) -> str:
    r"""Return `text` fit for a C comment: one line of plain ASCII that cannot end or extend it.

    A backslash at the end of a line would draw the next line into a comment, and so would the
    trigraph for it; wherever a line is broken, there is neither.

    >>> print(comment_text("a */ b\\ ???/"))
    a * / b/ ? ? ?/
    """
    plain = " ".join(text.split()).replace("\\", "/")
    plain = "".join(char if " " <= char <= "~" else "?" for char in plain)
    return _DANGEROUS.sub(r"\g<0> ", plain)


def name_text(text: str) -> str:
    r"""Return a name fit for a list in a C comment: in quotes, escaped, where it could be misread.

    >>> print(", ".join(map(name_text, ("walk up", " ", "\n", ",", "é"))))
    walk up, " ", "\n", ",", "\u00e9"
    """
    plain = text.isascii() and text.isprintable() and text == " ".join(text.split())
    if text and plain and not set(text) & set(',"\\'):
        return comment_text(text)
    return _DANGEROUS.sub(r"\g<0> ", json.dumps(text).replace("\x7f", "\\u007f"))


def comment_list(items: Iterable[str]) -> str:
    r"""Return lines of a comment with items, parted by commas, at most 100 columns if they fit.

    >>> print(comment_list(("0 up", "1 down")))
     *   0 up, 1 down
    """
    lines = [""]
    for item in items:
        if lines[-1] and len(_LIST) + len(lines[-1]) + len(item) + 3 > _WIDTH:
            lines.append("")
        lines[-1] += f" {item}," if lines[-1] else f"{item},"
    lines[-1] = lines[-1].removesuffix(",")
    return "\n".join(f"{_LIST}{line}" for line in lines)


def _literals(values: Iterable[int], suffix: str) -> list[str]:
    # INT32_MIN has no literal of its own type in C
    return ["(-2147483647 - 1)" if v == -(2**31) else f"{v}{suffix}" for v in values]


def _rows(block: list[str], width: int) -> list[str]:
    per_line = max(1, (_WIDTH - 3) // (width + 2))
    return [
        "    " + " ".join(f"{cell:>{width}}," for cell in block[i : i + per_line])
        for i in range(0, len(block), per_line)
    ]
