"""Interrupted trainings: what they leave, that they go on to the same bits, what is refused."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.errors import DataError, ModelError, OutputError
from rnnedge.kerasbackend import load_keras
from rnnedge.run import DataFormat, RunSpec
from rnnedge.train.checkpoint import (
    Checkpoint,
    State,
    checkpointed,
    partial_folder,
    statement,
    sweep,
)
from rnnedge.train.fit import train_run
from rnnedge.train.options import TrainOptions
from tests.train.helpers import Interrupting, waves_csv

FORM = DataFormat(recording="r")
QUICK: dict[str, Any] = {"units": 4, "window": 8, "hop": 4, "epochs": 6, "batch_size": 16}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return waves_csv(tmp_path_factory.mktemp("waves") / "waves.csv")


def _train(folder: Path, source: Path, checkpoint: Checkpoint, stop: int, **other: Any) -> RunSpec:
    folder.mkdir(exist_ok=True)
    options = TrainOptions(**(QUICK | other))
    return train_run([source], [], options, FORM, folder, Interrupting(stop), checkpoint)


def _result(folder: Path) -> tuple[str, str]:
    digest = hashlib.sha256()
    for weight in load_keras(folder / "model.keras").get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest(), (folder / "history.csv").read_text()


def test_an_interrupted_training_gives_the_same_bits(tmp_path: Path, source: Path) -> None:
    other = {"dropout": 0.2}  # which has a state of its own
    _train(tmp_path / "whole", source, Checkpoint(tmp_path / "unused"), stop=-1, **other)
    checkpoint = Checkpoint(tmp_path / "partial")
    with pytest.raises(KeyboardInterrupt):
        _train(tmp_path / "again", source, checkpoint, stop=4, **other)
    assert load_keras(tmp_path / "partial" / "model.keras").input_shape == (None, 8, 2)
    _train(tmp_path / "again", source, checkpoint, stop=-1, **other)
    assert _result(tmp_path / "again") == _result(tmp_path / "whole")

    listener = Interrupting(-1)  # what has ended is not trained again
    options = TrainOptions(**(QUICK | other))
    (tmp_path / "third").mkdir()
    train_run([source], [], options, FORM, tmp_path / "third", listener, checkpoint)
    assert listener.seen == []
    assert _result(tmp_path / "third") == _result(tmp_path / "whole")


def _state(**figures: Any) -> State:
    return State(model=[np.arange(3.0)], optimizer=[np.int64(7)], best=[], figures=figures)


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "a" / "b")
    assert checkpoint.load() is None
    checkpoint.save(_state(epochs=[{"loss": 0.1 + 0.2}]))
    checkpoint.save(_state(epochs=[{"loss": 0.1 + 0.2}], best=1))
    state = checkpoint.load()
    assert state is not None
    assert state.figures == {"epochs": [{"loss": 0.1 + 0.2}], "best": 1}
    np.testing.assert_array_equal(state.model[0], np.arange(3.0))
    assert state.optimizer[0].dtype == np.int64
    assert list(state.best) == []
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["state.npz"]


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_damaged_state_is_an_error_of_one_line(tmp_path: Path, share: float) -> None:
    checkpoint = Checkpoint(tmp_path)
    checkpoint.save(_state())
    path = tmp_path / "state.npz"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ModelError, match="damaged .*begin again with --force"):
        checkpoint.load()


def _begun(out: Path, stated: dict[str, Any], *, resume: bool = False, force: bool = False) -> None:
    with checkpointed(out, stated, resume=resume, force=force) as partial:
        partial.of(0).save(_state())
        raise KeyboardInterrupt


def test_what_is_begun_stays_until_it_ends_well(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "run"
    stated = statement([source], [], TrainOptions(), FORM)
    with pytest.raises(OutputError, match=r"run\.partial: no interrupted training here"):
        _begun(out, stated, resume=True)
    with pytest.raises(KeyboardInterrupt):
        _begun(out, stated)
    with pytest.raises(OutputError, match="go on with --resume, or begin again with --force"):
        _begun(out, stated)
    with pytest.raises(KeyboardInterrupt):
        _begun(out, stated, resume=True)
    with checkpointed(out, stated, resume=True, force=False) as partial:
        assert partial.of(0).load() is not None
    partial.remove()
    assert not partial_folder(out).exists()


def test_force_begins_again(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        _begun(tmp_path / "run", {})
    with checkpointed(tmp_path / "run", {}, resume=False, force=True) as partial:
        assert partial.of(0).load() is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, DataError])
def test_nothing_is_left_of_what_had_no_epoch(tmp_path: Path, error: type[BaseException]) -> None:
    with (
        pytest.raises(error),
        checkpointed(tmp_path / "run", {}, resume=False, force=False),
    ):
        raise error("before the first epoch")
    assert list(tmp_path.iterdir()) == []


def test_other_options_and_other_data_are_refused_by_name(tmp_path: Path, source: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "waves.csv").write_bytes(source.read_bytes())
    out, usual = tmp_path / "run", TrainOptions(units=4, seed=3)
    with pytest.raises(KeyboardInterrupt):
        _begun(out, statement([data], [], usual, FORM))
    for options, form, text in (
        (TrainOptions(units=5, seed=3), FORM, "units was 4, now it is 5"),
        (TrainOptions(units=4, seed=3, augment={"mix": 0.5}), FORM, "augment was none, now"),
        (usual, DataFormat(), 'recording was "r", now it is none'),
    ):
        with pytest.raises(OutputError, match=text):
            _begun(out, statement([data], [], options, form), resume=True)
    with pytest.raises(OutputError, match="input_bits was none, now it is 8"):
        _begun(out, statement([data], [], usual, FORM, input_bits=8), resume=True)
    (data / "waves.csv").write_bytes(source.read_bytes() + b"\n")
    with pytest.raises(OutputError, match=r"data/waves\.csv has changed"):
        _begun(out, statement([data], [], usual, FORM), resume=True)
    (tmp_path / "list.csv").write_text("file,label\ndata/waves.csv,a\n")
    listed = tmp_path / "list.csv"
    with pytest.raises(KeyboardInterrupt):
        _begun(out, statement([listed], [], usual, FORM), force=True)
    (data / "waves.csv").write_bytes(source.read_bytes())
    with pytest.raises(OutputError, match=r"[^v]/data/waves\.csv has changed"):
        _begun(out, statement([listed], [], usual, FORM), resume=True)
    (partial_folder(out) / "begun.json").write_text("[]")
    with pytest.raises(OutputError, match="damaged"):
        _begun(out, statement([data], [], usual, FORM), resume=True)


def test_two_trainings_of_one_run_are_not_at_work_at_once(tmp_path: Path) -> None:
    out = tmp_path / "run"
    nothing: dict[str, Any] = {"options": {}, "versions": {}, "data": {}}
    with checkpointed(out, nothing, resume=False, force=False) as partial:
        partial.of(0).save(_state())
        work = tmp_path / ".rnnedge-x"
        work.mkdir()
        partial.working_in(work)
        for call in (
            lambda: sweep(out),
            lambda: _begun(out, nothing, resume=True),
            lambda: _begun(out, nothing, force=True),
        ):
            with pytest.raises(OutputError, match="another training is at work here"):
                call()
        assert work.is_dir()


def test_what_a_killed_training_left_beside_its_run_is_removed(tmp_path: Path) -> None:
    """Nothing else is, whatever the note says."""
    out, other = tmp_path / "run", tmp_path / "precious"
    for place, gone in (
        (tmp_path / ".rnnedge-a", True),
        (out / ".rnnedge-b", True),
        (other, False),
    ):
        place.mkdir(parents=True)
        with (
            pytest.raises(KeyboardInterrupt),
            checkpointed(out, {}, resume=False, force=True) as partial,
        ):
            partial.of(0).save(_state())
            partial.working_in(place)
            raise KeyboardInterrupt
        sweep(out)
        assert place.exists() != gone


def test_a_folder_of_the_user_is_left_alone(tmp_path: Path, source: Path) -> None:
    folder = tmp_path / "run.partial"
    folder.mkdir()
    (folder / "notes.txt").write_text("precious")
    with pytest.raises(OutputError, match=r"run\.partial: in the way"):
        _begun(tmp_path / "run", {"data": {}}, force=True)
    assert (folder / "notes.txt").read_text() == "precious"

    (tmp_path / "file.partial").write_text("")
    (tmp_path / "link.partial").symlink_to(folder)
    for name in ("file", "link"):
        with pytest.raises(OutputError, match="no folder"):
            _begun(tmp_path / name, {"data": {}})
    with pytest.raises(OutputError, match="no folder for a run"):
        partial_folder(Path("/"))


def test_data_within_what_would_be_begun_anew_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run.partial"
    folder.mkdir()
    (folder / "begun.json").write_text("{}")
    data = folder / "data.csv"
    data.write_text("x\n1\n")
    with pytest.raises(OutputError, match=r"data\.csv: lies in"):
        _begun(tmp_path / "run", statement([data], [], TrainOptions(), FORM), force=True)
    assert data.exists()


def test_the_same_data_by_another_path_is_the_same(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source.parent)
    usual = TrainOptions()
    short, long = Path(source.name), source.parent / ".." / source.parent.name / source.name
    assert statement([short], [], usual, FORM) == statement([long], [], usual, FORM)


def test_the_state_of_another_model_is_an_error_of_one_line(tmp_path: Path, source: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "partial")
    with pytest.raises(KeyboardInterrupt):
        _train(tmp_path / "again", source, checkpoint, stop=1, epochs=2)
    with pytest.raises(ModelError, match="of another model, or damaged") as error:
        _train(tmp_path / "again", source, checkpoint, stop=-1, epochs=2, units=5)
    assert "\n" not in str(error.value)


def test_a_run_among_its_data_is_no_data(tmp_path: Path, source: Path) -> None:
    (tmp_path / "a.csv").write_bytes(source.read_bytes())
    out, usual = tmp_path / "run", TrainOptions()
    with pytest.raises(KeyboardInterrupt):
        _begun(out, statement([tmp_path], [], usual, FORM))
    with pytest.raises(KeyboardInterrupt):
        _begun(out, statement([tmp_path], [], usual, FORM), resume=True)
