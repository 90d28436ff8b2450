"""Model names: identifiers that C, C++, the linker and the file system all take."""

import re

from rnnedge.errors import ModelError

_KEYWORDS = """
    alignas alignof and asm auto bool break case catch char class const continue decltype default
    delete do double else enum explicit export extern false float for friend goto if inline int
    long mutable namespace new noexcept not nullptr operator or private protected public register
    restrict return short signed sizeof static static_assert struct switch template this throw
    true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor
"""
_LIBRARY = """
    abort abs atexit atoi calloc close div errno exit exp fclose fflush floor fopen fread free
    fwrite getc golden linux log main malloc memcmp memcpy memmove memset open pow printf putc
    puts rand read realloc remove rename round selftest signal sin sqrt stderr stdin stdout
    strcmp strlen system tan tanh time unix write
"""
_RESERVED = frozenset((_KEYWORDS + _LIBRARY).split())
_LONGEST = 40


def check_name(name: str) -> str:
    """Return `name` if it can name a model.

    Raises:
        ModelError: says what a name may be.
    """
    if (
        re.fullmatch(rf"[A-Za-z][A-Za-z0-9_]{{0,{_LONGEST - 1}}}", name) is None
        or name in _RESERVED
        or name.endswith("_t")
        or name.lower().startswith(("rnnedge", "app_", "port_"))
    ):
        raise ModelError(
            f"name {name!r} cannot name a model in C; choose letters, digits and _, at most "
            f"{_LONGEST}, no word of C and none that starts with rnnedge, app_ or port_"
        )
    return name


def default_name(folder_name: str) -> str:
    """Return a model name made of a run folder's name.

    >>> default_name("kws-2"), default_name("3 axes"), default_name("double")
    ('kws_2', 'model_3_axes', 'model_double')
    """
    name = re.sub(r"\W", "_", folder_name, flags=re.ASCII).strip("_")[: _LONGEST - 6]
    try:
        return check_name(name)
    except ModelError:
        return check_name(f"model_{name}".rstrip("_"))
