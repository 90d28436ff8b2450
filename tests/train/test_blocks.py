"""Windows that are larger than memory are judged block by block, with the same answers."""

from pathlib import Path

import numpy as np
import pytest

from rnnedge import api
from rnnedge.api import windowed
from rnnedge.data import windows as cutting
from rnnedge.data.stored import StoredWindows
from rnnedge.run import DataFormat
from rnnedge.train.options import TrainOptions
from tests.train.helpers import waves_csv


def test_blocks_of_stored_windows_are_judged_as_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, run = waves_csv(tmp_path / "waves.csv", recordings=12), tmp_path / "run"
    options = TrainOptions(units=4, window=8, hop=4, epochs=1)
    api.fit([source], run, options=options, form=DataFormat(recording="r"))
    none = api.WantedTflite(form="none")
    whole, predicted = api.evaluate(run, [source], tflite=none), api.predict(run, [source])
    assert whole["windows"] == 60
    monkeypatch.setattr(cutting, "IN_MEMORY", 0)
    monkeypatch.setattr(windowed, "BLOCK", 40 * 4 * 8 * 2)
    seen: list[int] = []
    taken = StoredWindows.__getitem__

    def watched(self: StoredWindows, index: object) -> object:
        found = taken(self, index)  # type: ignore[arg-type]
        seen.append(len(found))
        return found

    monkeypatch.setattr(StoredWindows, "__getitem__", watched)
    parts = api.evaluate(run, [source], tflite=none)
    assert max(seen) == 40
    assert sum(seen) == whole["windows"]
    assert parts == whole
    assert api.predict(run, [source]) == predicted


def test_blocks_take_their_lengths_along() -> None:
    X = np.zeros((5, 2, 1), np.float32)
    lengths = np.arange(5)
    parts, steps = windowed.blocks(X, lengths)
    assert [len(part) for part in parts] == [5]
    assert [part.tolist() for part in steps if part is not None] == [[0, 1, 2, 3, 4]]
