"""Reading .npz archives that may be damaged."""

import lzma
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

DAMAGED = (
    OSError,
    ValueError,  # also bad JSON and text that is not UTF-8
    KeyError,
    TypeError,
    EOFError,
    AttributeError,
    RuntimeError,  # encrypted; NotImplementedError and RecursionError are of this kind
    MemoryError,  # a header that claims terabytes
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
"""What NumPy, zipfile and json raise for files that are cut short, changed or foreign."""


def read_npz(path: Path) -> dict[str, Any]:
    """Return every array of an .npz, without pickle.

    Raises:
        FileNotFoundError: no such file.
        Exception: one of DAMAGED.
    """
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}
