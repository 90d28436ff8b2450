"""How a model is trained, with defaults meant for any small sensor data set."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rnnedge.errors import RnnedgeError
from rnnedge.spec import TASKS, rate_error
from rnnedge.train.augment import Augmentation

SPLITS = ("auto", "recording", "group", "time")

_UPDATES = 2400
_FEWEST_UPDATES_AN_EPOCH = 50
_FEWEST_EPOCHS = 15
_SMALLEST_BATCH, _LARGEST_BATCH = 32, 64
_LARGE_SET = 1000
_COUNTS = (
    *("units", "layers", "window", "hop", "epochs", "batch_size", "patience"),
    *("steps", "lanes", "seeds"),
)
CLASS_WEIGHTS = ("none", "balanced")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """Options of a training.

    Attributes:
        name: C identifier, base name of exported files.
        cell: recurrent cell, a key of rnnedge.train.models.CELLS.
        units: width of each recurrent layer, >= 1.
        layers: recurrent layers, one upon the other, >= 1.
        reset_after: GRU form; True is the Keras default.
        window: time steps of a window; None: those of the longest recording, up to 256.
        hop: time steps between the starts of two windows; None: half a window, an eighth in the
            training part, whose batches and epochs are those of half a window.
        task: one of rnnedge.spec.TASKS; None: found from the data.
        horizons: steps ahead of a forecast, rising; empty: 1.
        steps: of a stretch of truncated back-propagation, where the state runs on; None: by the
            data.
        burn_in: steps behind the beginning of a recording whose answers do not count, >= 0.
        lanes: recordings that are laid side by side where the state runs on; None: by the data.
        class_weights: "none", or "balanced": every class weighs the same, however rare.
        seed: decides first weights, batches and their changes.
        parts_seed: decides the parts, so that several seeds have the same; None: seed.
        seeds: how many trainings, of seed, seed + 1, ...; the one of the best validation is kept.
        epochs: passes over the training windows, of at least 50 updates (a small set is passed
            several times); None: as many as 2400 updates take, at least 15.
        batch_size: windows of an update; None: 32, or 64 from 1000 training windows on.
        learning_rate: of Adam at the start; it decays along a cosine.
        patience: epochs without a better validation loss before training stops; None: a third.
        dropout: share of the inputs of the recurrent layer dropped in training, 0 <= d < 1.
        augment: random changes of the training windows; None: Augmentation.for_windows; a mapping:
            the same, but for these fields.
        rotate_groups: names of three channels each, the axes that are turned together; None: found
            by their names (rnnedge.train.rotation).
        validation_fraction: share of the windows outside the test part, 0 < f < 1.
        test_fraction: share of the windows where no test part is given, 0 < f < 1.
        split: what the parts are divided by, one of SPLITS.
        rate: samples per second, or None.
        channel_units: units of measure by channel name, before those in the files.
        tensorboard: folder of TensorBoard's logs, or None.
    """

    name: str = "model"
    cell: str = "gru"
    units: int = 32
    layers: int = 1
    reset_after: bool = True
    window: int | None = None
    hop: int | None = None
    task: str | None = None
    horizons: tuple[int, ...] = ()
    steps: int | None = None
    burn_in: int = 0
    lanes: int | None = None
    class_weights: str = "none"
    seed: int = 0
    parts_seed: int | None = None
    seeds: int = 1
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float = 5e-3
    patience: int | None = None
    dropout: float = 0.0
    augment: Augmentation | Mapping[str, float] | None = None
    rotate_groups: tuple[tuple[str, ...], ...] | None = None
    validation_fraction: float = 0.15
    test_fraction: float = 0.2
    split: str = "auto"
    rate: float | None = None
    channel_units: Mapping[str, str] = field(default_factory=dict)
    tensorboard: Path | None = None

    def __post_init__(self) -> None:
        if not (self.name.isidentifier() and self.name.isascii()):
            raise RnnedgeError(
                f"name is {self.name!r}, expected a C identifier (letters, digits, _)"
            )
        for option in _COUNTS:
            value = getattr(self, option)
            if value is not None and value < 1:
                raise RnnedgeError(f"{option} is {value}, expected at least 1")
        for option, known in (("task", (None, *TASKS)), ("class_weights", CLASS_WEIGHTS)):
            value = getattr(self, option)
            if value not in known:
                names = ", ".join(name for name in known if name)
                raise RnnedgeError(f"{option} is {value!r}, expected one of {names}")
        if list(self.horizons) != sorted(set(self.horizons)) or min(self.horizons, default=1) < 1:
            raise RnnedgeError(
                f"horizons are {self.horizons}, expected steps ahead of at least 1, rising"
            )
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
        for option in ("seed", "burn_in"):
            if getattr(self, option) < 0:
                raise RnnedgeError(f"{option} is {getattr(self, option)}, expected 0 or more")
        for group in self.rotate_groups or ():
            if len(group) != 3:
                raise RnnedgeError(f"rotate group {','.join(group)}: expected three channels")
        turned = [name for group in self.rotate_groups or () for name in group]
        for name in turned:
            if turned.count(name) > 1:
                raise RnnedgeError(f"rotate groups: {name} named twice")
        wrong = rate_error(self.rate)
        if wrong is not None:
            raise RnnedgeError(wrong)

    def changes(self, windows: int, task: str = "classify") -> Augmentation:
        """Return the changes of the training windows, given their number and the task.

        What does not fit the task is left out: `Augmentation.fitting`. Values (of a forecast and
        the like) are learnt as they are, unless a change is asked for.
        """
        chosen = self.augment
        if not isinstance(chosen, Augmentation):
            classes = task in ("classify", "label")
            usual = Augmentation.for_windows(windows) if classes else Augmentation()
            chosen = replace(usual, **(chosen or {}))
        return chosen.fitting(task)

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
