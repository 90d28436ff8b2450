"""The windows and recordings that a run folder keeps, in windows.npz."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rnnedge.archive import DAMAGED, read_npz
from rnnedge.arrays import F32, I64
from rnnedge.errors import ModelError

WINDOWS_FILE = "windows.npz"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Given:
    """What a model is given, raw units or ids.

    Attributes:
        raw: float32 (windows, steps, values of a sample).
        features: float32 (windows, features), of a start; None: there is none.
        encoder: float32 (windows, encoder steps, values of its sample); None: there is none.
    """

    raw: F32
    features: F32 | None = None
    encoder: F32 | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Windows:
    """The windows kept in a run folder, raw units; what a task has no use for is None.

    Attributes:
        calibration: float32 (windows, steps, channels), from the training part; ids are whole
            numbers.
        X_test: float32 (windows, steps, channels).
        y_test: what is right: int64 (windows,), class index; int64 (windows, steps), class at each
            step; or float32 (windows, steps, outputs), raw units. -1 and NaN where not known.
        y_calibration: the same of the calibration windows.
        lengths_calibration: int64 (windows,), steps of padded windows that count.
        lengths_test: int64 (windows,).
        start_calibration: float32 (windows, features), what the sequences start from.
        start_test: float32 (windows, features).
        encoder_calibration: float32 (windows, encoder steps, encoder channels).
        encoder_test: float32 (windows, encoder steps, encoder channels).
        encoder_lengths_calibration: int64 (windows,), steps of padded ones that count.
        encoder_lengths_test: int64 (windows,).
        stream: float32 (rows, channels), whole test recordings, one behind the other.
        stream_ptr: int64 (recordings + 1,), their ends.
        stream_y: int64 (rows,) or float32 (rows, outputs).
        stream_normal: bool (rows,), False where an anomaly is labelled; None: nothing is.
        normal: float32 (rows, channels), recordings of the validation part, from which a detector
            takes its threshold.
        normal_ptr: int64 (recordings + 1,).
    """

    calibration: F32
    X_test: F32
    y_test: I64 | F32
    y_calibration: I64 | F32 | None = None
    lengths_calibration: I64 | None = None
    lengths_test: I64 | None = None
    start_calibration: F32 | None = None
    start_test: F32 | None = None
    encoder_calibration: F32 | None = None
    encoder_test: F32 | None = None
    encoder_lengths_calibration: I64 | None = None
    encoder_lengths_test: I64 | None = None
    stream: F32 | None = None
    stream_ptr: I64 | None = None
    stream_y: I64 | F32 | None = None
    stream_normal: npt.NDArray[np.bool_] | None = None
    normal: F32 | None = None
    normal_ptr: I64 | None = None

    def given(self, count: int) -> "Given":
        """Return the first of the test windows, with what they start from."""
        parts = (self.start_test, self.encoder_test)
        features, encoder = (None if part is None else part[:count] for part in parts)
        return Given(raw=self.X_test[:count], features=features, encoder=encoder)

    @property
    def padded(self) -> bool:
        """True if some of the windows end before their last step."""
        return self.lengths_calibration is not None or self.lengths_test is not None

    def save(self, folder: Path) -> None:
        """Write windows.npz into `folder`."""
        arrays = {name.name: getattr(self, name.name) for name in fields(self)}
        kept = {name: array for name, array in arrays.items() if array is not None}
        np.savez_compressed(folder / WINDOWS_FILE, **kept)


def load_windows(folder: Path) -> Windows:
    """Read windows.npz.

    Raises:
        ModelError: the file is missing or damaged.
    """
    with explained(folder / WINDOWS_FILE):
        windows = Windows(**read_npz(folder / WINDOWS_FILE))
        for name in ("calibration", "X_test"):
            array = getattr(windows, name)
            if array.dtype != np.float32 or array.ndim != 3 or array.size == 0:
                raise ValueError(f"{name} is {array.dtype} {array.shape}")
        y, shape = windows.y_test, windows.X_test.shape
        known = {
            np.dtype(np.int64): (shape[:1], shape[:2]),
            np.dtype(np.float32): ((*shape[:2], y.shape[-1] if y.ndim else 0),),
        }
        if y.shape not in known.get(y.dtype, ()):
            raise ValueError(f"y_test is {y.dtype} {y.shape}")
        for item in fields(Windows):
            array = getattr(windows, item.name)
            counts = item.name.endswith("ptr") or "lengths" in item.name
            if array is not None and counts and array.dtype != np.int64:
                raise ValueError(f"{item.name} is {array.dtype}")
        return windows


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what can go wrong while reading a run's file into one line."""
    if not path.parent.is_dir():
        raise ModelError(f"{path.parent}: no such run folder; make one with rnnedge train")
    try:
        yield
    except FileNotFoundError:
        raise ModelError(
            f"{path.parent}: no {path.name} here; is this a run folder of rnnedge train?"
        ) from None
    except DAMAGED as error:
        raise ModelError(f"{path}: damaged or of another version ({error}); train again") from None
