"""A whole training: what it writes, that it repeats itself, and how it fails."""

import csv
import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.data.readers import read
from rnnedge.data.split import split
from rnnedge.errors import DataError, ModelError, OutputError
from rnnedge.kerasbackend import load_keras
from rnnedge.run import DataFormat, RunSpec, load_run, load_windows
from rnnedge.train.augment import Augmentation
from rnnedge.train.evaluate import classification_metrics, predict
from rnnedge.train.fit import TrainOptions, train_run
from rnnedge.train.progress import ProgressBar, Silent
from tests.train.helpers import waves_csv

FORM = DataFormat(recording="r")
QUICK: dict[str, Any] = {"units": 4, "window": 8, "hop": 4, "epochs": 3, "batch_size": 16}


def _train(folder: Path, source: Path, **other: Any) -> RunSpec:
    folder.mkdir()
    return train_run([source], [], TrainOptions(**(QUICK | other)), FORM, folder)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return waves_csv(tmp_path_factory.mktemp("waves") / "waves.csv")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, source: Path) -> Path:
    folder = tmp_path_factory.mktemp("run") / "run"
    _train(folder, source, rate=50.0, name="waves", channel_units={"y": "mA"})
    return folder


def _weights(folder: Path) -> str:
    digest = hashlib.sha256()
    for weight in load_keras(folder / "model.keras").get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest()


def test_a_run_folder_describes_itself(run: Path) -> None:
    assert {path.name for path in run.iterdir()} == {
        "run.json",
        "model.keras",
        "windows.npz",
        "history.csv",
    }
    spec = load_run(run)
    assert (spec.name, spec.cell, spec.units, spec.window, spec.hop) == ("waves", "gru", 4, 8, 4)
    assert spec.rate == 50.0
    assert spec.classes == ("fast", "slow")
    assert [(channel.name, channel.unit) for channel in spec.channels] == [
        ("x", "V"),
        ("y", "mA"),
    ]
    assert spec.data_format == FORM
    assert spec.training["seed"] == 0
    windows = load_windows(run)
    assert windows.calibration.shape[1:] == windows.X_test.shape[1:] == (8, 2)
    assert len(windows.X_test) == spec.split["test"]["windows"]
    assert len(windows.calibration) == min(256, spec.split["train"]["windows"])
    with (run / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert set(rows[0]) >= {"loss", "accuracy", "validation_loss", "validation_accuracy"}


def test_the_model_holds_the_normalisation_of_the_run(run: Path) -> None:
    layer = load_keras(run / "model.keras").layers[0]
    for index, channel in enumerate(load_run(run).channels):
        assert layer.get_config()["mean"][index] == pytest.approx(channel.mean)
        assert layer.get_config()["variance"][index] == pytest.approx(channel.std**2)


def test_calibration_windows_are_no_test_windows(run: Path) -> None:
    windows = load_windows(run)
    test = {window.tobytes() for window in windows.X_test}
    assert not test & {window.tobytes() for window in windows.calibration}


def test_the_same_seed_gives_the_same_weights_in_another_process(
    tmp_path: Path, source: Path, run: Path
) -> None:
    (tmp_path / "again").mkdir()
    code = (
        "import sys; from pathlib import Path; from tests.train import test_fit\n"
        "test_fit._train(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    environment = os.environ | {
        "TF_NUM_INTRAOP_THREADS": "2",
        "TF_NUM_INTEROP_THREADS": "2",
    }
    again = tmp_path / "again" / "run"
    subprocess.run(
        [sys.executable, "-c", code, str(again), str(source)],
        env=environment,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    assert _weights(again) == _weights(run)


def test_another_seed_gives_other_weights(tmp_path: Path, source: Path, run: Path) -> None:
    _train(tmp_path / "run", source, seed=1)
    assert _weights(tmp_path / "run") != _weights(run)


def test_it_learns(tmp_path: Path, source: Path) -> None:
    unchanged = Augmentation()
    _train(tmp_path / "run", source, epochs=60, learning_rate=0.03, augment=unchanged)
    windows = load_windows(tmp_path / "run")
    probabilities = predict(tmp_path / "run" / "model.keras", windows.X_test)
    assert probabilities.dtype == np.float32
    assert (probabilities.argmax(axis=1) == windows.y_test).mean() > 0.9


def test_epochs_are_reported_until_patience_ends_and_the_best_is_kept(
    tmp_path: Path, source: Path
) -> None:
    class Listener(Silent):
        def __init__(self) -> None:
            self.total = 0
            self.epochs: list[int] = []
            self.notes: list[str] = []

        def note(self, text: str) -> None:
            self.notes.append(text)

        def start(self, total: int) -> None:
            self.total = total

        def update(self, epoch: int, figures: Mapping[str, float]) -> None:
            assert figures["loss"] > 0
            assert 0 <= figures["accuracy"] <= 1
            assert 0 <= figures["validation_accuracy"] <= 1
            self.epochs.append(epoch)

    listener = Listener()
    hasty = QUICK | {"epochs": 40, "learning_rate": 1.0, "patience": 1}
    spec = train_run([source], [], TrainOptions(**hasty), FORM, tmp_path, listener)
    assert listener.total == 40
    assert len(listener.epochs) == spec.training["epochs"] < 40
    assert listener.epochs == list(range(1, len(listener.epochs) + 1))
    assert spec.training["best_epoch"] == spec.training["epochs"] - 1
    assert listener.notes[0] == "channels: x [V], y"
    assert [line.split(":")[0] for line in listener.notes[1:4]] == ["train", "validation", "test"]
    assert listener.notes[-1].startswith(f"trained {len(listener.epochs)} epochs")

    shares = {"validation_fraction": 0.15, "test_fraction": 0.2}
    parts = split(read([source], FORM), None, window=8, hop=4, seed=0, **shares)
    probabilities = predict(tmp_path / "model.keras", parts.validation.X)
    right = probabilities[np.arange(len(parts.validation)), parts.validation.y]
    kept = -np.log(np.maximum(right, 1e-7)).mean()
    assert kept == pytest.approx(spec.training["validation_loss"], rel=1e-3)


def test_without_a_terminal_lines_go_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as bar:
        bar.start(2)
        bar.update(1, {"loss": 0.5, "accuracy": 0.5, "validation_accuracy": 0.5})
        bar.note("[b] as it is")
    out, err = capfd.readouterr()
    assert out == ""
    assert err == "epoch 1/2  loss 0.500  accuracy 0.500  validation 0.500\n[b] as it is\n"


def test_a_loss_that_is_no_number_is_an_error(tmp_path: Path, source: Path) -> None:
    with pytest.raises(ModelError, match="learning rate below"):
        _train(tmp_path / "run", source, learning_rate=1e38)


def test_test_data_in_another_unit_is_refused(tmp_path: Path, source: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text(source.read_text().replace("[V]", "[mV]"))
    with pytest.raises(DataError, match=r"'x' is in \[mV\], the training data in \[V\]"):
        train_run([source], [other], TrainOptions(**QUICK), FORM, tmp_path)


def test_a_missing_folder_is_named_before_anything_is_read(tmp_path: Path, source: Path) -> None:
    with pytest.raises(OutputError, match="none: no such folder"):
        train_run([source.parent / "nothing"], [], TrainOptions(**QUICK), FORM, tmp_path / "none")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_model_cut_short_is_an_error_of_one_line(tmp_path: Path, run: Path, share: float) -> None:
    whole = (run / "model.keras").read_bytes()
    (tmp_path / "model.keras").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ModelError, match="cut short|damaged") as error:
        predict(tmp_path / "model.keras", np.zeros((1, 8, 2), dtype=np.float32))
    assert "\n" not in str(error.value)


def test_a_foreign_zip_is_an_error(tmp_path: Path) -> None:
    np.savez(tmp_path / "model.npz", a=1)
    (tmp_path / "model.npz").rename(tmp_path / "model.keras")
    with pytest.raises(ModelError, match="no Keras 3 model"):
        predict(tmp_path / "model.keras", np.zeros((1, 8, 2), dtype=np.float32))


def test_a_missing_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        load_keras(tmp_path / "model.keras")


def test_windows_of_another_shape_are_refused(run: Path) -> None:
    with pytest.raises(ModelError, match=r"takes windows of \(8, 2\)"):
        predict(run / "model.keras", np.zeros((1, 9, 2), dtype=np.float32))


def test_metrics_count_right_and_wrong() -> None:
    y, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    metrics = classification_metrics(y, predicted, ("a", "b", "c"))
    assert metrics["accuracy"] == 0.75
    assert metrics["confusion"] == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert metrics["windows"] == 4


def test_readers_start_without_tensorflow_or_scikit_learn() -> None:
    code = (
        "import sys, rnnedge.train.fit, rnnedge.train.evaluate, rnnedge.data.motor\n"
        "loaded = {'tensorflow', 'keras', 'sklearn', 'pandas', 'scipy'} & set(sys.modules)\n"
        "sys.exit(', '.join(loaded) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
