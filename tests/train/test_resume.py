"""Trainings that were cut short go on to the same bits: every task, a killed process, seeds."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from rnnedge.cli import main
from rnnedge.kerasbackend import load_keras
from rnnedge.run import DataFormat
from rnnedge.train.checkpoint import Checkpoint
from rnnedge.train.fit import train_run
from rnnedge.train.options import TrainOptions
from tests.train.helpers import Interrupting

QUICK: dict[str, Any] = {"units": 4, "steps": 8, "epochs": 5, "lanes": 4, "dropout": 0.2}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten recordings whose wave changes its pace, and the pace, row by row."""
    rng = np.random.default_rng(3)
    lines = ["r,x,y,label"]
    for number in range(10):
        fast = np.repeat(rng.random(6) < 0.5, 15)
        phase = np.cumsum(np.where(fast, 1.2, 0.3))
        for a, quick in zip(phase, fast, strict=True):
            lines.append(f"{number},{np.sin(a):.4f},{np.cos(a):.4f},{'fast' if quick else 'slow'}")
    path = tmp_path_factory.mktemp("waves") / "waves.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def _files(folder: Path) -> dict[str, Any]:
    weights = {
        path.name: [weight.tobytes() for weight in load_keras(path).get_weights()]
        for path in folder.glob("*.keras")
    }
    return {**weights, "history": (folder / "history.csv").read_text()}


@pytest.mark.parametrize(
    ("task", "cell", "more"),
    [
        ("label", "lstm", {"class_weights": "balanced", "burn_in": 2}),
        ("forecast", "gru", {"horizons": (1, 3), "augment": {"jitter": 0.1}}),
    ],
)
def test_a_streaming_training_goes_on_to_the_same_bits(
    tmp_path: Path, source: Path, task: str, cell: str, more: dict[str, Any]
) -> None:
    options = TrainOptions(task=task, cell=cell, **QUICK, **more)
    form = DataFormat(recording="r", ignore=() if task == "label" else ("label",))

    def run(name: str, stop: int, checkpoint: Path) -> list[int]:
        listener = Interrupting(stop)
        (tmp_path / name).mkdir(exist_ok=True)
        place = Checkpoint(checkpoint)
        train_run([source], [], options, form, tmp_path / name, listener, place)
        return listener.seen

    run("whole", -1, tmp_path / "unused")
    held = tmp_path / "partial"
    with pytest.raises(KeyboardInterrupt):
        run("again", 3, held)
    assert load_keras(held / "model.keras").output_shape[:2] == (None, None)
    assert run("again", -1, held) == [4, 5]
    assert _files(tmp_path / "again") == _files(tmp_path / "whole")


def test_a_killed_process_goes_on_within_its_second_seed(tmp_path: Path, source: Path) -> None:
    """No handler runs: what is left is what each epoch had written."""
    out, partial = tmp_path / "run", tmp_path / "run.partial"
    words = [
        "train", source, "--task", "label", "--recording", "r", "--units", 4, "--steps", 8,
        "--lanes", 4, "--epochs", 10, "--seeds", 2, "--name", "net",
    ]  # fmt: skip
    command = [sys.executable, "-m", "rnnedge", *map(str, words), "--quiet", "--out", str(out)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ) as process:
        until = time.monotonic() + 300
        while not (partial / "1" / "state.npz").exists() and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert (partial / "0" / "run" / "run.json").exists()
    assert not (partial / "1" / "run").exists()
    assert list(tmp_path.glob(".rnnedge-*"))  # which the next call removes

    def call(*more: object) -> Any:
        return CliRunner().invoke(main, [*map(str, words), *map(str, more)])

    refused = call("--out", out)
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"Error: {partial}: an interrupted training; go on with")
    other = call("--out", out, "--resume", "--seed", 1)
    assert other.exit_code == 1
    assert "seed was 0, now it is 1; go on with the same" in other.stderr
    assert len(other.stderr.splitlines()) == 1
    done = call("--out", out, "--resume")
    assert done.exit_code == 0, done.output
    assert "seed 1, 2 of 2" in done.stderr
    assert "seed 0" not in done.stderr  # it was whole, and is not trained again
    assert "epoch 1/10" not in done.stderr
    whole = call("--out", tmp_path / "whole")
    assert whole.exit_code == 0, whole.output
    assert _files(out) == _files(tmp_path / "whole")
    metrics = [(folder / "metrics.json").read_text() for folder in (out, tmp_path / "whole")]
    assert metrics[0] == metrics[1]
    assert {path.name for path in tmp_path.iterdir()} == {"run", "whole"}
