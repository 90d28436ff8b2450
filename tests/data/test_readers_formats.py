"""Parquet, NPY, ragged NPZ, .ts, Edge Impulse and WAV."""

import json
import os
import re
import subprocess
import sys
import wave
from dataclasses import replace
from operator import add
from pathlib import Path
from typing import Any

import cbor2
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet as papq

from rnnedge.data.readers import Recordings, read
from rnnedge.data.readers.mfcc import Mfcc
from rnnedge.errors import DataError
from rnnedge.run import DataFormat


def _refusal(path: Path, form: DataFormat | None = None, **options: Any) -> str:
    with pytest.raises(DataError) as error:
        read([path], form or DataFormat(), **options)
    assert "\n" not in str(error.value)
    assert str(path.name) in str(error.value)
    return str(error.value)


# Parquet


def _parquet(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    papq.write_table(pa.table(columns), path, **options)
    return path


def test_parquet_reads_like_the_csv(tmp_path: Path) -> None:
    columns = {
        "time": pa.array([0, 1_500_000, 3_000_000], pa.timestamp("us")),
        "ax [g]": pa.array([1, 2, 3], pa.int32()),
        "ay [g]": pa.array([0.5, 1.5, 2.5], pa.float32()),
        "who": pa.array([7, 7, 8]),
        "label": pa.array(["a", "b", "b"]).dictionary_encode(),
    }
    path = _parquet(tmp_path / "d.parquet", columns, row_group_size=2)
    lines = "time,ax [g],ay [g],who,label\n1970-01-01,1,0.5,7,a\n1970-01-01 00:00:01.5,2,1.5,7,b\n"
    (tmp_path / "d.csv").write_text(lines + "1970-01-01 00:00:03,3,2.5,8,b\n")
    form = DataFormat(group="who")
    one, other = read([path], form), read([tmp_path / "d.csv"], form)
    assert (one.channels, one.units, one.classes) == (other.channels, other.units, other.classes)
    assert one.notes == other.notes
    for found, expected in zip(one.items, other.items, strict=True):
        np.testing.assert_array_equal(found.values, expected.values)
        np.testing.assert_array_equal(found.time, expected.time)
        assert (found.label, found.group) == (expected.label, expected.group)
    assert isinstance(one.items[0].values.base, np.memmap)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"x": [1.0, None]}, "row 1: column 'x' is nan, expected a finite number; say what"),
        ({"x": [1.0, float("inf")]}, "row 1: column 'x' is inf"),
        ({"x": [1.0, 1e39]}, "row 1: column 'x' is 1e+39, expected a finite number; too large"),
        ({"x": ["a", "b"]}, "column 'x' is of type"),
        ({"x": [[1], [2]]}, "column 'x' is of type"),
        ({"x": pa.array([], pa.float32())}, "no rows"),
    ],
)
def test_unusable_parquet_is_refused(tmp_path: Path, columns: Any, expected: str) -> None:
    assert expected in _refusal(_parquet(tmp_path / "d.parquet", columns), labelled=False)


def test_missing_values_of_parquet_are_kept_where_asked(tmp_path: Path) -> None:
    path = _parquet(tmp_path / "d.parquet", {"x": [1, None, 3]})
    data = read([path], DataFormat(missing="hold"), labelled=False)
    np.testing.assert_array_equal(data.items[0].values.ravel(), [1, np.nan, 3])


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    path = _parquet(tmp_path / "d.parquet", {"x": list(range(1000))})
    whole = path.read_bytes()
    for raw in (b"", whole[: len(whole) // 2], b"x" * 400, whole[:-9] + b"\xff" * 9):
        path.write_bytes(raw)
        assert "no Parquet file, or damaged" in _refusal(path, labelled=False)


@pytest.mark.parametrize("kind", ["words", "numbers", "stamps"])
def test_a_damaged_page_of_parquet_is_refused(tmp_path: Path, kind: str) -> None:
    """Its footer is whole, so that the fault shows when the rows are read."""
    values: dict[str, Any] = {
        "words": [f"walk {row // 2}" for row in range(2000)],
        "numbers": np.arange(2000) // 3 * 0.5,
        "stamps": pa.array(np.arange(2000) // 2, pa.timestamp("us")),
    }
    columns = {kind: values[kind], "x": [1.5] * 2000}
    path = _parquet(tmp_path / "d.parquet", columns, compression="snappy")
    raw = bytearray(path.read_bytes())
    raw[200:260] = b"\xff" * 60
    path.write_bytes(raw)
    assert re.search(
        r"d\.parquet: damaged \(.+[^.]\); write it again$", _refusal(path, labelled=False)
    )


def test_large_parquet_takes_little_memory(tmp_path: Path) -> None:
    """240 MB of samples through a process that may own 100 MB more than it starts with."""
    path = tmp_path / "d.parquet"
    table = pa.table({f"x{i}": np.full(500_000, i, np.float32) for i in range(6)})
    with papq.ParquetWriter(path, table.schema, compression="none", use_dictionary=False) as writer:
        for _ in range(20):
            writer.write_table(table, row_group_size=250_000)
    assert path.stat().st_size > 230e6
    code = (
        "import sys; from pathlib import Path\n"
        "from rnnedge.run import DataFormat; from rnnedge.data.readers import read\n"
        "import pyarrow.parquet, pyarrow.compute\n"
        "def own(key):\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    return next(int(line.split()[1]) for line in lines if line.startswith(key))\n"
        "before, most = own('RssAnon'), [0]\n"
        "import rnnedge.data.readers.parquet as reader\n"
        "plain = reader._floats\n"
        "def watched(values):\n"
        "    most[0] = max(most[0], own('RssAnon'))\n"
        "    return plain(values)\n"
        "reader._floats = watched\n"
        f"data = read([Path({str(path)!r})], DataFormat(), labelled=False)\n"
        "assert data.items[0].values.shape == (10_000_000, 6)\n"
        "assert most[0] > 0\n"
        "print((max(most[0], own('RssAnon')) - before) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ
    )
    assert int(done.stdout) < 100, done.stdout


# NumPy


def test_npy_stays_in_its_file(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.float32).reshape(6, 2)
    np.save(tmp_path / "a.npy", values)
    data = read([tmp_path / "a.npy"], DataFormat(), labelled=False)
    np.testing.assert_array_equal(data.items[0].values, values)
    assert isinstance(data.items[0].values, np.memmap)
    np.save(tmp_path / "a.npy", values.reshape(3, 2, 2).astype(np.int16))
    assert len(read([tmp_path / "a.npy"], DataFormat(), labelled=False).items) == 3


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.zeros((2, 2, 2, 2)), "shape (2, 2, 2, 2)"),
        (np.zeros((0, 2)), "none 0"),
        (np.array([["a"]]), "expected real numbers"),
        (np.array([[1, np.nan]]), "row 0, channel 1 is nan"),
        (np.array([{}]), "no .npy of numbers"),
    ],
)
def test_unusable_npy_is_refused(tmp_path: Path, values: Any, expected: str) -> None:
    np.save(tmp_path / "a.npy", values, allow_pickle=True)
    assert expected in _refusal(tmp_path / "a.npy", labelled=False)


def _npz(path: Path, **arrays: Any) -> Path:
    np.savez(path / "a.npz", **arrays)
    return path / "a.npz"


X = np.arange(12, dtype=np.float32).reshape(6, 2)


def test_sequences_of_any_length(tmp_path: Path) -> None:
    path = _npz(tmp_path, X=X, ptr=[0, 2, 6], y=[1, 0], is_test=[0, 1], who=["ann", "bob"])
    data = read([path], DataFormat(group="who"))
    assert [(len(i.values), i.label, i.part, i.group) for i in data.items] == [
        (2, "1", "train", "ann"),
        (4, "0", "test", "bob"),
    ]
    np.testing.assert_array_equal(data.items[1].values, X[2:])
    assert data.items[1].start_row == 2


def test_rows_with_a_class_each(tmp_path: Path) -> None:
    path = _npz(tmp_path, X=X, y=[5, 5, 7, 7, 7, 5], t=np.arange(6) * 60 + 1.7e9)
    data = read([path], DataFormat(), rows=True)
    assert data.classes == ("5", "7")
    assert data.items[0].row_labels.tolist() == [0, 0, 1, 1, 1, 0]
    assert data.items[0].time[1] == 1.7e9 + 60
    cut = read([path], DataFormat())
    assert [(item.label, len(item.values)) for item in cut.items] == [("5", 2), ("7", 3), ("5", 1)]


def test_columns_of_an_npz_are_a_table(tmp_path: Path) -> None:
    path = _npz(tmp_path, date=["2026-01-01", "2026-01-02"], low=[1.0, 2], high=[3, 4])
    data = read([path], DataFormat(targets=("high",)), labelled=False)
    assert data.channels == ("low",)
    assert np.diff(data.items[0].time) == [86400]
    np.testing.assert_array_equal(data.items[0].targets, [[3], [4]])


def test_pairs_of_an_npz(tmp_path: Path) -> None:
    path = _npz(tmp_path, X=X, ptr=[0, 2, 6], reply=X[:3, :1], reply_ptr=[0, 1, 3])
    data = read([path], DataFormat(), labelled=False)
    assert [item.reply.tolist() for item in data.items] == [[[0]], [[2], [4]]]
    assert data.reply_names == (("y0", ""),)


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"X": X, "ptr": [0, 2], "y": [1]}, "expected whole numbers that rise from 0 to the 6"),
        ({"X": X, "ptr": [0, 3, 3, 6], "y": [1, 2, 3]}, "ptr[2] is 3, expected more than 3"),
        ({"X": X, "ptr": [0, 7, 6], "y": [1, 2]}, "ptr[2] is 6, expected more than 7"),
        ({"X": X, "ptr": [0, 2, 6], "y": [1]}, "y has shape (1,), expected (2,)"),
        ({"X": X, "ptr": [0.0, 2, 6], "y": [1, 2]}, "type float64"),
        ({"X": X, "ptr": [0, 6], "y": [1], "reply": X}, "no array reply_ptr"),
        ({"X": X, "ptr": [0, 6], "y": [1], "is_test": [1, 2]}, "is_test has shape (2,)"),
    ],
)
def test_unusable_sequences_are_refused(tmp_path: Path, arrays: Any, expected: str) -> None:
    assert expected in _refusal(_npz(tmp_path, **arrays))


# .ts

TS = """# a comment
@problemName Two
@timeStamps false
@missing true
@univariate false
@dimensions 2
@equalLength false
@classLabel true rest walk
@data
1,2,3:4,5,6:walk
7,?:8,9:rest
"""


def test_ts_files(tmp_path: Path) -> None:
    path = tmp_path / "Two_TRAIN.ts"
    path.write_text(TS)
    data = read([path], DataFormat(missing="hold"))
    assert data.classes == ("rest", "walk")
    assert [(i.label, i.part) for i in data.items] == [("walk", "train"), ("rest", "train")]
    np.testing.assert_array_equal(data.items[1].values, [[7, 8], [np.nan, 9]])
    assert "line 11: values row 1, channel 0 is nan" in _refusal(path)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("1,2,3:", "1,2:", "line 10: dimensions of 2 and of 3 values"),
        ("1,2,3:", "", "line 11: 2 dimensions, the first series has 1"),
        (":walk", ":run", "line 10: class 'run', expected one of rest, walk"),
        ("1,2,3", "1,x,3", "line 10: could not convert string to float: 'x'"),
        ("@timeStamps false", "@timeStamps true", "line 3: series with time stamps"),
        ("@classLabel true rest walk", "@targetLabel true", "line 8: one number a series"),
        ("@data\n", "", "line 9: '1,2,3:4,5,6:walk', expected @data"),
        ("1,2,3:4,5,6:walk\n7,?:8,9:rest\n", "", "no series behind @data"),
    ],
)
def test_unusable_ts_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    path = tmp_path / "a.ts"
    path.write_text(TS.replace(old, new))
    assert expected in _refusal(path)


# Edge Impulse


def _edge(**changes: Any) -> dict[str, Any]:
    payload = {
        "device_name": "ac:87:a3:0a:2d:1b",
        "device_type": "DISCO-L475VG-IOT01A",
        "interval_ms": 10,
        "sensors": [{"name": "accX", "units": "m/s2"}, {"name": "n", "units": "N/A"}],
        "values": [[-9.81, 0.03], [1, 2], [3, 4]],
    }
    payload.update(changes)
    return {
        "protected": {"ver": "v1", "alg": "HS256", "iat": 1564128599},
        "signature": "0" * 64,
        "payload": payload,
    }


@pytest.mark.parametrize("suffix", ["json", "cbor"])
def test_edge_impulse_files(tmp_path: Path, suffix: str) -> None:
    document = _edge()
    raw = json.dumps(document).encode() if suffix == "json" else cbor2.dumps(document)
    for label in ("walk", "rest"):
        (tmp_path / f"{label}.1a2b3c.{suffix}").write_bytes(raw)
    data = read([tmp_path], DataFormat())
    assert (data.channels, data.units, data.classes) == (
        ("accX", "n"),
        ("m/s2", ""),
        ("rest", "walk"),
    )
    np.testing.assert_allclose(data.items[0].values[0], [-9.81, 0.03], rtol=1e-6)
    np.testing.assert_allclose(data.items[0].time, [0, 0.01, 0.02])


def test_labels_and_parts_of_info_labels(tmp_path: Path) -> None:
    for part in ("training", "testing"):
        (tmp_path / part).mkdir()
        (tmp_path / part / f"{part}.json").write_text(json.dumps(_edge()))
    entries = [
        {"path": f"{part}/{part}.json", "category": part, "label": {"type": "label", "label": "go"}}
        for part in ("training", "testing")
    ]
    (tmp_path / "info.labels").write_text(json.dumps({"version": 1, "files": entries}))
    data = read([tmp_path], DataFormat())
    assert [(item.label, item.part) for item in data.items] == [("go", "test"), ("go", "train")]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], "no payload"),
        (_edge(sensors=[]), "payload.sensors is missing"),
        (_edge(sensors=[{"name": "a"}, {"name": "a"}]), "two sensors have the same name"),
        (_edge(interval_ms=0), "payload.interval_ms is 0"),
        (_edge(values=[]), "payload.values is missing"),
        (_edge(values=[[1, 2], [3]]), "sample 1 is [3], expected 2 numbers"),
        (_edge(values=[[1, "x"]]), "sample 0 holds 'x'"),
        (_edge(values=[[1, None]]), "row 0, channel 1 is nan"),
    ],
)
def test_unusable_edge_impulse_files_are_refused(
    tmp_path: Path, document: Any, expected: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document))
    assert expected in _refusal(path)


MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY\x01\x00", b"RIFF\0\0\0\0WAVEfmt ", b"PAR1", b"{")


@settings(max_examples=100, deadline=None)
@given(raw=st.one_of(st.binary(max_size=80), st.builds(add, st.sampled_from(MAGIC), st.binary())))
@pytest.mark.parametrize("suffix", ["json", "cbor", "ts", "wav", "npy", "parquet", "txt"])
def test_any_bytes_are_read_or_refused_in_one_line(
    raw: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / f"a.{suffix}"
    path.write_bytes(raw)
    try:
        read([path], DataFormat(), labelled=False)
    except DataError as error:
        assert "\n" not in str(error)


# WAV


def _wav(path: Path, samples: Any, rate: int = 8000) -> Path:
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples, "<i2").tobytes())
    return path


def test_wav_files_give_coefficients_with_labels_and_groups(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).integers(-3000, 3000, 2000)
    _wav(tmp_path / "yes" / "0a1b_nohash_0.wav", sound)
    _wav(tmp_path / "no" / "0a1b_nohash_1.wav", sound[:100])
    data = read([tmp_path], DataFormat(mfcc={"coefficients": 10}))
    assert data.channels == tuple(f"mfcc{i}" for i in range(10))
    assert [(i.label, i.group, i.values.shape) for i in data.items] == [
        ("no", "0a1b", (1, 10)),
        ("yes", "0a1b", (14, 10)),
    ]
    assert np.diff(data.items[1].time)[0] == 128 / 8000
    assert "sound at 8000 Hz: 10 coefficients of 20 bands from 80 to 4000 Hz" in data.notes[0]


def test_sounds_of_two_rates_are_refused(tmp_path: Path) -> None:
    paths = [_wav(tmp_path / f"{rate}.wav", [1] * 300, rate) for rate in (8000, 16000)]
    with pytest.raises(DataError, match=r"16000\.wav: 16000 samples per second, .* has 8000"):
        read(paths, DataFormat())


def test_a_run_takes_no_sound_of_another_rate(tmp_path: Path) -> None:
    first = read([_wav(tmp_path / "a.wav", [1] * 300)], DataFormat(), labelled=False)
    form = first.as_read(DataFormat())
    assert form.mfcc == {"rate": 8000}
    assert len(read([tmp_path / "a.wav"], form, labelled=False).items) == 1
    path = _wav(tmp_path / "b.wav", [1] * 300, 16000)
    with pytest.raises(DataError, match=r"b\.wav: 16000 samples .*, the model's sound has 8000;"):
        read([path], form, labelled=False)
    assert replace(first, sound_rate=0).as_read(DataFormat()) == DataFormat()


@pytest.mark.parametrize(
    ("keep", "length", "expected"),
    [
        (44 + 400, 600, "cut short, 400 of 600 bytes of sound are there"),
        (44 + 399, 600, "cut short, 399 of 600 bytes"),
        (44 + 599, 599, "599 bytes of sound are no whole number of samples of 2 bytes"),
        (44 + 600, 0xFFFFFFFF, "cut short, 600 of 4,294,967,295 bytes"),
        (44, 0, "0 samples at 8000 Hz"),
        (20, 600, "no WAV, or damaged"),
        (5, 600, "no WAV, or damaged"),
    ],
)
def test_sound_that_is_not_whole_is_refused(
    tmp_path: Path, keep: int, length: int, expected: str
) -> None:
    path = _wav(tmp_path / "a.wav", [1] * 300)
    raw = bytearray(path.read_bytes())
    raw[40:44] = length.to_bytes(4, "little")
    path.write_bytes(raw[:keep])
    with pytest.raises(DataError, match=rf"a\.wav: .*{expected}") as error:
        read([path], DataFormat(), labelled=False)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"frames": 1}, "mfcc has no option 'frames'"),
        ({"bands": 5}, "13 coefficients from 5 bands"),
        ({"high": 9000}, "bands from 80 to 9000 Hz"),
        ({"bands": 200}, "narrower than the spectrum"),
        ({"hop_ms": 0}, "between 0 and 1000 ms"),
    ],
)
def test_impossible_recipes_are_refused(
    tmp_path: Path, options: dict[str, float], expected: str
) -> None:
    path = _wav(tmp_path / "a.wav", [1] * 300)
    with pytest.raises(DataError) as error:
        read([path], DataFormat(mfcc=options))
    assert expected in str(error.value)


def test_the_spoken_digits_have_their_coefficients(data: Path, tmp_path: Path) -> None:
    """Against coefficients that another program made, as float16."""
    with np.load(data / "fsdd" / "fsdd_wave_subset.npz") as sounds:
        clips = {name: sounds[name] for name in sounds.files}
    with np.load(data / "fsdd" / "fsdd_mfcc.npz") as made:
        known = {name: made[name] for name in made.files}
    places = {
        key: place
        for place, key in enumerate(
            zip(*(known[name].tolist() for name in ("y", "speaker", "index")), strict=True)
        )
    }
    for clip in range(0, 600, 30):
        sound = clips["wave"][clips["ptr"][clip] : clips["ptr"][clip + 1]]
        key = tuple(int(clips[name][clip]) for name in ("y", "speaker", "index"))
        path = _wav(tmp_path / f"{key[0]}_{key[1]}_{key[2]}.wav", sound)
        place = places[key]
        expected = known["mfcc"][known["ptr"][place] : known["ptr"][place + 1]]
        found = read([path], DataFormat()).items[0]
        assert found.label == str(key[0])
        assert found.values.shape == expected.shape
        np.testing.assert_allclose(found.values, expected, atol=4e-3, rtol=1e-3)


def test_a_tone_is_loudest_in_its_band() -> None:
    recipe, rate = Mfcc(), 8000
    for frequency in (300.0, 1000.0, 3000.0):
        tone = np.sin(2 * np.pi * frequency * np.arange(256) / rate) * np.hanning(256)
        energies = recipe.filters(rate) @ np.abs(np.fft.rfft(tone)) ** 2
        mel = 2595 * np.log10(1 + np.array([80, frequency, 4000]) / 700)
        place = (mel[1] - mel[0]) / (mel[2] - mel[0]) * (recipe.bands + 1) - 1
        assert abs(int(np.argmax(energies)) - place) <= 1


@pytest.mark.parametrize(
    ("file", "form", "recordings", "channels"),
    [
        ("japanese_vowels/japanese_vowels.npz", DataFormat(), 640, 12),
        ("fsdd/fsdd_mfcc.npz", DataFormat(group="speaker"), 3000, 13),
        ("basic_motions/basic_motions.npz", DataFormat(), 80, 6),
        ("occupancy/occupancy.npz", DataFormat(ignore=("Light",)), 3, 4),
        ("nab_machine_temp/nab_machine_temp.npz", DataFormat(label="in_anomaly_window"), 1, 1),
        ("csv/ETTh1.csv", DataFormat(label="none"), 1, 7),
        ("csv/occupancy/datatraining.txt", DataFormat(label="Occupancy"), 1, 5),
        ("csv/daily-min-temperatures.csv", DataFormat(label="none"), 1, 1),
    ],
)
def test_real_sets_are_read(
    data: Path, file: str, form: DataFormat, recordings: int, channels: int
) -> None:
    found: Recordings = read([data / file], form, labelled=form.label != "none", rows=True)
    assert len(found.items) == recordings
    assert len(found.channels) == channels
    timed = "csv" in file or "occupancy" in file or "nab" in file
    assert (found.items[0].time is not None) == timed
