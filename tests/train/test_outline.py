"""What a task makes of a recording."""

import numpy as np
import pytest

from rnnedge.train.readers.recordings import Recording
from rnnedge.train.tasks.outline import Outline, _reply


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
