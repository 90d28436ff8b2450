"""The simulated motor."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.data import motor
from rnnedge.data.readers import read
from rnnedge.errors import OutputError
from rnnedge.run import DataFormat


def _rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def _spectrum(signal: Any) -> tuple[Any, Any]:
    windowed = (signal - signal.mean()) * np.hanning(len(signal))
    return np.fft.rfftfreq(len(signal), 1 / motor.RATE), np.abs(np.fft.rfft(windowed))


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        motor.write_csv(tmp_path / name, seed, recordings_per_class=2, seconds=0.5)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c
    assert a.splitlines()[0] == b"recording,ax [g],ay [g],az [g],label"


def test_what_is_written_is_read_back_exactly(tmp_path: Path) -> None:
    motor.write_csv(tmp_path / "m.csv", 5, recordings_per_class=2, seconds=0.5)
    recordings = read([tmp_path / "m.csv"], DataFormat(recording="recording"))
    assert recordings.channels == ("ax", "ay", "az")
    assert recordings.units == ("g", "g", "g")
    assert recordings.classes == motor.CLASSES
    assert len(recordings.items) == 6
    rng = _rng(5)
    for item in recordings.items:
        expected = motor.record(str(item.label), 0.5, rng)
        np.testing.assert_allclose(item.values, expected, atol=1e-6)


def test_samples_are_counts_of_the_sensor() -> None:
    counts = motor.record("worn_bearing", 1.0, _rng(0)) / 0.0039
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)


def test_gravity_points_along_z_but_for_the_mounting() -> None:
    mean = np.mean([motor.record("healthy", 2.0, _rng(s)).mean(axis=0) for s in range(20)], axis=0)
    np.testing.assert_allclose(mean, [0, 0, 1], atol=0.1)


def test_unbalance_turns_once_per_revolution_in_quadrature() -> None:
    for seed in range(5):
        signal = motor.record("unbalanced", 4.0, _rng(seed))
        frequency, level = _spectrum(signal[:, 2])
        assert 19 < frequency[level.argmax()] < 31
        y, z = (signal[:, axis] - signal[:, axis].mean() for axis in (1, 2))
        assert abs(np.corrcoef(y, z)[0, 1]) < 0.5


def test_a_worn_bearing_is_loudest_around_the_resonance() -> None:
    def above(kind: str) -> tuple[float, float]:
        energy, share = [], []
        for seed in range(12):
            frequency, level = _spectrum(motor.record(kind, 4.0, _rng(seed))[:, 2])
            energy.append((level[frequency > 80] ** 2).sum())
            share.append(energy[-1] / (level**2).sum())
        return float(np.median(energy)), float(np.median(share))

    worn, healthy, unbalanced = (above(kind) for kind in ("worn_bearing", "healthy", "unbalanced"))
    assert worn[0] > 10 * healthy[0]
    assert worn[1] > 3 * unbalanced[1]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        motor.write_csv(tmp_path / "file" / "m.csv", 0, recordings_per_class=1, seconds=0.1)
