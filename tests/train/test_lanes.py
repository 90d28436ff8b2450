"""Recordings side by side: what goes on from batch to batch, and what is changed."""

from typing import Any

import numpy as np

from rnnedge.train.augment import Augmentation
from rnnedge.train.options import TrainOptions
from rnnedge.train.tasks.lanes import Lanes
from rnnedge.train.tasks.series import Scale, Series

ROWS, STEPS = 400, 10


def lanes(**fields: Any) -> Lanes:
    """Two recordings whose samples say where they come from."""
    series = [
        Series(
            x=np.stack([np.arange(ROWS), np.full(ROWS, number), np.ones(ROWS)], 1).astype("f4"),
            y=np.arange(ROWS) % 2,
        )
        for number in (1, 2)
    ]
    given = {"steps": STEPS, "lanes": 2, "burn_in": 0, "seed": 0, "mean": np.zeros(3)}
    return Lanes(series=series, scale=Scale(), **(given | {"std": np.ones(3)} | fields))


def test_state_goes_on_where_samples_do_and_restarts_now_and_then() -> None:
    kept = {}
    for share in (0.0, 0.3):
        before, flags = None, []
        for inputs, _, weights in lanes(restart=share).batches(0):
            x, keep = inputs["x"], inputs["keep"][:, 0]
            if before is not None:
                on = (x[:, 0, 0] == before[:, -1, 0] + 1) & (x[:, 0, 1] == before[:, -1, 1])
                assert not keep[~on].any()
                flags += keep[on].tolist()
            assert weights is not None
            before = x
        kept[share] = np.mean(flags)
    assert kept[0.0] == 1
    assert 0.55 < kept[0.3] < 0.85


def test_a_lane_keeps_its_changes_for_a_pass_but_not_its_noise() -> None:
    changes = Augmentation(drift=1.0, jitter=1e-3)
    plain, changed = lanes(), lanes(augment=changes)
    added = []
    for one, other in zip(plain.batches(0), changed.batches(0), strict=True):
        inside = one[0]["x"][:, :, 2] == 1
        np.testing.assert_array_equal(one[2] > 0, inside)
        added.append(np.where(inside[..., None], other[0]["x"] - one[0]["x"], np.nan))
    together = np.stack(added[: plain.depth])
    offsets = np.nanmean(together, axis=2)
    assert np.nanstd(offsets, axis=0).max() < 0.01
    assert np.nanstd(np.nanmean(offsets, axis=0), axis=0).min() > 0.05
    noise = together - offsets[:, :, None]
    assert 5e-4 < np.nanstd(noise) < 2e-3
    assert not np.allclose(noise[1, 0], noise[2, 0], atol=1e-5)


def test_axes_are_turned_and_epochs_repeat_themselves() -> None:
    turning = lanes(augment=Augmentation(rotate=30.0), groups=[(0, 1, 2)])
    plain, first, again = (next(one.batches(1)) for one in (lanes(), turning, turning))
    np.testing.assert_array_equal(first[0]["x"], again[0]["x"])
    lengths = [np.linalg.norm(batch[0]["x"], axis=2) for batch in (plain, first)]
    np.testing.assert_allclose(lengths[0], lengths[1], rtol=1e-4)
    assert not np.allclose(plain[0]["x"], first[0]["x"], rtol=1e-2)


def test_values_are_changed_only_where_it_is_asked_for() -> None:
    assert TrainOptions().changes(50, "label").rotate > 0
    for task in ("forecast", "anomaly", "map", "generate"):
        assert TrainOptions().changes(50, task) == Augmentation()
    assert TrainOptions(augment={"jitter": 0.2}).changes(50, "forecast").jitter == 0.2
