"""Cutting windows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.data.stored import StoredWindows, moments
from rnnedge.data.windows import automatic_window, cut
from rnnedge.errors import DataError
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


@given(
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=8),
    window=st.integers(1, 20),
    stored=st.booleans(),
)
def test_what_is_shorter_than_a_window_is_held_behind_its_end(
    lengths: list[int], window: int, stored: bool
) -> None:
    recordings = together([recording(i, rows=rows) for i, rows in enumerate(lengths)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnnedge.data.windows.IN_MEMORY", 0 if stored else 1 << 28)
        windows = cut(recordings, window=window, hop=1, pad=True)
    assert isinstance(windows.X, StoredWindows) == stored
    assert windows.short == 0
    assert set(windows.recording) == set(range(len(lengths)))
    assert np.count_nonzero(windows.padded) == sum(rows < window for rows in lengths)
    for index, (number, start) in enumerate(zip(windows.recording, windows.start, strict=True)):
        last = min(lengths[number], start + window) - 1
        time = np.minimum(start + np.arange(window), last)
        np.testing.assert_array_equal(windows.X[index][:, 1], time)
        np.testing.assert_array_equal(windows.X[np.array([index])][0, :, 1], time)
        if windows.lengths is not None:
            assert windows.lengths[index] == last + 1 - start
    one = windows.select(np.array([0]))
    assert (one.lengths is None) == (min(lengths) >= window)


def test_what_was_cut_at_a_gap_is_not_padded() -> None:
    piece = replace(recording(0, rows=3), group="file.csv", source="file.csv rows 2-4")
    windows = cut(together([piece, recording(1, rows=3)]), window=4, hop=1, pad=True)
    assert windows.recording.tolist() == [1]
    assert windows.short == 1


def test_mean_and_deviation_are_those_of_what_counts() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(5, 2, (40, 6, 2)).astype(np.float32)
    lengths = rng.integers(1, 7, 40)
    inside = np.arange(6) < lengths[:, None]
    mean, std = moments(X, lengths)
    np.testing.assert_allclose(mean, X[inside].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(std, X[inside].std(axis=0), rtol=1e-5)


def test_the_longest_of_all_recordings_is_the_window() -> None:
    short, long = together([recording(0, rows=7)]), together([recording(1, rows=9)])
    assert automatic_window(short) == 7
    assert automatic_window(short, long) == 9


def test_long_recordings_need_a_window() -> None:
    recordings = together([recording(i, rows=rows) for i, rows in enumerate((7, 1000))])
    with pytest.raises(DataError, match="7 to 1000 rows; choose .* --window"):
        automatic_window(recordings)


def test_where_labels_change_there_is_another_task() -> None:
    recordings = together([recording(i, rows=rows) for i, rows in enumerate((7, 9))])
    with pytest.raises(DataError, match="changes every 7 to 9 rows; .*--window, or say --task la"):
        automatic_window(recordings, cut_at_labels=True)
