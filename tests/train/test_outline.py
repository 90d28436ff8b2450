"""What a task makes of a recording."""

from typing import Any

import numpy as np
import pytest

from rnnedge.arrays import F32, I64
from rnnedge.data.readers.recordings import Recording, Recordings
from rnnedge.errors import DataError
from rnnedge.train.options import TrainOptions
from rnnedge.train.tasks.outline import Outline, _reply, outline, series
from rnnedge.train.tasks.plan import plan


@pytest.mark.parametrize("reply", [[2, 0, 1, 2], [0, 1, 2], [0, 1]])
def test_a_reply_of_ids_is_asked_for_once_and_ends_once(reply: list[int]) -> None:
    item = Recording(
        values=np.zeros((3, 1), np.float32), label=None, group=None, source="a", file="a",
        start_row=1, reply=np.array(reply, np.float32)[:, None],
    )  # fmt: skip
    shape = Outline(
        task="translate", channels=(("id", ""),), ids=3, silent=2, classes=("a", "b", "<end>"),
        encoder=(("id", ""),), encoder_ids=4, text="words",
    )  # fmt: skip
    series = _reply(shape, item, item.values)
    assert series.x[:, 0].tolist() == [2, 0, 1]
    assert series.y.tolist() == [0, 1, 2]


def _data(values: F32 | I64, classes: tuple[str, ...] = (), text: str = "") -> Recordings:
    item = Recording(
        values=values.astype(np.float32), label=None, group=None, source="a", file="a", start_row=1
    )
    return Recordings(items=(item,), channels=("x",), units=("",), classes=classes, text=text)


@pytest.mark.parametrize("step", [4, 5, 6, 9, 10, 100])
def test_a_horizon_beyond_a_recording_knows_no_value(step: int) -> None:
    data = _data(np.arange(5)[:, None])
    made = series(outline("forecast", data, (), (step,)), data)
    known = [4.0] if step == 4 else []
    assert [y for item in made for y in item.y.ravel() if not np.isnan(y)] == known


def test_more_outputs_than_the_firmware_counts_are_refused_before_any_training() -> None:
    outline("next", _data(np.zeros((2, 1)), ("c",) * 16383, "characters"), (), ())
    with pytest.raises(DataError, match="16384 outputs, the firmware counts to 16383"):
        outline("next", _data(np.zeros((2, 1)), ("c",) * 16384, "characters"), (), ())


@pytest.mark.parametrize("options", [{"horizons": (1, 120)}, {"burn_in": 120}])
def test_an_answer_that_is_never_known_is_refused_before_any_training(options: Any) -> None:
    data = _data(np.arange(600)[:, None])
    with pytest.raises(DataError, match=r"no recording of the \w+ part is long enough to know 'x"):
        plan("forecast", data, None, (), TrainOptions(name="net", **options))
