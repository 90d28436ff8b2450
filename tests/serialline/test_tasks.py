"""Boards that run streaming tasks: ids and values travel as raw samples."""

from pathlib import Path

import pytest

from rnnedge.api import verify_boards
from tests.taskmodels import task_model
from tests.taskruns import make_task_run


@pytest.mark.parametrize(
    ("board", "kind"),
    [
        ("microbit", "next"),
        ("microbit", "anomaly"),
        ("microbit", "translate"),
        ("arduino_uno", "tag"),
        ("arduino_uno", "start"),
    ],
)
def test_boards_verify_models_of_streaming_tasks(board: str, kind: str, tmp_path: Path) -> None:
    model = task_model(5, kind, units=6, channels=4, rows=40, window=5)
    make_task_run(tmp_path / "run", model, windows=4)
    row = verify_boards(tmp_path / "run", [board])[0]
    assert row["differences"] == 0
    assert row["windows"] == 4
    free = 5 if model.generates else 0
    encoded = 5 if model.encoder is not None else 0  # steps of the encoder
    assert row["free_steps"] == 4 * free
    assert row["scores_compared"] == 4 * (1 + free) * model.outputs
    assert row["states_compared"] == 4 * (5 + free + encoded) * model.state_size
