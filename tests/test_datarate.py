"""Data of another rate than the run's is refused, wherever a run reads data."""

from dataclasses import replace
from pathlib import Path

import pytest

from rnnedge import run as runs
from rnnedge.api import evaluate, predict
from rnnedge.errors import DataError
from tests.taskmodels import task_model
from tests.taskruns import make_task_run


@pytest.mark.parametrize("said", [False, True])
def test_another_rate_is_refused_unless_the_rate_was_said(tmp_path: Path, said: bool) -> None:
    folder, file = tmp_path / "run", tmp_path / "a.csv"
    make_task_run(folder, task_model(1, "label"))
    (folder / "model.keras").write_bytes(b"not looked at")
    spec = replace(runs.load_run(folder), rate=50.0, training={"rate_said": said})
    runs.seal(folder, spec)
    rows = "\n".join(f"{20 * row},{row},{row % 3},1,{row % 2}" for row in range(30))
    file.write_text(f"time [ms],c0,c1,c2,label\n{rows}\n")
    assert len(predict(folder, [file])["steps"]) == 30
    file.write_text(file.read_text().replace("[ms]", "[s]"))
    if said:
        assert len(predict(folder, [file])["steps"]) == 30
        return
    with pytest.raises(DataError, match=r"a.csv: 0.05 samples per second .* trained on 50;"):
        predict(folder, [file])
    with pytest.raises(DataError, match=r"a.csv: 0.05 samples per second"):
        evaluate(folder, [file])
