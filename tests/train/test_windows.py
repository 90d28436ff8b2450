"""Cutting windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.errors import DataError
from rnnedge.train.windows import automatic_window, cut
from tests.train.helpers import recording, together


@given(
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=8),
    window=st.integers(1, 20),
    hop=st.integers(1, 25),
)
def test_windows_never_cross_recordings(lengths: list[int], window: int, hop: int) -> None:
    recordings = together([recording(i, rows=rows) for i, rows in enumerate(lengths)])
    if max(lengths) < window:
        with pytest.raises(DataError):
            cut(recordings, window=window, hop=hop)
        return
    windows = cut(recordings, window=window, hop=hop)
    assert len(windows) == sum(len(range(0, n - window + 1, hop)) for n in lengths)
    assert windows.short == sum(n < window for n in lengths)
    for index in range(len(windows)):
        number, time = windows.X[index].T
        assert set(number) == {windows.recording[index]}
        np.testing.assert_array_equal(time, windows.start[index] + np.arange(window))


def test_windows_are_float32_and_carry_class_and_group() -> None:
    items = [recording(0, "b", group="g"), recording(1, "a", group="h"), recording(2, "b")]
    items += [recording(3, "b", group="g"), recording(4, "a")]
    windows = cut(together(items), window=4, hop=1)
    assert windows.X.dtype == np.float32
    assert windows.y.tolist() == [1, 0, 1, 1, 0]
    assert windows.group.tolist() == [0, 1, 2, 0, 3]
    assert windows.select(windows.y == 1).recording.tolist() == [0, 2, 3]


def test_a_class_that_is_not_known_is_minus_one() -> None:
    items = [recording(0, None), recording(1, "b"), recording(2, "a")]
    windows = cut(together(items), window=4, hop=1, classes=("a",))
    assert windows.y.tolist() == [-1, -1, 0]


def test_a_window_longer_than_every_recording_names_the_longest() -> None:
    recordings = together([recording(0, rows=3), recording(1, rows=5)])
    with pytest.raises(DataError, match="recording 1: 5 rows.*takes 6; choose --window 5"):
        cut(recordings, window=6, hop=1)


@pytest.mark.parametrize(("window", "hop"), [(0, 1), (1, 0)])
def test_window_and_hop_are_at_least_one(window: int, hop: int) -> None:
    with pytest.raises(DataError, match="at least 1"):
        cut(together([recording(0)]), window=window, hop=hop)


def test_recordings_of_one_length_need_no_window() -> None:
    assert automatic_window(together([recording(0, rows=7), recording(1, rows=7)])) == 7


@pytest.mark.parametrize("lengths", [(7, 8), (1000, 1000)])
def test_other_recordings_need_one(lengths: tuple[int, int]) -> None:
    recordings = together([recording(i, rows=rows) for i, rows in enumerate(lengths)])
    with pytest.raises(DataError, match=f"{lengths[0]} to {lengths[1]} rows; choose .* --window"):
        automatic_window(recordings)
