"""A detector trained on a series without faults, scored on one whose faults are labelled."""

from pathlib import Path

import numpy as np
import pytest

from rnnedge import api
from rnnedge.errors import DataError
from rnnedge.train.options import TrainOptions
from tests.cli import rnnedge

ROWS, FAULTS = 2000, ((700, 760), (1500, 1540))


def write(file: Path, faults: tuple[tuple[int, int], ...], header: str) -> Path:
    """A wave, sampled every minute; during a fault it stands far outside."""
    rng, at = np.random.default_rng(0), np.arange(ROWS)
    values, state = np.sin(at * 0.3) + 0.05 * rng.normal(size=ROWS), np.zeros(ROWS, int)
    for start, stop in faults:
        values[start:stop] += np.where(at[start:stop] % 2, 4, -4)
        state[start:stop] = 1
    state[:20] = 1  # said to be a fault, and none: nothing can find it
    rows = (f"{60 * t},{x:.4f},{s}" for t, x, s in zip(at, values, state, strict=True))
    if header.count(",") == 1:
        rows = (row.rpartition(",")[0] for row in rows)
    file.write_text("\n".join([header, *rows]) + "\n")
    return file


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    quick = TrainOptions(task="anomaly", units=6, epochs=4, steps=32, learning_rate=0.03)
    api.fit([write(folder / "sound.csv", (), "time [s],x")], folder / "run", options=quick)
    return folder / "run"


def test_labelled_faults_are_counted_and_so_are_false_alarms(run: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "faulty.csv", FAULTS, "time [s],x,broken")
    found = api.evaluate(run, [file], label="broken")["detector"]
    assert found["found"] == [False, True, True]
    assert found["windows"] == 3
    normal = ROWS - 1 - sum(stop - start for start, stop in (*FAULTS, (0, 20)))
    days = normal * 60 / 86400
    assert found["false_alarms_per_day"] == pytest.approx(found["false_alarms"] / days, rel=0.01)
    shown = rnnedge("evaluate", run, file, "--label", "broken")
    assert "it finds 2 of 3 labelled anomalies; " in shown.out
    assert "found" not in api.evaluate(run, [file])["detector"]
    arrays = np.loadtxt(file, delimiter=",", skiprows=1)
    np.savez(
        tmp_path / "a.npz", X=arrays[:, 1:2], t=arrays[:, 0], y=arrays[:, 2].astype(int),
        channels=np.array(["x"]), classes=np.array(["normal", "fault"]),
    )  # fmt: skip
    assert api.evaluate(run, [tmp_path / "a.npz"])["detector"]["found"] == [False, True, True]


def test_a_label_that_says_nothing_is_refused(run: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "faulty.csv", FAULTS, "time [s],x,broken")
    with pytest.raises(DataError, match=r"faulty.csv: no label column 'state'; name the one"):
        api.evaluate(run, [file], label="state")
    with pytest.raises(DataError, match="--label broken: .*name data, too"):
        api.evaluate(run, label="broken")
