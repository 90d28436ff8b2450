"""What is trained, on what, and what must come out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rnnedge.api.opened import open_run
from rnnedge.run import DataFormat
from rnnedge.spec import QuantizedModel

Figures = dict[str, float]
"""Of one training, by "float accuracy", "int8 accuracy" and the like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A bound on the mean (or the worst) of the seeds.

    Attributes:
        figure: a key of Figures.
        bound: what it must reach; of an error, what it must stay below.
        worst: the bound is for the worst seed instead of the mean.
        error: smaller is better.
    """

    figure: str
    bound: float
    worst: bool = False
    error: bool = False

    def met(self, values: list[float]) -> bool:
        """Tell whether the seeds' values meet it."""
        worst = max(values) if self.error else min(values)
        value = worst if self.worst else sum(values) / len(values)
        return value < self.bound if self.error else value >= self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A row of the table.

    Attributes:
        data: folder of the data set.
        name: what is learnt, for people; with `data` the key of the record.
        write: from the folder of the data set to the file that is trained on; it may write the
            test part beside it, "test" with the same suffix.
        options: of rnnedge.train.options.TrainOptions, but for the seed.
        measure: from the run folder and what api.fit returned to the figures.
        form: how the file is read.
        goals: what must come out.
        others: figures of simpler methods, from the data set's README.
        seeds: trainings.
        suffix: of the file.
    """

    data: str
    name: str
    write: Callable[[Path, Path], None]
    options: Mapping[str, Any]
    measure: Callable[[Path, Mapping[str, Any]], Figures]
    form: DataFormat = field(default_factory=DataFormat)
    goals: tuple[Goal, ...] = ()
    others: str = ""
    seeds: int = 5
    suffix: str = ".npz"

    @property
    def key(self) -> str:
        """Its key in the record."""
        return f"{self.data}: {self.name}"


def each_cell(case: Case, lstm: int, rnn: int) -> tuple[Case, ...]:
    """Return a case with its GRU, and the same for an LSTM and a plain RNN of other widths."""
    others = [
        replace(
            case,
            name=re.sub(r"GRU-[0-9]+", f"{cell.upper()}-{units}", case.name),
            options={**case.options, "cell": cell, "units": units},
            goals=(),
            seeds=2,
        )
        for cell, units in (("lstm", lstm), ("rnn", rnn))
    ]
    return (case, *others)


def classified(run: Path, document: Mapping[str, Any]) -> Figures:
    """Return the figures of a classification of windows."""
    found = {}
    for variant in ("float", "int8"):
        for figure in ("accuracy", "macro_f1"):
            found[f"{variant} {figure}"] = float(document["variants"][variant][figure])
    found["agreement"] = float(document["variants"]["int8"]["agreement"])
    return found


def constants(model: QuantizedModel) -> int:
    """Return the bytes of weights, biases and multipliers on the device."""
    from rnnedge.inspect.estimate import sizes

    return int(sizes(model)["c_constants_bytes"])


def model_of(run: Path) -> QuantizedModel:
    """Return the quantised model of a run folder."""
    return open_run(run)[1]
