"""Time stamps, missing values and resampling."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.data import resampling, timeline
from rnnedge.data.prepare import prepare
from rnnedge.data.readers import Recording, Recordings
from rnnedge.data.windows import cut
from rnnedge.errors import DataError
from rnnedge.run import DataFormat
from rnnedge.train.tasks.outline import outline, series


def item(time: object, values: object = None, **more: object) -> Recording:
    stamps = None if time is None else np.asarray(time, dtype=np.float64)
    columns = stamps if values is None else values
    held = np.asarray(columns, dtype=np.float32)
    return replace(
        Recording(
            values=held.reshape(len(held), -1), label=None, group=None, source="f.csv lines 2-9",
            file="f.csv", start_row=2, time=stamps,
        ),
        **more,
    )  # fmt: skip


def data(*items: Recording) -> Recordings:
    names = tuple("xyz"[: items[0].values.shape[1]])
    return Recordings(items=items, channels=names, units=("",) * len(names), classes=())


def test_step_gaps_clock_and_duplicates_are_counted() -> None:
    steps = np.full(200, 0.5)
    steps[[20, 50]] = 2.0, 7.0
    steps[80], steps[90], steps[110:] = -3.0, 0.0, 0.7
    seen = timeline.timeline(data(item(np.concatenate([[100.0], 100 + np.cumsum(steps)]))))
    assert seen is not None
    assert (seen.step, seen.gaps, seen.longest_gap) == (0.5, 2, 7.0)
    assert (seen.backwards, seen.duplicates, seen.changes) == (1, 1, 1)
    assert seen.first == "f.csv lines 2-9 row 22"
    assert seen.rate == 2.0
    assert not seen.even


def test_chunks_count_as_the_whole_does(monkeypatch: pytest.MonkeyPatch) -> None:
    time = np.cumsum(np.random.default_rng(0).choice([1.0, 1.0, 1.0, 4.0, -1.0], 5000))
    time[3136:] = time[3136] + 2 * (time[3136:] - time[3136])  # where a chunk ends
    whole = timeline.timeline(data(item(time)))
    monkeypatch.setattr(timeline, "_CHUNK", 64)
    parts = timeline.timeline(data(item(time)))
    assert whole is not None
    assert parts is not None
    assert whole == parts
    assert whole.gaps > 500 < whole.backwards
    assert whole.changes > 0


def test_even_time_says_nothing_but_the_rate() -> None:
    done = prepare(data(item(np.arange(50) * 0.02)), DataFormat())
    assert done.rate == 50.0
    assert done.notes == ()
    assert prepare(data(item(None, np.arange(9))), DataFormat()).rate is None


def test_uneven_time_is_told_with_its_cure() -> None:
    done = prepare(data(item([0, 1, 2, 3, 6, 7, 8])), DataFormat())
    (note,) = done.notes
    assert "1 gap (the longest 3 s), the first at f.csv lines 2-9 row 5; rows are taken" in note
    assert "--resample 1 " in note
    assert [len(one.values) for one in done.data.items] == [7]


def test_no_recording_holds_a_gap_or_a_clock_going_backwards() -> None:
    done = prepare(data(item([0, 1, 2, 3, 9, 10, 8, 9, 10]), item([0, 1, 2])), DataFormat())
    assert [one.values[:, 0].tolist() for one in done.data.items] == [
        [0, 1, 2, 3], [9, 10], [8, 9, 10], [0, 1, 2],
    ]  # fmt: skip
    (note,) = done.notes
    assert note.startswith("1 gap of more than 5 steps and 1 step backwards in the time stamps")
    assert "of 1 recording, the first at f.csv lines 2-9 row 5: a recording ends there" in note
    assert [one.group for one in done.data.items] == [*3 * ["f.csv lines 2-9"], None]
    assert done.data.items[1].start_row == 6


@pytest.mark.parametrize(
    ("rate", "typed"),
    [
        *[(416.0, "416"), (119.0, "119"), (44.1, "44.1"), (16000.0, "16000"), (49.98, "50")],
        *[(1 / 86400, "1/86400"), (1 / 604800, "1/604800"), (1 / 3725, "1/3725")],
        *[(1 / 60.02, "1/60"), (0.1, "1/10"), (12345.678, "12345.678")],
    ],
)
def test_a_rate_is_typed_so_that_resampling_keeps_the_rows(rate: float, typed: str) -> None:
    nine = float(f"{rate:.9g}")  # as Timeline.rate says it
    assert timeline.round_rate(nine) == typed
    count, _, seconds = timeline.exact_rate(nine).partition("/")
    assert abs(float(count) / float(seconds or 1) / rate - 1) * 10_000_000 < 1
    time = np.arange(3650) / rate
    count, _, seconds = typed.partition("/")
    asked = float(count) / float(seconds or 1)
    done = prepare(data(item(time)), DataFormat(resample=asked)).data
    near = 0.001 if asked not in (50.0, 1 / 60) else 3.65
    assert abs(sum(len(one.values) for one in done.items) - 3650) <= near


def test_windows_and_streams_stop_at_gaps() -> None:
    time = np.concatenate([np.arange(30.0), 1000 + np.arange(30.0)])
    ready = prepare(data(item(time)), DataFormat()).data
    windows = cut(ready, window=8, hop=1)
    assert len(windows) == 2 * 23
    assert (np.diff(windows.X[:][:, :, 0], axis=1) == 1).all()
    made = series(outline("forecast", ready, (), (1,)), ready)
    assert [len(one.x) for one in made] == [30, 30]
    assert all(np.isnan(one.y[-1, 0]) for one in made)


def test_the_rates_of_recordings_may_differ_and_wholes_are_not_cut() -> None:
    slow = item(np.arange(20) * 100.0)
    whole = item([0, 1, 2, 50], start=np.zeros(1, np.float32))
    done = prepare(data(item(np.arange(40.0)), slow, whole), DataFormat()).data
    assert [len(one.values) for one in done.items] == [40, 20, 4]


@given(
    rate=st.floats(0.3, 30),
    steps=st.lists(st.floats(0.05, 0.3), min_size=3, max_size=60),
    slope=st.floats(-5, 5),
)
def test_resampling_keeps_straight_lines_and_the_rate(
    rate: float, steps: list[float], slope: float
) -> None:
    time = 1e9 + np.cumsum(steps)
    if (time[-1] - time[0]) * rate < 1.01:
        return
    done = resampling.resample(data(item(time, (time - time[0]) * slope)), rate, longest_gap=100)
    (new,) = done.items
    assert new.time is not None
    assert np.allclose(np.diff(new.time), 1 / rate, atol=1e-6)
    assert time[-1] - 1 / rate - 1e-6 <= new.time[-1] <= time[-1] + 1e-6
    assert np.allclose(new.values[:, 0], (new.time - time[0]) * slope, atol=1e-4)


def test_a_gap_and_a_clock_going_backwards_begin_new_recordings() -> None:
    time = [0, 1, 2, 3, 20, 21, 22, 15, 16, 16, 17, 90]
    whole = data(item(time, np.arange(12.0)))
    done = prepare(whole, replace(DataFormat(), resample=2.0))
    assert [len(one.values) for one in done.data.items] == [7, 5, 5]
    assert done.data.items[2].values[:, 0].tolist() == [7.0, 7.5, 8.0, 9.0, 10.0]
    assert {one.group for one in done.data.items} == {"f.csv lines 2-9"}
    assert done.rate == 2.0
    assert "12 rows became 17 in 3 recordings" in done.notes[0]


def test_labels_are_held_and_targets_interpolated() -> None:
    labels = np.array([0, 0, 1, -1])
    targets = np.array([[0.0], [2.0], [4.0], [np.nan]], dtype=np.float32)
    one = item([0, 1, 2, 3], np.arange(4.0), row_labels=labels, targets=targets)
    (new,) = resampling.resample(data(one), 2.0).items
    assert new.row_labels is not None
    assert new.targets is not None
    assert new.row_labels.tolist() == [0, 0, 0, 0, 1, 1, -1]
    assert new.targets[:5, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert np.isnan(new.targets[5:]).all()


def test_resampling_in_chunks_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    time = np.cumsum(rng.uniform(0.01, 0.02, 3000))
    walk = data(item(time, rng.normal(size=(3000, 2)), row_labels=rng.integers(0, 3, 3000)))
    (whole,) = resampling.resample(walk, 37.0).items
    monkeypatch.setattr(resampling, "_CHUNK", 100)
    monkeypatch.setattr(resampling, "_IN_MEMORY", 0)
    (parts,) = resampling.resample(walk, 37.0).items
    assert isinstance(parts.values, np.memmap)
    assert np.array_equal(whole.values, parts.values)
    assert whole.row_labels is not None
    assert np.array_equal(whole.row_labels, parts.row_labels)


def test_resampling_without_time_or_rate_is_refused() -> None:
    with pytest.raises(DataError, match="no time stamps to resample by; name .* --time"):
        prepare(data(item(None, np.arange(9))), replace(DataFormat(), resample=1.0))
    with pytest.raises(DataError, match="--resample"):
        resampling.resample(data(item([0, 1])), 0.0)
    with pytest.raises(DataError, match="choose a higher rate"):
        resampling.resample(data(item([0, 1])), 0.1)


HOLES = [[np.nan, 1.0], [2.0, 2.0], [np.nan, 3.0], [8.0, np.nan], [9.0, 9.0]]


def filled(how: str) -> Recordings:
    done = prepare(data(item([0, 1, 2, 4, 5], HOLES)), replace(DataFormat(), missing=how))
    assert "missing values: 3 (x 2, y 1), the first at f.csv lines 2-9 row 1 'x'" in done.notes[0]
    assert done.missing.counts == (2, 1)
    assert all(np.isfinite(one.values).all() for one in done.data.items)
    return done.data


def test_missing_values_are_filled_as_asked() -> None:
    (line,) = filled("interpolate").items
    assert line.values.tolist() == [[2, 1], [2, 2], [4, 3], [8, 7], [9, 9]]
    (held,) = filled("hold").items
    assert held.values.tolist() == [[2, 2], [2, 3], [8, 3], [9, 9]]
    assert held.start_row == 3
    assert held.time is not None
    assert held.time.tolist() == [1, 2, 4, 5]
    pieces = filled("drop").items
    assert [one.values.tolist() for one in pieces] == [[[2, 2]], [[9, 9]]]


def test_missing_values_that_cannot_be_filled_are_refused() -> None:
    holes = data(item([0, 1, 2, 4, 5], HOLES))
    with pytest.raises(DataError, match=r"row 1 'x': missing, the first of 3 .* --missing"):
        prepare(holes, DataFormat())
    empty = data(item(None, [[np.nan, 1.0], [np.nan, 2.0]]))
    for how in ("interpolate", "hold"):
        with pytest.raises(DataError, match="channel 'x' has no value in the whole recording"):
            prepare(empty, replace(DataFormat(), missing=how))
    with pytest.raises(DataError, match="no row is left"):
        prepare(empty, replace(DataFormat(), missing="drop"))
