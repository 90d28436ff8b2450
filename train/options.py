"""How a model is trained, with defaults meant for any small sensor data set."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from rnnedge.errors import RnnedgeError
from rnnedge.spec import rate_error
from rnnedge.train.augment import Augmentation

SPLITS = ("auto", "recording", "group", "time")

_UPDATES = 2400
_FEWEST_UPDATES_AN_EPOCH = 50
_FEWEST_EPOCHS = 15
_SMALLEST_BATCH, _LARGEST_BATCH = 32, 64
_LARGE_SET = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """Options of a training.

    Attributes:
        name: C identifier, base name of exported files.
        cell: recurrent cell, a key of rnnedge.train.models.CELLS.
        units: width of each recurrent layer, >= 1.
        layers: recurrent layers, one upon the other, >= 1.
        reset_after: GRU form; True is the Keras default.
        window: time steps of a window; None: the recordings' length, where all have the same.
        hop: time steps between the starts of two windows; None: half a window.
        seed: decides parts, first weights, batches and their changes.
        epochs: passes over the training windows, of at least 50 updates (a small set is passed
            several times); None: as many as 2400 updates take, at least 15.
        batch_size: windows of an update; None: 32, or 64 from 1000 training windows on.
        learning_rate: of Adam at the start; it decays along a cosine.
        patience: epochs without a better validation loss before training stops; None: a third.
        dropout: share of the inputs of the recurrent layer dropped in training, 0 <= d < 1.
        augment: random changes of the training windows; None: Augmentation.for_windows.
        validation_fraction: share of the windows outside the test part, 0 < f < 1.
        test_fraction: share of the windows where no test part is given, 0 < f < 1.
        split: what the parts are divided by, one of SPLITS.
        rate: samples per second, or None.
        channel_units: units of measure by channel name, before those in the files.
    """

    name: str = "model"
    cell: str = "gru"
    units: int = 32
    layers: int = 1
    reset_after: bool = True
    window: int | None = None
    hop: int | None = None
    seed: int = 0
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float = 5e-3
    patience: int | None = None
    dropout: float = 0.0
    augment: Augmentation | None = None
    validation_fraction: float = 0.15
    test_fraction: float = 0.2
    split: str = "auto"
    rate: float | None = None
    channel_units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.name.isidentifier() and self.name.isascii()):
            raise RnnedgeError(
                f"name is {self.name!r}, expected a C identifier (letters, digits, _)"
            )
        for option in ("units", "layers", "window", "hop", "epochs", "batch_size", "patience"):
            value = getattr(self, option)
            if value is not None and value < 1:
                raise RnnedgeError(f"{option} is {value}, expected at least 1")
        for option in ("validation_fraction", "test_fraction"):
            value = getattr(self, option)
            if not 0.01 <= value <= 0.9:
                raise RnnedgeError(f"{option} is {value}, expected a share between 0.01 and 0.9")
        if self.split not in SPLITS:
            raise RnnedgeError(f"split is {self.split!r}, expected one of {', '.join(SPLITS)}")
        if not 0 <= self.dropout < 1:
            raise RnnedgeError(f"dropout is {self.dropout}, expected 0 <= dropout < 1")
        if not 0 < self.learning_rate < math.inf:
            raise RnnedgeError(f"learning_rate is {self.learning_rate}, expected more than 0")
        if self.seed < 0:
            raise RnnedgeError(f"seed is {self.seed}, expected 0 or more")
        wrong = rate_error(self.rate)
        if wrong is not None:
            raise RnnedgeError(wrong)

    def changes(self, windows: int) -> Augmentation:
        """Return the changes of the training windows, given their number."""
        return Augmentation.for_windows(windows) if self.augment is None else self.augment

    def batch(self, windows: int) -> int:
        """Return the windows of an update, given the number of training windows.

        >>> [TrainOptions().batch(windows) for windows in (10, 100, 7000)]
        [10, 32, 64]
        """
        usual = _SMALLEST_BATCH if windows < _LARGE_SET else _LARGEST_BATCH
        return min(self.batch_size or usual, windows)

    def updates(self, windows: int) -> int:
        """Return the updates of an epoch, given the number of training windows."""
        return max(_FEWEST_UPDATES_AN_EPOCH, windows // self.batch(windows))

    def passes(self, updates: int) -> int:
        """Return the epochs, given the updates of an epoch.

        >>> [TrainOptions().passes(updates) for updates in (50, 100, 1562)]
        [48, 24, 15]
        """
        if self.epochs is not None:
            return self.epochs
        return max(_FEWEST_EPOCHS, round(_UPDATES / updates))
