"""What a run keeps of its test part, and that it says so where that is not all."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from rnnedge.cli import main
from rnnedge.run import load_run, load_windows
from rnnedge.train.tasks import kept
from rnnedge.train.tasks.outline import Outline
from rnnedge.train.tasks.series import Series

SHAPE = Outline(task="map", channels=(("x", ""),), classes=("y",), targets=(("y", ""),))


def series(rows: int, first: float) -> Series:
    x = np.arange(first, first + rows, dtype=np.float32)[:, None]
    return Series(x=x, y=-x)


def test_long_recordings_are_kept_in_part_and_others_beside_them() -> None:
    parts = [series(250_000, 0), series(70, 1e6), series(250_000, 2e6)]
    windows = kept.kept_windows(SHAPE, dict.fromkeys(("train", "validation", "test"), parts), 64, 0)
    assert windows.stream is not None
    assert windows.stream_ptr is not None
    assert windows.stream_ptr.tolist() == [0, 200_000, 200_070, 400_070]
    assert windows.stream[[0, 200_000, 200_070], 0].tolist() == [0, 1e6, 2e6]
    assert windows.stream_y is not None
    assert (windows.stream_y == -windows.stream).all()
    assert kept.kept_share(windows, parts) == "400,070 of 500,070 steps"


def test_short_recordings_are_windows_where_most_are_short() -> None:
    """As the lines of a text, of which one alone may be as long as the window."""
    short = [series(rows, 10 * rows) for rows in range(2, 15)]
    windows = kept.kept_windows(SHAPE, dict.fromkeys(("train", "validation", "test"), short), 14, 0)
    for x, lengths in (
        (windows.X_test, windows.lengths_test),
        (windows.calibration, windows.lengths_calibration),
    ):
        assert x.shape == (13, 14, 1)
        assert lengths is not None
        assert sorted(lengths.tolist()) == list(range(2, 15))
    row = int(np.flatnonzero(windows.X_test[:, 0, 0] == 30)[0])
    assert windows.X_test[row, :, 0].tolist() == [30, 31, *12 * [32]]
    assert np.isnan(windows.y_test[row, 3:]).all()
    parts = [series(64, 0), series(640, 0), series(3, 0)]
    windows = kept.kept_windows(SHAPE, dict.fromkeys(("train", "validation", "test"), parts), 64, 0)
    assert (len(windows.X_test), windows.lengths_test) == (11, None)


def test_there_is_an_end_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MOST_VALUES", 1000)
    parts = [series(300, 0), series(200, 0), series(10, 0)]
    windows = kept.kept_windows(SHAPE, dict.fromkeys(("train", "validation", "test"), parts), 64, 0)
    assert kept.kept_share(windows, parts) == "500 of 510 steps"
    whole = Outline(task="generate", channels=(("x", ""),), classes=("x",), features=(("f", ""),))
    items = [
        Series(x=one.x, y=one.y, start=np.zeros(1, np.float32)) for one in 400 * [series(2, 0)]
    ]
    windows = kept.kept_windows(whole, dict.fromkeys(("train", "validation", "test"), items), 2, 0)
    assert kept.kept_share(windows, items) == "256 of 400 sequences"
    monkeypatch.setattr(kept, "_MOST_VALUES", 1600)
    windows = kept.kept_windows(whole, dict.fromkeys(("train", "validation", "test"), items), 2, 0)
    assert kept.kept_share(windows, items) == ""


def test_train_and_evaluate_say_what_they_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_LONGEST", 50)
    lines = [f"{np.sin(t / 3):.4f},{np.cos(t / 3):.4f}" for t in range(600)]
    (tmp_path / "a.csv").write_text("\n".join(["x,y", *lines]) + "\n")
    out = str(tmp_path / "run")
    words = ["--task", "forecast", "--units", "4", "--steps", "16", "--epochs", "1", "--out", out]
    done = CliRunner().invoke(main, ["train", str(tmp_path / "a.csv"), *words])
    assert done.exit_code == 0, done.output
    rows = load_run(tmp_path / "run").split["test"]["rows"]
    stream = load_windows(tmp_path / "run").stream
    assert stream is not None
    assert len(stream) == 50 < rows
    said = f"50 of {rows} steps"
    assert f"note: of the test part the run keeps {said}" in done.stderr
    judged = CliRunner().invoke(main, ["evaluate", out])
    assert f"note: of {said} of the test part, which the run keeps" in judged.stderr
    assert "50 steps" in judged.stdout


def test_characters_that_no_training_saw_are_named(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    words = ["train", str(text), "--text", "characters", "--units", "4", "--steps", "16"]
    words += ["--epochs", "1", "--force", "--out", str(tmp_path / "run")]
    for end, said in (("abcq Z cab ", True), ("abc cab bac ", False)):
        text.write_text("abc cab bac " * 60 + end * 20)
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output
        assert ("2 of 6 characters are not in the training part" in done.stderr) == said
        assert ("only in the others: 'Z', 'q'; the vocabulary" in done.stderr) == said
