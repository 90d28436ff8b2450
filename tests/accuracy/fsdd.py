"""Spoken digits, 13 cepstral coefficients each 16 ms; official split, and two speakers left out."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.accuracy.case import Case, Goal
from tests.accuracy.files import write_sequences
from tests.accuracy.streams import at_last_row

_LEFT_OUT = ("theo", "yweweler")


def _write(folder: Path, file: Path, *, by_speaker: bool) -> None:
    with np.load(folder / "fsdd_mfcc.npz") as file_:
        arrays: dict[str, npt.NDArray[Any]] = {name: file_[name] for name in file_.files}
    speaker = arrays["speakers"][arrays["speaker"]]
    tested = np.isin(speaker, _LEFT_OUT) if by_speaker else arrays["is_test"].astype(np.bool_)
    sequences = np.split(arrays["mfcc"].astype(np.float32), arrays["ptr"][1:-1])
    digits = arrays["y"].astype(np.int64)
    write_sequences(
        file,
        [item for item, test in zip(sequences, tested, strict=True) if not test],
        [item for item, test in zip(sequences, tested, strict=True) if test],
        channels=[f"c{index}" for index in range(arrays["mfcc"].shape[1])],
        y_train=digits[~tested],
        y_test=digits[tested],
        **({"group_train": speaker[~tested], "group_test": speaker[tested]} if by_speaker else {}),
    )


def official(folder: Path, file: Path) -> None:
    """The first five recordings of each digit and speaker are tested."""
    _write(folder, file, by_speaker=False)


def speakers(folder: Path, file: Path) -> None:
    """Two speakers are tested, whom the training never heard."""
    _write(folder, file, by_speaker=True)


_OPTIONS = {
    "task": "label", "units": 32, "window": 64, "dropout": 0.2, "rate": 62.5,
    "augment": {"jitter": 0.3, "scale": 0.1},
}  # fmt: skip
CASES = (
    Case(
        data="fsdd",
        name="10 digits, GRU-32, a class each frame, asked at the last",
        write=official,
        options=_OPTIONS,
        measure=at_last_row,
        goals=(Goal(figure="float accuracy", bound=0.97),),
        others="logistic regression on statistics 0.960",
    ),
    Case(
        data="fsdd",
        name="10 digits, two speakers left out, GRU-32",
        write=speakers,
        options=_OPTIONS,
        measure=at_last_row,
        goals=(Goal(figure="float accuracy", bound=0.75),),
        others="logistic regression on statistics 0.674",
    ),
)
