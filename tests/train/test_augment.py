"""Random changes of sensor windows: what they keep, and what fits a task."""

from typing import Any

import numpy as np
import pytest

from rnnedge.data.split import split
from rnnedge.errors import DataError, RnnedgeError
from rnnedge.train.augment import Augmentation, parse
from rnnedge.train.classification import classification
from rnnedge.train.options import TrainOptions
from rnnedge.train.rotation import axis_groups
from tests.train.helpers import recording, together

MEAN, STD = np.zeros(6), np.ones(6)
GROUPS = ((0, 1, 2), (3, 4, 5))


def _changed(augment: Augmentation, X: Any, **other: Any) -> Any:
    Y = np.ones((len(X), 1), dtype=np.float32)
    return augment.apply(X, Y, MEAN, STD, np.random.default_rng(0), **other)[0]


def _windows(count: int = 300, steps: int = 5) -> Any:
    return np.random.default_rng(1).normal(size=(count, steps, 6)).astype(np.float32)


def test_turning_keeps_lengths_and_angles_and_turns_all_sensors_alike() -> None:
    X = _windows()
    X[:, :, 3:] = X[:, :, :3]
    x = _changed(Augmentation(rotate=10), X, groups=GROUPS)
    assert x.dtype == np.float32
    np.testing.assert_allclose(
        np.linalg.norm(x[:, :, :3], axis=2), np.linalg.norm(X[:, :, :3], axis=2), rtol=1e-4
    )
    np.testing.assert_allclose(
        x[:, :, :3] @ x[:, :, :3].transpose(0, 2, 1),
        X[:, :, :3] @ X[:, :, :3].transpose(0, 2, 1),
        atol=1e-4,
    )
    np.testing.assert_allclose(x[:, :, :3], x[:, :, 3:], atol=1e-6)


def test_the_angle_of_a_turn_is_as_wide_as_said() -> None:
    X = np.tile(np.eye(3, 6, dtype=np.float32), (4000, 1, 1))
    turn = _changed(Augmentation(rotate=10), X, groups=GROUPS[:1])[:, :, :3]
    cosine = (np.trace(turn, axis1=1, axis2=2) - 1) / 2
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    assert np.sqrt((angle**2).mean()) == pytest.approx(10, rel=0.05)
    np.testing.assert_allclose(np.linalg.det(turn), 1, atol=1e-4)


def test_without_groups_nothing_turns() -> None:
    X = _windows()
    np.testing.assert_array_equal(_changed(Augmentation(rotate=10), X), X)


def test_a_shift_moves_by_no_more_than_its_share_and_holds_the_ends() -> None:
    time = np.tile(np.arange(100, dtype=np.float32)[:, None], (200, 1, 6))
    x = _changed(Augmentation(shift=0.1), time)
    moved = x[:, 50, 0] - 50
    assert 8 < np.abs(moved).max() <= 10.001
    assert moved.min() < 0 < moved.max()
    np.testing.assert_allclose(np.diff(x[:, 11:89, 0], axis=1), 1, atol=1e-3)
    assert (x[moved < -1][:, 0] == 0).all()


def test_a_dropped_channel_rests_at_its_mean_for_the_whole_window() -> None:
    X = _windows(2000)
    x = _changed(Augmentation(drop=0.2), X)
    gone = (x == 0).all(axis=1)
    assert gone.mean() == pytest.approx(0.2, abs=0.02)
    np.testing.assert_array_equal(x.transpose(0, 2, 1)[~gone], X.transpose(0, 2, 1)[~gone])


def test_a_drift_is_one_constant_for_a_channel_and_window() -> None:
    X = _windows(2000)
    moved = _changed(Augmentation(drift=0.4), X) - X
    np.testing.assert_allclose(moved, np.broadcast_to(moved[:, :1], X.shape), atol=1e-5)
    assert moved[:, 0].std() == pytest.approx(0.4, rel=0.05)


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["ax", "ay", "az", "gx", "gy", "gz"], ((0, 1, 2), (3, 4, 5))),
        (["acc_z", "acc_y", "acc_x"], ((2, 1, 0),)),
        (["AccX", "AccY", "AccZ"], ((0, 1, 2),)),
        (["x acc", "t", "y acc", "z acc"], ((0, 2, 3),)),
        (["body_acc_x", "body_acc_y", "gyro_z"], ()),
        (["flux", "body", "fizz"], ()),
    ],
)
def test_axes_are_found_by_their_names(names: list[str], groups: Any) -> None:
    assert axis_groups(names) == groups


def test_axes_are_taken_as_said() -> None:
    assert axis_groups(["a", "b", "c"], [["c", "a", "b"]]) == ((2, 0, 1),)
    assert axis_groups(["ax", "ay", "az"], []) == ()
    with pytest.raises(DataError, match="no channel 'd', only a, b, c"):
        axis_groups(["a", "b", "c"], [["a", "b", "d"]])


def test_a_task_takes_only_what_leaves_its_targets_right() -> None:
    each = {"jitter": 1.0, "scale": 1.0, "rotate": 1.0, "drift": 1.0, "drop": 0.5}
    everything = Augmentation(**each, shift=1, warp=1, mix=1)
    assert everything.fitting("classify") == everything
    assert everything.fitting("label") == Augmentation(**each)
    assert everything.fitting("forecast") == Augmentation(jitter=1)
    assert everything.fitting("next") == Augmentation()
    assert TrainOptions(augment={"mix": 0.5}).changes(100, "label").mix == 0


def test_some_changes_are_fixed_and_the_others_follow_the_number_of_windows() -> None:
    usual = Augmentation.for_windows(5000)
    chosen = TrainOptions(augment=parse("rotate=0, jitter=0.5")).changes(5000)
    assert (chosen.rotate, chosen.jitter) == (0, 0.5)
    assert (chosen.scale, chosen.warp, chosen.mix) == (usual.scale, usual.warp, usual.mix)
    assert TrainOptions(augment=parse("none")).changes(5000) == Augmentation()


@pytest.mark.parametrize("text", ["", "spin=1", "jitter", "jitter=much", "jitter=-1", "drop=nan"])
def test_changes_that_do_not_exist_are_named(text: str) -> None:
    with pytest.raises(RnnedgeError, match="augment"):
        parse(text)


def test_balanced_classes_weigh_the_same_and_epochs_repeat_themselves() -> None:
    items = [recording(n, "a" if n % 4 else "b", rows=8) for n in range(40)]
    parts = split(
        together(items), None, window=4, hop=4, seed=0, validation_fraction=0.2, test_fraction=0.2
    )
    moments = np.zeros(2), np.ones(2)
    options = TrainOptions(class_weights="balanced", augment={"mix": 0})
    problem = classification(parts, options, *moments)
    total = np.zeros(2)
    for _, shares, weights in problem.batches(0):
        assert weights is not None
        total += weights @ shares
    assert total[0] == pytest.approx(total[1], rel=0.1)
    assert problem.validation is not None
    assert problem.validation[2] is not None
    first, again, other = (next(problem.batches(epoch))[0] for epoch in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert next(classification(parts, TrainOptions(), *moments).batches(0))[2] is None
