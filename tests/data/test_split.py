"""Dividing windows into training, validation and test."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.data import windows
from rnnedge.data.balance import divide
from rnnedge.data.parts import Parts, parted
from rnnedge.data.readers import Recordings
from rnnedge.data.slices import sliced
from rnnedge.data.split import Split, split
from rnnedge.data.stored import StoredWindows
from rnnedge.errors import DataError, RnnedgeError
from rnnedge.train.options import TrainOptions
from tests.train.helpers import recording, together


def _split(
    data: Recordings,
    test: Recordings | None = None,
    *,
    seed: int = 0,
    by: str = "auto",
    train_hop: int | None = None,
) -> Split:
    return split(
        data,
        test,
        window=4,
        hop=2,
        validation_fraction=0.2,
        test_fraction=0.2,
        seed=seed,
        by=by,
        train_hop=train_hop,
    )


@pytest.mark.parametrize("by", ["auto", "recording", "time"])
def test_training_windows_may_lie_closer(by: str) -> None:
    items = [recording(i, "ab"[i % 2], rows=60) for i in range(20)]
    near = _split(together(items), by=by, train_hop=1)
    far = _split(together(items), by=by)
    assert near.apart == far.apart == len(far.train)
    assert len(near.train) > 1.9 * len(far.train)
    assert set(near.train.recording) == set(far.train.recording)
    first = near.train.start[near.train.recording == near.train.recording[0]]
    assert np.diff(first).tolist() == [1] * (len(first) - 1)
    for name in ("validation", "test"):
        one, same = getattr(near, name), getattr(far, name)
        assert one.start.tolist() == same.start.tolist()
        assert one.recording.tolist() == same.recording.tolist()


def _many(count: int, classes: str = "ab", **other: str) -> Recordings:
    return together([recording(i, classes[i % len(classes)], **other) for i in range(count)])


@given(
    members=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.integers(1, 14)),
        min_size=4,
        max_size=60,
    ),
    seed=st.integers(0, 3),
)
def test_no_group_is_in_two_parts_and_no_window_is_lost(
    members: list[tuple[str, int, int]], seed: int
) -> None:
    items = [
        recording(i, label, rows=rows, group=str(group) if group else None)
        for i, (label, group, rows) in enumerate(members)
    ]
    data = together(items)
    try:
        parts = _split(data, seed=seed)
    except DataError:
        return
    used = [set(part.group) for part in (parts.train, parts.validation, parts.test)]
    assert not (used[0] & used[1] or used[0] & used[2] or used[1] & used[2])
    every = np.concatenate([part.recording for part in (parts.train, parts.validation, parts.test)])
    expected = [i for i, item in enumerate(items) for _ in range((len(item.values) - 2) // 2)]
    assert sorted(every.tolist()) == expected
    for part in (parts.train, parts.validation, parts.test):
        assert set(part.y) == set(range(len(parts.classes)))


@pytest.mark.parametrize("rare", [3, 4, 7])
def test_a_rare_class_is_in_every_part(rare: int) -> None:
    items = [recording(i, "a") for i in range(60)]
    items += [recording(60 + i, "b") for i in range(rare)]
    items += [recording(90 + i, "c") for i in range(3)]
    for seed in range(4):
        parts = _split(together(items), seed=seed)
        for part in (parts.train, parts.validation, parts.test):
            assert set(part.y) == {0, 1, 2}
        assert 0.1 < len(parts.test) / len(items) < 0.3


def test_shares_are_close_to_those_asked_for() -> None:
    parts = _split(_many(200, "abcd"))
    assert len(parts.test) == pytest.approx(40, abs=8)
    assert len(parts.validation) == pytest.approx(32, abs=8)
    for part in (parts.validation, parts.test):
        counts = np.bincount(part.y)
        assert counts.max() - counts.min() <= 2


def test_the_same_seed_divides_alike_and_another_one_does_not() -> None:
    data = _many(40)
    one, same, other = (_split(data, seed=seed).test.recording.tolist() for seed in (0, 0, 1))
    assert one == same != other


@pytest.mark.parametrize("pad", [False, True])
def test_a_window_that_no_recording_fills_is_refused(pad: bool) -> None:
    ask: Any = {"window": 7, "hop": 2, "validation_fraction": 0.2, "test_fraction": 0.2, "seed": 0}
    short = together([recording(i, "ab"[i % 2], rows=6) for i in range(20)])
    with pytest.raises(DataError, match="6 rows.*takes 7; choose --window 6"):
        split(short, None, pad=pad, **ask)


def test_the_longest_recording_may_be_one_of_the_test_part() -> None:
    ask: Any = {"window": 7, "hop": 2, "validation_fraction": 0.2, "test_fraction": 0.2, "seed": 0}
    short, whole = (
        together([recording(i, "ab"[i % 2], rows=rows) for i in range(20)]) for rows in (6, 7)
    )
    made = split(short, whole, pad=True, **ask)
    assert made.train.padded.all() and not made.test.padded.any()


def test_given_test_data_is_the_test_part() -> None:
    parts = _split(_many(20), _many(6))
    assert len(parts.test) == 6
    assert len(parts.train) + len(parts.validation) == 20


def test_the_test_part_of_a_file_is_the_test_part() -> None:
    items = [recording(i, "ab"[i % 2], part="train") for i in range(20)]
    items += [recording(i, "ab"[i % 2], part="test") for i in range(20, 26)]
    parts = _split(together(items))
    assert set(parts.test.X[:, 0, 0]) == set(range(20, 26))


def test_the_statement_is_plain_and_adds_up() -> None:
    data = together([recording(i, "ab"[i % 2], group=f"s{i // 4}") for i in range(40)])
    parts = _split(data)
    stated = json.loads(json.dumps(parts.statement))
    assert stated["seed"] == 0
    total = 0
    for name in ("train", "validation", "test"):
        part = stated[name]
        assert part["files"] == ["file.csv"]
        assert part["groups"] == len(part["group_names"])
        assert sum(part["windows_per_class"].values()) == part["windows"]
        total += part["windows"]
    assert total == 40


def test_one_class_is_not_enough() -> None:
    with pytest.raises(DataError, match=r"only one class \(a\)"):
        _split(_many(10, "a"))


@pytest.mark.parametrize(("count", "test"), [(2, None), (1, _many(4))])
def test_a_class_with_too_few_recordings_is_named(count: int, test: Recordings | None) -> None:
    items = [recording(i, "a") for i in range(10)] + [recording(10 + i, "b") for i in range(count)]
    with pytest.raises(DataError, match=f"class 'b' has {count} recordings?") as error:
        _split(together(items), test)
    assert ("--test" in str(error.value)) == (test is None)
    assert "--recording-rows" in str(error.value)
    assert "--group" in str(error.value)


def test_a_class_with_too_few_groups_is_named() -> None:
    items = [recording(i, "a", group=f"s{i}") for i in range(10)]
    items += [recording(10 + i, "b", group=f"s{i % 2}") for i in range(10)]
    with pytest.raises(DataError, match="class 'b' has 2 groups"):
        _split(together(items))


def test_a_class_that_training_lacks_is_named() -> None:
    with pytest.raises(DataError, match="class 'c' is in the test part only"):
        _split(_many(20), _many(6, "abc"))


def test_two_test_parts_are_refused() -> None:
    with pytest.raises(DataError, match="leave --test out"):
        _split(together([recording(i, part="train") for i in range(3)]), _many(6))


def test_groups_that_cannot_be_divided_are_refused() -> None:
    # Three groups hold class b, but the same three hold all of class a but one window.
    items = [recording(i, "ab"[i % 2], group="one") for i in range(8)]
    y, group = np.array([0, 1] * 4), np.zeros(8, dtype=np.int64)
    assert not divide(y, group, fraction=0.5, seed=0).any()
    with pytest.raises(DataError, match="class 'a' has 1 group "):
        _split(together(items))


def _rows(part: Recordings) -> list[int]:
    """The times of the rows, 1000 of each recording's."""
    return [int(1000 * number + t) for item in part.items for number, t in item.values]


def _parted(data: Recordings, by: str = "auto", gap: int = 5, **more: object) -> Parts:
    fractions = {"validation_fraction": 0.25, "test_fraction": 0.2, "seed": 0, **more}
    return parted(data, fractions.pop("test", None), by=by, gap=gap, **fractions)


def test_one_long_recording_is_divided_by_time_with_a_window_between() -> None:
    parts = _parted(together([recording(0, None, rows=1000)]))
    assert _rows(parts.train) == list(range(595))
    assert _rows(parts.validation) == list(range(600, 795))
    assert _rows(parts.test) == list(range(800, 1000))
    assert parts.method == "test and validation by time, 5 rows between the parts"


def test_pieces_of_one_recording_are_divided_by_time_too() -> None:
    one = recording(0, None, rows=1000)
    pieces = [sliced(one, 0, 300), sliced(one, 310, 1000)]
    parts = _parted(together(pieces))
    assert "by time" in parts.method
    assert max(_rows(parts.train)) < min(_rows(parts.validation)) - 5
    assert max(_rows(parts.validation)) < min(_rows(parts.test)) - 5


def test_two_recordings_are_divided_by_time_unless_recordings_are_asked_for() -> None:
    two = together([replace(recording(n, None, rows=300), source=f"r{n}") for n in range(2)])
    parts = _parted(two)
    assert "by time" in parts.method
    assert _rows(parts.test) == list(range(1180, 1300))
    with pytest.raises(DataError, match="2 recordings or groups, expected at least 3"):
        _parted(two, "recording")


def test_recordings_at_the_same_time_are_divided_at_the_same_time() -> None:
    items = [
        replace(recording(n, None, rows=rows), time=100.0 + step * np.arange(rows))
        for n, (rows, step) in enumerate([(400, 1.0), (800, 0.5), (100, 4.0)])
    ]
    parts = _parted(together(items), "time", gap=4)
    last = max(item.time[-1] for item in parts.train.items if item.time is not None)
    first = [item.time[0] for item in parts.validation.items if item.time is not None]
    assert len(first) == 3
    assert last < min(first)
    assert max(first) - min(first) < 4.1


@given(
    rows=st.lists(st.integers(1, 60), min_size=1, max_size=12),
    by=st.sampled_from(["auto", "recording", "time"]),
    gap=st.integers(0, 6),
    seed=st.integers(0, 3),
)
def test_no_row_is_in_two_parts(rows: list[int], by: str, gap: int, seed: int) -> None:
    data = together(
        [replace(recording(n, None, rows=r), source=f"{n}") for n, r in enumerate(rows)]
    )
    try:
        parts = _parted(data, by, gap, seed=seed)
    except DataError as error:
        assert "too few" in str(error) or "expected at least 3" in str(error)
        return
    found = [_rows(part) for part in (parts.train, parts.validation, parts.test)]
    every = [row for part in found for row in part]
    assert all(found)
    assert len(set(every)) == len(every) <= sum(rows)
    if "time" not in parts.method:
        assert len(every) == sum(rows)
    else:
        assert max(found[0]) < min(found[1])
        assert max(found[1]) < min(found[2])


def test_groups_stay_whole_unless_recordings_are_asked_for() -> None:
    data = together([
        replace(recording(i, None, group=f"s{i // 8}"), source=f"r{i}") for i in range(40)
    ])  # fmt: skip
    parts = _parted(data)
    groups = [{item.group for item in part.items} for part in (parts.train, parts.test)]
    assert not groups[0] & groups[1]
    assert "by group" in parts.method
    loose = _parted(data, "recording")
    groups = [{item.group for item in part.items} for part in (loose.train, loose.test)]
    assert groups[0] & groups[1]
    assert len(loose.test.items) == 8


def test_groups_that_do_not_exist_are_asked_for() -> None:
    for call in (_parted, lambda data, by: _split(data, by=by)):
        with pytest.raises(DataError, match="no group to divide by; .* --group"):
            call(_many(20), "group")


def test_too_little_for_every_part_is_refused() -> None:
    with pytest.raises(DataError, match="3 rows are too few for 3 parts"):
        _parted(together([recording(0, None, rows=3)]))
    with pytest.raises(DataError, match="--split time"):
        _parted(together([recording(0, None, rows=300)]), "recording")


def test_a_file_with_a_test_part_gives_validation_only() -> None:
    items = [replace(recording(i, None, part="train"), source=f"r{i}") for i in range(8)]
    items += [recording(9, None, part="test")]
    parts = _parted(together(items))
    assert _rows(parts.test) == [9000, 9001, 9002, 9003]
    assert len(parts.train.items) == 6
    assert parts.method == "test part of the file; validation by recording"


def test_windows_are_divided_by_time_where_asked() -> None:
    data = together([recording(i, "ab"[i % 2], rows=20) for i in range(40)])
    parts = _split(data, by="time")
    ends = [part.X[:, -1, 0] * 1000 + part.X[:, -1, 1] for part in (parts.train, parts.validation)]
    starts = [part.X[:, 0, 0] * 1000 + part.X[:, 0, 1] for part in (parts.validation, parts.test)]
    for end, start in zip(ends, starts, strict=True):
        assert end.max() < start.min()
    assert "by time" in parts.statement["method"]
    late = together([recording(i, "ab"[i > 35], rows=20) for i in range(40)])
    with pytest.raises(DataError, match="class 'b' is not in the training part"):
        _split(late, by="time")


def test_large_data_is_sampled_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    data = together([recording(i, "ab"[i % 2], rows=100) for i in range(40)])
    small = _split(data)
    monkeypatch.setattr(windows, "IN_MEMORY", 1000)
    monkeypatch.setattr("rnnedge.data.split._SAMPLE_BYTES", 32 * 100)
    large = _split(data)
    assert isinstance(large.train.X, StoredWindows)
    assert np.array_equal(large.train.X[:], small.train.X[:])
    assert np.array_equal(large.train.y, small.train.y)
    assert len(large.test) == 100
    assert large.statement["test"]["sampled_from"] == len(small.test) > 300
    assert "sampled_from" not in large.statement["train"]
    part = small.test
    places = zip(part.recording, part.start, strict=True)
    rows = dict(zip(places, part.X, strict=True))
    for r, t, x in zip(large.test.recording, large.test.start, large.test.X, strict=True):
        assert np.array_equal(rows[r, t], x)
    kept = set(zip(small.test.recording, small.test.start, strict=True))
    assert set(zip(large.test.recording, large.test.start, strict=True)) < kept


def test_many_windows_are_divided_as_well_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(60), rng.integers(20, 200, 60))
    y = (group % 3 + (rng.random(len(group)) < 0.1)) % 4
    monkeypatch.setattr("rnnedge.data.balance._EXACT", 1000)
    chosen = divide(y, group, fraction=0.2, seed=0)
    assert not set(group[chosen]) & set(group[~chosen])
    for label in range(4):
        assert 0.1 < chosen[y == label].mean() < 0.3


def test_an_unknown_division_is_refused() -> None:
    with pytest.raises(RnnedgeError, match="split is 'luck', expected one of auto, recording"):
        TrainOptions(split="luck")
