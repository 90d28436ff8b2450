"""What every training leaves: models, windows, the statement of what happened, the epochs."""

import csv
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rnnedge
from rnnedge.errors import OutputError
from rnnedge.kerasbackend import keras, quiet
from rnnedge.run import HISTORY_FILE, Channel, DataFormat, RunSpec, Windows
from rnnedge.train.optimise import History
from rnnedge.train.options import TrainOptions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A finished training.

    Attributes:
        models: keras.Sequential by the name of its file in the run folder.
        windows: what the run keeps of the data.
        spec: run.json.
        history: the epochs.
    """

    models: Mapping[str, Any]
    windows: Windows
    spec: RunSpec
    history: History

    def save(self, folder: Path) -> None:
        """Write the files of a run into an existing, empty folder.

        Raises:
            OutputError: they cannot be written.
        """
        with _writing(folder):
            with quiet():
                for name, model in self.models.items():
                    model.save(folder / name)
            self.windows.save(folder)
            self.spec.save(folder)
            _write_history(folder, self.history)


def described(options: TrainOptions, form: DataFormat, rate: float | None) -> dict[str, Any]:
    """Return the fields of a RunSpec that options and data decide, whatever the task.

    Args:
        options: how it was trained.
        form: how the files were read.
        rate: samples per second by the time stamps, or None; the options go first.
    """
    return {
        "name": options.name,
        "cell": options.cell,
        "units": options.units,
        "layers": options.layers,
        "reset_after": options.reset_after,
        "rate": options.rate or rate,
        "data_format": form,
        "rnnedge": rnnedge.__version__,
    }


def happened(options: TrainOptions, history: History, **more: Any) -> dict[str, Any]:
    """State a training, for run.json.

    Args:
        options: how it was trained.
        history: its epochs; figures of the best one that are numbers are stated.
        more: what else is to be stated.
    """
    figures = history.epochs[history.best]
    return {
        "seed": options.seed,
        "epochs": len(history.epochs),
        "best_epoch": history.best + 1,
        "learning_rate": options.learning_rate,
        "dropout": options.dropout,
        "rate_said": options.rate is not None,
        **more,
        **{name: value for name, value in figures.items() if math.isfinite(value)},
        "keras": keras().__version__,
    }


def with_units(channels: tuple[Channel, ...], options: TrainOptions) -> tuple[Channel, ...]:
    """Give channels the units of measure that the options name."""
    given = options.channel_units
    return tuple(
        Channel(name=c.name, unit=given.get(c.name, c.unit), mean=c.mean, std=c.std)
        for c in channels
    )


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error})") from None


def _write_history(folder: Path, history: History) -> None:
    """Write history.csv."""
    with (folder / HISTORY_FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["epoch", *history.epochs[0]])
        for epoch, figures in enumerate(history.epochs, 1):
            writer.writerow([epoch, *(f"{value:.6g}" for value in figures.values())])
