"""What the commands print of a run's figures."""

from pathlib import Path
from typing import Any

import pytest

from rnnedge.commands.common import confusion
from rnnedge.commands.figures import baseline_notes, figures
from tests.cli import rnnedge
from tests.taskmodels import task_model
from tests.taskruns import make_task_run

CLASSES = ("0", "1")


def _classes(accuracy: float, baseline: float) -> dict[str, Any]:
    own = {"accuracy": accuracy, "macro_f1": 0.5, "nats": 0.1}
    simple = {"class": " ", "accuracy": baseline, "macro_f1": 0.3}
    return {"variants": {"float": own, "int8": own}, "baselines": {"majority": simple}}


def _values(rmse: float, **baselines: float) -> dict[str, Any]:
    def of(value: float) -> dict[str, Any]:
        return {"mse_normalised": value**2, "rmse_normalised": value, "outputs": [{"rmse": value}]}

    beside = {name.replace("_", ", "): of(value) for name, value in baselines.items()}
    return {"classes": ["OT +1"], "variants": {"int8": of(rmse)}, "baselines": beside}


def test_many_classes_are_shown_by_their_worst_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    classes = [f"c{index}" for index in range(20)]
    matrix = [[50 if true == said else 0 for said in range(20)] for true in range(20)]
    matrix[3][7], matrix[4][5] = 25, 50
    confusion({"confusion": matrix}, classes, "confusion")
    lines = [line for line in capsys.readouterr().out.splitlines() if "│ c" in line]
    assert [line.replace("│", " ").split() for line in lines] == [
        ["c4", "c5", "50", "50.0", "%"],
        ["c3", "c7", "25", "33.3", "%"],
    ]
    confusion({"confusion": [[1] * 20] * 20}, classes, "confusion")
    assert "confusion, the worst 12 of 380 pairs" in capsys.readouterr().out
    confusion({"confusion": [[5, 1], [0, 3]]}, ["rest", " "], "confusion")
    assert "1 ' '" in capsys.readouterr().out


def test_the_majority_stands_beside_labels(capsys: pytest.CaptureFixture[str]) -> None:
    figures(_classes(0.9, 0.8), "label")
    assert "always ' '" in capsys.readouterr().out
    assert baseline_notes(_classes(0.9, 0.8)) == []
    (line,) = baseline_notes(_classes(0.75, 0.8))
    assert line.startswith("note: always ' ' is better: it is right at 80.0 % of the steps, int8")
    (line,) = baseline_notes(_classes(0.8, 0.8))
    assert line.startswith("note: always ' ' is as good: it is right at 80.0 % of the steps, int8")


def test_a_forecast_that_does_not_beat_a_baseline_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    figures(_values(0.1, persistence=0.2), "forecast")
    assert "persistence" in capsys.readouterr().out
    document = _values(0.1, persistence=0.2, **{"linear_48 values": 0.15})
    assert baseline_notes(document) == []
    document = _values(0.1, persistence=0.05, **{"linear_48 values": 0.04})
    first, second = baseline_notes(document)
    assert "persistence, the last value, is better: RMSE 0.0500 against 0.1000 of int8" in first
    assert "a linear map of the last 48 values is better" in second
    document["baselines"]["persistence"]["rmse_normalised"] = None
    assert len(baseline_notes(document)) == 1


def test_a_detector_that_is_not_to_be_trusted_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    document = _values(0.1, persistence=0.2)
    wrong = [{"name": "T", "unit": "K", "error": 0.25}]
    document["detector"] = {"threshold": 5000, "wrong_by": wrong, "share_of_steps": 0.05}
    assert baseline_notes(document) == []
    figures(document, "anomaly")
    said = capsys.readouterr().out
    assert (
        "a level above 5,000, as `level` counts on the device (a forecast wrong by 0.25 K" in said
    )
    document["detector"]["share_of_steps"] = 0.09
    (line,) = baseline_notes(document)
    assert "not to be trusted yet: it calls 9.0 % of the steps, of which none is labelled" in line
    document["detector"]["share_of_normal_steps"] = 0.01
    assert baseline_notes(document) == []
    document["detector"]["share_of_normal_steps"] = 0.06
    document["baselines"]["persistence"]["rmse_normalised"] = 0.05
    better, line = baseline_notes(document)
    assert "persistence" in better
    assert "it calls 6.0 % of the normal steps an anomaly, and its forecast is worse than" in line
    document["detector"]["share_of_normal_steps"] = None
    assert (
        "yet: its forecast is worse than persistence; train longer" in baseline_notes(document)[1]
    )


def test_simulate_prints_the_first_answers_and_writes_all(tmp_path: Path) -> None:
    make_task_run(tmp_path / "run", task_model(1, "label"))
    rows = "\n".join(f"{row},{row % 3},1" for row in range(30))
    (tmp_path / "a.csv").write_text(f"c0,c1,c2\n{rows}\n")
    said = rnnedge("simulate", tmp_path / "run", tmp_path / "a.csv").out
    assert said.count("│ a.csv") == 20
    assert "and 10 more; --head 30 prints, --csv FILE writes all" in said
    out = tmp_path / "all.csv"
    said = rnnedge("simulate", tmp_path / "run", tmp_path / "a.csv", "--head", 3, "--csv", out).out
    assert said.count("│ a.csv") == 3
    assert f"30 answers in {out}" in said
    lines = out.read_text().splitlines()
    assert lines[0] == "file,line,class,probability"
    assert [line.split(",")[1] for line in lines[1:]] == [str(row) for row in range(2, 32)]
    answers = rnnedge("simulate", tmp_path / "run", tmp_path / "a.csv", "--json").json["steps"]
    assert [line.split(",")[2] for line in lines[1:]] == [answer["class"] for answer in answers]
