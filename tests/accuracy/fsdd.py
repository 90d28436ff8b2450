"""Spoken digits, 13 cepstral coefficients each 16 ms; official split, and two speakers left out."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.accuracy.case import Case, Goal, classified, each_cell
from tests.accuracy.files import from_the_end

_LEFT_OUT = ("theo", "yweweler")
_FRAMES = 48


def _write(folder: Path, file: Path, *, by_speaker: bool) -> None:
    """Write the last 48 frames; before a shorter recording its first frame is held."""
    with np.load(folder / "fsdd_mfcc.npz") as file_:
        arrays: dict[str, npt.NDArray[Any]] = {name: file_[name] for name in file_.files}
    speaker = arrays["speakers"][arrays["speaker"]]
    tested = np.isin(speaker, _LEFT_OUT) if by_speaker else arrays["is_test"].astype(np.bool_)
    sequences = np.split(arrays["mfcc"].astype(np.float32), arrays["ptr"][1:-1])
    windows, digits = from_the_end(sequences, _FRAMES), arrays["y"].astype(np.int64)
    groups = {"group_train": speaker[~tested], "group_test": speaker[tested]} if by_speaker else {}
    np.savez(
        file,
        channels=np.array([f"c{index}" for index in range(windows.shape[2])]),
        X_train=windows[~tested],
        y_train=digits[~tested],
        X_test=windows[tested],
        y_test=digits[tested],
        **groups,
    )


def official(folder: Path, file: Path) -> None:
    """The first five recordings of each digit and speaker are tested."""
    _write(folder, file, by_speaker=False)


def speakers(folder: Path, file: Path) -> None:
    """Two speakers are tested, whom the training never heard."""
    _write(folder, file, by_speaker=True)


_OPTIONS = {
    "units": 32, "rate": 62.5, "dropout": 0.3,
    "augment": {"jitter": 0.5, "scale": 0.3, "warp": 0.2, "mix": 0.4},
}  # fmt: skip
CASES = (
    *each_cell(
        Case(
            data="fsdd",
            name="10 digits, GRU-32",
            write=official,
            options=_OPTIONS,
            measure=classified,
            goals=(Goal(figure="float accuracy", bound=0.97),),
            others="logistic regression on statistics 0.960",
        ),
        lstm=28,
        rnn=32,
    ),
    Case(
        data="fsdd",
        name="10 digits, two speakers left out, GRU-32",
        write=speakers,
        options=_OPTIONS,
        measure=classified,
        goals=(Goal(figure="float accuracy", bound=0.75),),
        others="logistic regression on statistics 0.674",
    ),
)
