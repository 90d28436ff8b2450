"""Dividing windows into training, validation and test."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.errors import DataError
from rnnedge.train.readers import Recordings
from rnnedge.train.split import Split, divide, split
from tests.train.helpers import recording, together


def _split(data: Recordings, test: Recordings | None = None, *, seed: int = 0) -> Split:
    return split(
        data,
        test,
        window=4,
        hop=2,
        validation_fraction=0.2,
        test_fraction=0.2,
        seed=seed,
    )


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
    with pytest.raises(DataError, match=f"class 'b' has {count} recordings") as error:
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
    with pytest.raises(DataError, match="class 'a' has 1 groups"):
        _split(together(items))
