"""Building models, their options, and random changes of windows."""

from typing import Any

import numpy as np
import pytest

from rnnedge.errors import DataError, RnnedgeError, UnsupportedLayerError
from rnnedge.train.augment import Augmentation
from rnnedge.train.models import build, normalization
from rnnedge.train.options import TrainOptions

MEAN, STD = np.array([1.0, -2.0]), np.array([0.5, 4.0])


def _build(**other: Any) -> Any:
    options = {"cell": "gru", "units": 3, "layers": 1, "reset_after": True, "dropout": 0.0}
    return build(**(options | other), window=5, classes=4, mean=MEAN, std=STD)


@pytest.mark.parametrize("reset_after", [True, False])
def test_a_model_normalises_raw_windows_itself(reset_after: bool) -> None:
    model = _build(reset_after=reset_after)
    assert [layer.name for layer in model.layers] == ["normalization", "gru", "scores"]
    assert model.input_shape == (None, 5, 2)
    assert model.layers[1].reset_after is reset_after
    X = np.random.default_rng(0).normal(size=(6, 5, 2)).astype(np.float32)
    normalised = np.asarray(model.layers[0](X))
    np.testing.assert_allclose(normalised, (X - MEAN) / STD, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.asarray(model(X)).sum(axis=1), 1, rtol=1e-5)


def test_an_unknown_cell_is_refused_with_those_known() -> None:
    with pytest.raises(
        UnsupportedLayerError, match="cell 'tcn' is not supported; choose gru, lstm, rnn"
    ):
        _build(cell="tcn")


def test_the_moments_are_those_of_every_sample() -> None:
    X = np.random.default_rng(0).normal(3, 2, size=(4, 5, 2)).astype(np.float32)
    mean, std = normalization(X, ("x", "y"))
    np.testing.assert_allclose(mean, X.reshape(20, 2).mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(std, X.reshape(20, 2).std(axis=0), rtol=1e-6)


def test_a_channel_that_never_changes_is_refused() -> None:
    X = np.random.default_rng(0).normal(size=(4, 5, 2)).astype(np.float32)
    X[:, :, 1] = 0.1
    with pytest.raises(DataError, match="channel 'y' never changes .*; --ignore y"):
        normalization(X, ("x", "y"))
    with pytest.raises(DataError, match=r"'y' never changes .*; name another --target$"):
        normalization(X, ("x", "y"), targets=("y",))
    X[:, :, 1] = 1e9 + np.sin(X[:, :, 0].astype(np.float64))
    with pytest.raises(DataError, match="steps of 64 there .* subtract an offset .* --ignore y$"):
        normalization(X, ("x", "y"))


@pytest.mark.parametrize("factor", [1e-9, 1e20])
def test_a_channel_of_extreme_spread_is_refused(factor: float) -> None:
    X = np.random.default_rng(0).normal(size=(4, 5, 1)) * factor
    with pytest.raises(DataError, match="channel 'x' has a standard deviation of"):
        normalization(X.astype(np.float32), ("x",))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("name", "2fast"),
        ("name", "ünits"),
        ("units", 0),
        ("window", 0),
        ("hop", -1),
        ("epochs", 0),
        ("batch_size", 0),
        ("patience", 0),
        ("validation_fraction", 0.0),
        ("test_fraction", 1.0),
        ("dropout", 1.0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("seed", -1),
        ("rate", 0.0),
    ],
)
def test_an_option_out_of_range_is_named(option: str, value: Any) -> None:
    with pytest.raises(RnnedgeError, match=option):
        TrainOptions(**{option: value})


def test_automatic_options_follow_the_number_of_windows() -> None:
    options = TrainOptions()
    assert options.batch(3) == 3
    assert options.batch(100) == 32
    assert options.batch(10**6) == 64
    assert options.updates(3) == options.updates(100) == 50
    assert options.updates(64000) == 1000
    assert options.passes(50) > options.passes(90) > options.passes(10**5) > 0
    assert TrainOptions(epochs=7, batch_size=5).batch(100) == 5
    assert TrainOptions(epochs=7).passes(1) == 7


def test_few_windows_are_changed_more_than_many() -> None:
    few, many = Augmentation.for_windows(10), Augmentation.for_windows(10**5)
    assert few.jitter > many.jitter
    assert few.scale > many.scale
    assert TrainOptions().changes(10) == few
    assert TrainOptions(augment=Augmentation()).changes(10) == Augmentation()


def _changed(augment: Augmentation, seed: int = 0) -> tuple[Any, Any, Any, Any]:
    rng = np.random.default_rng(7)
    X = (rng.normal(size=(200, 12, 2)) * STD + MEAN).astype(np.float32)
    Y = np.eye(4, dtype=np.float32)[rng.integers(0, 4, 200)]
    return X, Y, *augment.apply(X, Y, MEAN, STD, np.random.default_rng(seed))


def test_no_change_leaves_windows_as_they_are() -> None:
    X, Y, x, y = _changed(Augmentation())
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)


def test_jitter_is_measured_in_standard_deviations() -> None:
    X, _, x, _ = _changed(Augmentation(jitter=0.1))
    np.testing.assert_allclose((x - X).std(axis=(0, 1)) / STD, 0.1, rtol=0.05)


def test_scaling_keeps_the_mean_and_the_shape() -> None:
    X, _, x, _ = _changed(Augmentation(scale=0.3))
    factor = (x - MEAN) / (X - MEAN)
    np.testing.assert_allclose(factor.std(axis=(1, 2)), 0, atol=2e-3)
    np.testing.assert_allclose(np.log(factor.mean(axis=(1, 2))).std(), 0.3, rtol=0.15)


def test_warping_moves_samples_in_time_but_invents_none() -> None:
    time = np.tile(np.arange(50, dtype=np.float32)[:, None], (100, 1, 1))
    Y = np.ones((100, 1), dtype=np.float32)
    augment = Augmentation(warp=0.2)
    x, _ = augment.apply(time, Y, np.zeros(1), np.ones(1), np.random.default_rng(0))
    assert x.min() >= 0
    assert x.max() <= 49
    steps = np.diff(x[:, :, 0], axis=1)
    assert (steps >= -1e-4).all()
    assert np.exp(-0.2) - 1e-4 < np.median(steps, axis=1).min()
    assert np.median(steps, axis=1).max() < np.exp(0.2) + 1e-4


def test_mixing_mixes_windows_and_classes_alike() -> None:
    _, Y, x, y = _changed(Augmentation(mix=0.4))
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)
    assert (y.max(axis=1) >= 0.5).all()
    assert (y.argmax(axis=1) == Y.argmax(axis=1)).mean() > 0.9
    assert (y.max(axis=1) < 1).any()
    assert x.dtype == y.dtype == np.float32


def test_the_same_seed_changes_alike() -> None:
    augment = Augmentation.for_windows(10)
    np.testing.assert_array_equal(_changed(augment)[2], _changed(augment)[2])
    assert not np.array_equal(_changed(augment)[2], _changed(augment, seed=1)[2])
