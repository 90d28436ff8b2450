"""Windows in their recordings, and training data that is larger than what it takes in memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.arrays import F32
from rnnedge.data import stored
from rnnedge.data.stored import StoredWindows, moments


def _some(seed: int = 0) -> tuple[StoredWindows, F32]:
    rng = np.random.default_rng(seed)
    values = [rng.normal(5, 2, (rows, 3)).astype(np.float32) for rows in (20, 9, 40)]
    places = [(n, row) for n, item in enumerate(values) for row in range(0, len(item) - 6, 3)]
    owner, start = np.array(places).T
    whole = np.stack([values[n][row : row + 7] for n, row in places])
    return StoredWindows(values, owner, start, 7), whole


def test_stored_windows_are_indexed_like_an_array() -> None:
    X, whole = _some()
    assert (X.shape, len(X), X.nbytes, X.dtype) == (
        whole.shape, len(whole), whole.nbytes, whole.dtype,
    )  # fmt: skip
    mask = np.arange(len(X)) % 3 == 0
    for index in (slice(None), slice(2, 9, 2), np.array([5, 0, 5, -1]), mask, 4, -1):
        assert np.array_equal(X[index], whole[index])
    owner, start = np.array([0, 2]), np.array([1, 30])
    assert np.array_equal(X.at(owner, start)[1], X._values[2][30:37])
    assert np.array_equal(np.asarray(X), whole)
    with pytest.raises(IndexError):
        X[len(X)]


@given(seed=st.integers(0, 50), size=st.integers(1, 3000))
def test_moments_in_one_pass_are_those_of_the_whole(seed: int, size: int) -> None:
    X, whole = _some(seed)
    before, stored._CHUNK_BYTES = stored._CHUNK_BYTES, size
    try:
        mean, std = moments(X)
    finally:
        stored._CHUNK_BYTES = before
    assert np.allclose(mean, whole.mean(axis=(0, 1), dtype=np.float64), rtol=1e-6)
    assert np.allclose(std, whole.std(axis=(0, 1), dtype=np.float64), rtol=1e-6)


def test_a_channel_that_never_changes_has_no_deviation_at_all() -> None:
    X = np.full((50, 7, 2), 0.1, dtype=np.float32) * np.array([1, 1e6], dtype=np.float32)
    assert moments(X)[1].tolist() == [0.0, 0.0]


_CHILD = """
import sys
import numpy as np
from rnnedge.run import DataFormat
from rnnedge.data.prepare import prepare
from rnnedge.train.models import normalization
from rnnedge.data.readers import Recording, Recordings
from rnnedge.data.readers.arrays import finite_float32
from rnnedge.data.split import split
from rnnedge.data.stored import StoredWindows
from rnnedge.data.describe import describe
import sklearn.model_selection, scipy.fft

def resident():
    # of this process, and of the files mapped into it, what lies in memory
    with open("/proc/self/status") as file:
        told = dict(line.split(":") for line in file)
    return sum(int(told[name].split()[0]) for name in ("RssAnon", "RssFile")) / 1024

values = np.load(sys.argv[1], mmap_mode="r")
bounds = np.linspace(0, len(values), 41).astype(int)
items = tuple(
    Recording(values=values[a:b], label="ab"[n % 2], group=None, source=f"{n}", file="f",
              start_row=0)
    for n, (a, b) in enumerate(zip(bounds[:-1], bounds[1:]))
)
data = Recordings(items=items, channels=tuple("wxyz"), units=("",) * 4, classes=("a", "b"))
before = resident()
peak = before
real_numbers = finite_float32(sys.argv[1], "X", values, "row channel", holes=False)
assert real_numbers is values
peak = max(peak, resident())
ready = prepare(data, DataFormat())
peak = max(peak, resident())
describe(data, DataFormat())
peak = max(peak, resident())
parts = split(ready.data, None, window=64, hop=48, validation_fraction=0.15, test_fraction=0.2,
              seed=0)
peak = max(peak, resident())
assert isinstance(parts.train.X, StoredWindows)
normalization(parts.train.X, data.channels)
rng = np.random.default_rng(0)
for _ in range(50):
    parts.train.X[rng.integers(0, len(parts.train), 64)]
    peak = max(peak, resident())
print(int(peak - before), parts.train.X.nbytes >> 20, len(parts.train))
"""


def test_memory_stays_flat_where_the_recordings_are_large(tmp_path: Path) -> None:
    file, rng = tmp_path / "large.npy", np.random.default_rng(0)
    rows = (300 << 20) // 16
    values = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=(rows, 4))
    block = rng.normal(size=(1 << 17, 4)).astype(np.float32)
    for start in range(0, rows, len(block)):
        values[start : start + len(block)] = block[: rows - start] + start
    values.flush()
    done = subprocess.run(
        [sys.executable, "-P", "-c", _CHILD, file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    megabytes, windows, count = map(int, done.stdout.split())
    assert windows > 250
    assert count > 200_000
    assert (
        megabytes < 260
    )  # two samples of 64 MB, what each window is told by, a little of the file
