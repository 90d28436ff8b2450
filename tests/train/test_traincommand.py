"""rnnedge train: interrupts and going on, several seeds, quiet and flat output."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rnnedge.commands.train import train
from rnnedge.errors import OutputError, ToolError
from rnnedge.kerasbackend import load_keras
from rnnedge.output import explained
from rnnedge.run import DataFormat, load_run
from rnnedge.train.checkpoint import Checkpoint
from rnnedge.train.options import TrainOptions
from rnnedge.train.progress import ProgressBar, Silent
from rnnedge.train.seeds import summary
from tests.train.helpers import waves_csv

QUICK = ("--recording", "r", "--window", "8", "--hop", "4", "--units", "4", "--batch-size", "16")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return waves_csv(tmp_path_factory.mktemp("waves") / "waves.csv")


def _call(*words: object) -> Any:
    return CliRunner().invoke(train, [*map(str, words)], catch_exceptions=False)


def _weights(folder: Path) -> list[bytes]:
    return [weight.tobytes() for weight in load_keras(folder / "model.keras").get_weights()]


def test_an_interrupt_says_how_to_go_on_and_resume_gives_the_same_bits(
    tmp_path: Path, source: Path
) -> None:
    out, partial = tmp_path / "run", tmp_path / "run.partial"
    words = ["train", source, *QUICK, "--epochs", 20]
    command = [sys.executable, "-m", "rnnedge", *map(str, words), "--out", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        until = time.monotonic() + 120
        while not (partial / "0" / "state.npz").exists() and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert errors.splitlines()[-1].startswith(f"interrupted; what was trained is in {partial}")
    assert errors.splitlines()[-1].endswith("go on with the same command and --resume")
    assert "Traceback" not in errors
    assert {path.name for path in tmp_path.iterdir()} == {"run.partial"}
    assert load_keras(partial / "0" / "model.keras").input_shape == (None, 8, 2)
    done = _call(source, *QUICK, "--epochs", 20, "--out", out, "--resume", "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    whole = _call(source, *QUICK, "--epochs", 20, "--out", tmp_path / "whole", "--json")
    assert json.loads(whole.stdout)["windows"] > 0
    assert "epoch 20/20" in whole.stderr
    assert _weights(out) == _weights(tmp_path / "whole")
    assert (out / "history.csv").read_text() == (tmp_path / "whole" / "history.csv").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"run", "whole"}


def test_several_seeds_keep_the_best_validation_and_tell_the_spread(
    tmp_path: Path, source: Path
) -> None:
    out, logs = tmp_path / "run", tmp_path / "logs"
    seeds = ("--epochs", 2, "--seed", 3, "--seeds", 2, "--tensorboard", logs)
    done = _call(source, *QUICK, *seeds, "--out", out)
    assert done.exit_code == 0, done.output
    assert "2 seeds; kept" in done.stdout
    for part in ("train", "validation"):
        assert list((logs / "seed-4" / part).glob("events.out.tfevents*"))
    metrics = json.loads((out / "metrics.json").read_text())
    told = metrics["seeds"]
    assert told["seeds"] == [3, 4]
    best = told["seeds"][told["validation_loss"].index(min(told["validation_loss"]))]
    assert told["kept"] == best == load_run(out).training["seed"]
    for variant in ("float", "int8"):
        accuracy = told["variants"][variant]["accuracy"]
        assert accuracy["values"][best - 3] == metrics["variants"][variant]["accuracy"]
        assert accuracy["mean"] == pytest.approx(sum(accuracy["values"]) / 2)
        assert accuracy["worst"] == min(accuracy["values"])
    assert load_run(out).split["seed"] == 3
    assert {path.name for path in tmp_path.iterdir()} == {"run", "logs"}
    one = _call(source, *QUICK, "--epochs", 2, "--seed", 3, "--out", tmp_path / "one", "--quiet")
    assert one.exit_code == 0
    alone = load_run(tmp_path / "one").training["validation_loss"]
    assert alone == told["validation_loss"][0]


def test_a_missing_tensorboard_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ToolError, match="pip install tensorboard"):
        _call(source, *QUICK, "--out", tmp_path / "run", "--tensorboard", tmp_path / "logs")
    assert list(tmp_path.iterdir()) == []


def test_of_an_error_the_largest_is_the_worst() -> None:
    runs = {
        seed: {"variants": {"int8": {"rmse": value, "accuracy": value, "windows": 3}}}
        for seed, value in ((0, 1.0), (1, 3.0), (2, 2.0))
    }
    told = summary(runs, dict.fromkeys(runs, 0.5), 0)["variants"]["int8"]
    assert set(told) == {"rmse", "accuracy"}
    assert told["rmse"]["worst"] == 3
    assert told["accuracy"]["worst"] == 1
    assert told["rmse"]["deviation"] == 1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--augment", "spin=1"], "jitter, scale, rotate"),
        (["--augment", "jitter=-1"], "jitter is -1"),
        (["--rotate-groups", "ax,ay"], "expected three channels"),
        (["--rotate-groups", "x,y,x"], "x named twice"),
        (["--rotate-groups", "x,y,z", "--rotate-groups", "a,b,z"], "z named twice"),
        (["--horizon", "24,1,24"], "24 named twice"),
        (["--channels", "x,y,x"], "x named twice"),
        (["--out", ""], "'--out': the path is empty"),
        ([""], "'DATA...': the path is empty"),
        (["--horizon", "1,x"], "expected steps ahead"),
        (["--task", "sing"], "classify"),
        (["--resume"], "no interrupted training here"),
        (["--rotate-groups", "a,b,c"], "no channel 'a', only x, y"),
    ],
)
def test_wrong_options_are_named(tmp_path: Path, source: Path, words: list[str], text: str) -> None:
    command = ["train", str(source), *QUICK, "--out", str(tmp_path / "run"), *words]
    from rnnedge.cli import main

    done = CliRunner().invoke(main, command)
    assert done.exit_code != 0
    assert text in done.stderr
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_signal_keeps_its_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fit(*_: Any, **__: Any) -> Any:
        (tmp_path / "run.partial").mkdir()
        raise SystemExit(128 + signal.SIGTERM)  # as rnnedge.cli does

    monkeypatch.setattr("rnnedge.api.fit", fit)
    done = _call("x.csv", "--out", tmp_path / "run")
    assert done.exit_code == 128 + signal.SIGTERM
    assert "--resume" in done.stderr


def test_options_arrive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def fit(data: Any, out: Any, **other: Any) -> Any:
        seen.update(other)
        raise KeyboardInterrupt

    monkeypatch.setattr("rnnedge.api.fit", fit)
    words = "--task forecast --horizon 24,1 --steps 50 --lanes 4 --burn-in 5 --seeds 3"
    more = "--class-weights balanced --augment jitter=0.2 --rotate-groups a,b,c --target b --quiet"
    done = _call("x.csv", "--out", tmp_path / "run", *words.split(), *more.split())
    assert done.exit_code == 130
    assert done.stderr == "interrupted before the end of an epoch; nothing was kept\n"
    options, form = seen["options"], seen["form"]
    assert isinstance(options, TrainOptions)
    assert isinstance(form, DataFormat)
    assert (options.task, options.horizons, options.steps) == ("forecast", (1, 24), 50)
    assert (options.lanes, options.burn_in, options.seeds) == (4, 5, 3)
    assert (options.class_weights, options.augment) == ("balanced", {"jitter": 0.2})
    assert options.rotate_groups == (("a", "b", "c"),)
    assert form.targets == ("b",)
    assert isinstance(seen["progress"], Silent)


def test_without_a_terminal_stages_write_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as bar, bar.stage("reading") as tell:
        tell(0.5)
    assert capfd.readouterr() == ("", "")


def test_on_a_terminal_stages_and_epochs_are_drawn(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with ProgressBar() as bar:
        with bar.stage("reading") as tell:
            tell(0.5)
            bar.refresh()
        bar.start(2)
        bar.update(1, {"loss": 0.5, "validation_loss": 0.25})
        bar.refresh()
    drawn = capfd.readouterr().err
    for text in ("reading", "50 %", "epoch 1/2", "validation 0.250"):
        assert text in drawn


def test_a_full_disk_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: Path
) -> None:
    saved = Checkpoint.save

    def full(self: Checkpoint, state: Any) -> None:
        if (self.folder / "state.npz").exists():
            with explained(self.folder):
                raise OSError(28, "No space left on device")
        saved(self, state)

    words = (source, *QUICK, "--epochs", 3, "--out", tmp_path / "run", "--quiet")
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", full)
        with pytest.raises(OutputError, match=r"No space.*free some space, then go on.*resume"):
            _call(*words)
    assert _call(*words, "--resume").exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"run"}
