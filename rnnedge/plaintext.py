"""Words for one line of a message."""

import re

# sequences that colour text or move the cursor, then what else a terminal does not show
_CONTROLS = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


def plain(text: str) -> str:
    """Return text without colours and other control characters, but with its ends of lines."""
    return _CONTROLS.sub("", text.replace("\r", "\n"))


def counted(count: int, word: str) -> str:
    """Return a number of things.

    >>> counted(1, "window"), counted(2996, "window")
    ('1 window', '2,996 windows')
    """
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def visible(name: str) -> str:
    """Return a name, quoted where it could not be seen.

    >>> visible("a b"), visible(" ")
    ('a b', "' '")
    """
    return name if name.isprintable() and name.strip() else repr(name)
