"""What an interrupted training leaves beside its run folder, and how it goes on.

::

    RUN.partial/
      begun.json      options, hashes of the data, versions: what must be the same to go on
      work            the unfinished folder beside the run, which a killed process leaves behind
      SEED/state.npz  weights, optimiser, best weights and figures after the last whole epoch
      SEED/model.keras  written when it is interrupted: the best weights so far
      SEED/run        a finished run, with --seeds
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import rnnedge
from rnnedge.archive import DAMAGED, read_npz
from rnnedge.data.readers.files import files_of
from rnnedge.errors import ModelError, OutputError, RnnedgeError
from rnnedge.kerasbackend import keras_version, quiet
from rnnedge.output import WORK_PREFIX, explained
from rnnedge.run import KERAS_FILE, DataFormat
from rnnedge.train.alone import alone
from rnnedge.train.options import TrainOptions

BEGUN, STATE, WORK = "begun.json", "state.npz", "work"
_ARRAYS = ("model", "optimizer", "best")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """A training after a whole epoch.

    Attributes:
        model: the model's variables, those of its dropout among them.
        optimizer: the optimiser's variables.
        best: weights of the best epoch so far, or empty.
        figures: what else the training must know, as JSON takes it.
    """

    model: Sequence[Any]
    optimizer: Sequence[Any]
    best: Sequence[Any]
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The place of one training in the folder RUN.partial.

    Attributes:
        folder: RUN.partial/SEED; made when there is something to keep.
    """

    folder: Path

    def save(self, state: State) -> None:
        """Keep a state, whole or not at all, in place of the one before.

        Raises:
            OutputError: it cannot be written.
        """
        arrays = {
            f"{part}_{index}": np.asarray(value)
            for part in _ARRAYS
            for index, value in enumerate(getattr(state, part))
        }
        text = np.frombuffer(json.dumps(state.figures).encode(), dtype=np.uint8)
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            fresh = self.folder / f"new-{STATE}"
            with fresh.open("wb") as file:
                np.savez(file, allow_pickle=False, figures=text, **arrays)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.folder / STATE)

    def load(self) -> State | None:
        """Return the state kept, or None if there is none.

        Raises:
            ModelError: it is damaged.
        """
        path = self.folder / STATE
        if not path.exists():
            return None
        try:
            found = read_npz(path)
            figures = json.loads(found.pop("figures").tobytes())
            parts = {
                part: [found[f"{part}_{index}"] for index in range(_count(found, part))]
                for part in _ARRAYS
            }
        except DAMAGED as error:
            raise ModelError(f"{path}: damaged ({error}); begin again with --force") from None
        return State(**parts, figures=figures)

    def keep_model(self, model: Any, best: Sequence[Any]) -> None:
        """Write the model of an interrupted training, for an export without the rest of it."""
        if not (self.folder / STATE).exists():
            return
        if best:
            model.set_weights(best)
        with quiet():
            model.save(self.folder / KERAS_FILE)


@dataclass(frozen=True, slots=True)
class Partial:
    """The folder RUN.partial of a training under way."""

    folder: Path

    def of(self, seed: int) -> Checkpoint:
        """Return the place of the training of a seed."""
        return Checkpoint(self.folder / str(seed))

    @property
    def begun(self) -> bool:
        """True if there is anything to go on from."""
        return any(self.folder.glob(f"*/{STATE}")) or any(self.folder.glob("*/run"))

    def working_in(self, work: Path) -> None:
        """Note the temporary folder in which the run is made.

        Raises:
            OutputError: the note cannot be written.
        """
        with explained(self.folder):
            (self.folder / WORK).write_text(str(work))

    def check_own(self, data: Sequence[str]) -> None:
        """Refuse a folder that no training made, or that holds the data.

        Raises:
            OutputError: names it.
        """
        if self.folder.is_symlink() or (self.folder.exists() and not self.folder.is_dir()):
            raise OutputError(f"{self.folder}: no folder; move it, or name another --out")
        if self.folder.is_dir() and not (self.folder / BEGUN).is_file():
            with explained(self.folder):
                if any(self.folder.iterdir()):
                    raise OutputError(
                        f"{self.folder}: in the way, and not of rnnedge train; move it, or name "
                        "another --out"
                    )
        for name in data:
            if Path(name).resolve().is_relative_to(self.folder):
                raise OutputError(
                    f"{name}: lies in {self.folder}, which a training begins anew; move it, or "
                    "name another --out"
                )

    def remove(self) -> None:
        """Remove the folder, once the run is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)


def partial_folder(out: Path) -> Path:
    """Return where an interrupted training of the run `out` is kept.

    Raises:
        OutputError: there is nothing beside `out`.
    """
    whole = out.resolve()
    if not whole.name:
        raise OutputError(f"{out}: no folder for a run; name one in it")
    return whole.with_name(f"{whole.name}.partial")


@contextmanager
def checkpointed(
    out: Path, statement: Mapping[str, Any], *, resume: bool, force: bool
) -> Iterator[Partial]:
    """Give the folder RUN.partial; it is gone where the block ends without anything to go on from.

    Args:
        out: the run folder to make.
        statement: what must be the same to go on (`statement`).
        resume: whether there must be a training to go on with; else there must be none.
        force: begin again where there is one.

    Raises:
        OutputError: there is none to go on with, or one that would be lost, or it was begun with
            other data or options.
    """
    partial = Partial(partial_folder(out))
    partial.check_own(list(statement.get("data", ())))
    here, folder = partial.begun, partial.folder
    if resume:
        if not here:
            raise OutputError(f"{folder}: no interrupted training here; leave --resume out")
        _check_same(folder, statement)
    elif here and not force:
        raise OutputError(
            f"{folder}: an interrupted training; go on with --resume, or begin again with --force"
        )
    else:
        with alone(folder), explained(folder):
            partial.remove()
            folder.mkdir(parents=True)
            (folder / BEGUN).write_text(json.dumps(statement, indent=2) + "\n")
    with alone(folder):
        try:
            yield partial
        except BaseException as error:
            hopeless = isinstance(error, RnnedgeError) and not isinstance(error, OutputError)
            if (hopeless and not resume) or not partial.begun:
                partial.remove()
            raise


def sweep(out: Path) -> None:
    """Remove the temporary folder that a killed training left in or beside its run `out`.

    Raises:
        OutputError: the training is still at work.
    """
    folder = partial_folder(out)
    with alone(folder), suppress(OSError, ValueError):
        left = Path((folder / WORK).read_text())
        if left.name.startswith(WORK_PREFIX) and left.parent in (out.resolve(), folder.parent):
            shutil.rmtree(left, ignore_errors=True)


def statement(
    data: Sequence[Path],
    test: Sequence[Path],
    options: TrainOptions,
    form: DataFormat,
    **other: Any,
) -> dict[str, Any]:
    """Return everything that decides the result of a training, as JSON takes it.

    Args:
        data: files and folders of the training.
        test: those of the test part.
        options: how to train.
        form: how the files are read.
        other: further options, by name.
    """
    versions = {"rnnedge": rnnedge.__version__, "keras": keras_version()}
    chosen = {**asdict(form), **asdict(replace(options, tensorboard=None)), **other}
    stated = {
        "options": chosen,
        "data": {str(path.resolve()): _hashes(path, form) for path in (*data, *test)},
        "versions": {**versions, "numpy": np.__version__},
    }
    plain: dict[str, Any] = json.loads(json.dumps(stated))
    return plain


def _hashes(path: Path, form: DataFormat) -> dict[str, str]:
    """Return the hash of each file of data in a folder, or of the file and of those it lists."""
    if not path.exists():
        return {}
    root = path if path.is_dir() else path.parent
    files = {os.path.relpath(item.path, root): item.path for item in files_of([path], form)}
    if path.is_file():
        files = {"": path, **{name: item for name, item in files.items() if item != path}}
    found = {}
    for name, file in sorted(files.items()):
        if file.is_file():
            with file.open("rb") as opened:
                found[name] = hashlib.file_digest(opened, "sha256").hexdigest()
    return found


def _check_same(folder: Path, now: Mapping[str, Any]) -> None:
    """Refuse to go on with something else.

    Raises:
        OutputError: names what has changed.
    """
    try:
        before = json.loads((folder / BEGUN).read_text())
        pairs = [(part, before[part], now[part]) for part in ("options", "versions", "data")]
        for part, old, new in pairs:
            for name in (*old, *(name for name in new if name not in old)):
                if old.get(name) == new.get(name):
                    continue
                if part == "data":
                    what = f"{_changed(name, old.get(name, {}), new.get(name, {}))} has changed"
                else:
                    what = f"{name} was {_said(old.get(name))}, now it is {_said(new.get(name))}"
                raise OutputError(
                    f"{folder}: {what}; go on with the same, or begin again with --force"
                )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputError(f"{folder}: damaged ({error}); begin again with --force") from None


def _changed(name: str, old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Name the first file that is not what it was."""
    names = (file for file in sorted({*old, *new}) if old.get(file) != new.get(file))
    file = next(names, "")
    listed = file and "" in {**old, **new}  # by a file
    return str(Path(name).parent / file if listed else Path(name, file))


def _said(value: Any) -> str:
    return "none" if value is None else json.dumps(value)


def _count(arrays: Mapping[str, Any], part: str) -> int:
    return sum(name.startswith(f"{part}_") for name in arrays)
