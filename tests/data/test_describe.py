"""rnnedge data: what is in a data set, and what is wrong with it."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.api.describing import describe_data
from rnnedge.commands.data import duration, sparkline
from rnnedge.data import channelstats
from rnnedge.data.channelstats import channel_stats
from rnnedge.data.describe import describe
from rnnedge.data.plots import picture
from rnnedge.data.readers import Recording, Recordings
from rnnedge.data.suggest import suggested_window
from rnnedge.run import DataFormat
from tests.cli import rnnedge
from tests.train.helpers import waves_csv


def noise(rows: int, channels: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(rows, channels))


def item(values: Any, label: str | None = None, **more: Any) -> Recording:
    made = Recording(
        values=np.asarray(values, dtype=np.float32), label=label, group=None,
        source=f"{label} {len(values)}", file="f", start_row=0,
    )  # fmt: skip
    return replace(made, **more)


def data(*items: Recording) -> Recordings:
    names = tuple(f"c{index}" for index in range(items[0].values.shape[1]))
    labels = sorted({one.label for one in items if one.label is not None})
    return Recordings(items=items, channels=names, units=("",) * len(names), classes=tuple(labels))


def told(*items: Recording, **form: Any) -> str:
    return "\n".join(describe(data(*items), DataFormat(**form))["warnings"])


@pytest.mark.parametrize("chunk", [7, 1 << 17])
def test_channel_figures_are_those_of_numpy(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channelstats, "_CHUNK", chunk)
    values = noise(500, 3) * [1, 10, 0] + [0, 1000, 4]
    values[::9, 0] = np.nan
    values[::5, 1] = 1000 + 12
    values[:, 1] = np.minimum(values[:, 1], 1012)
    first, second, third = channel_stats(data(item(values[:200]), item(values[200:])))
    real = values.astype(np.float32).astype(np.float64)
    for index, found in enumerate((first, second, third)):
        column = real[~np.isnan(real[:, index]), index]
        assert (found.min, found.max) == (column.min(), column.max())
        assert found.mean == pytest.approx(column.mean(), rel=1e-9)
        assert found.std == pytest.approx(column.std(), rel=1e-9)
        assert (found.count, found.missing) == (len(column), 500 - len(column))
        assert found.at_max == pytest.approx((column == column.max()).mean())
        assert found.at_min == pytest.approx((column == column.min()).mean())
    assert (first.missing, second.saturated, first.saturated) == (56, True, False)
    assert (third.constant, third.std, third.histogram) == (True, 0.0, ())
    assert sum(first.histogram) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("chunk", [7, 1 << 17])
def test_a_growing_channel_grows_within_recordings(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channelstats, "_CHUNK", chunk)
    up, down = np.arange(40.0)[:, None], np.arange(40.0)
    down[21] = 3  # the first row of a chunk
    assert channel_stats(data(item(up), item(up)))[0].growing
    assert not channel_stats(data(item(down[:, None])))[0].growing


def test_what_looks_wrong_in_channels_is_told() -> None:
    values = noise(2000, 5)
    values[:, 0], values[:, 1] = 7, np.arange(2000)
    values[:, 2] = np.clip(values[:, 2], -1.5, 1.5)
    values[1234, 3] = 400
    text = told(item(values))
    assert "channel c0 is always 7; --ignore c0" in text
    assert "channel c1 only grows; if it is a time or a count, --ignore c1" in text
    assert re.search(r"channel c2: \d.* % of the samples are at its limit -?1.5;", text)
    assert "channel c3: 0.05 % of the samples are more than 8" in text
    assert "c4" not in text


def test_what_float32_rounds_away_is_told(tmp_path: Path) -> None:
    """A large offset; what is to be forecast is not to be ignored."""
    waves = np.sin(np.arange(90) / 7)
    rows = [f"{1e9 + wave},{1e7 + wave},{1e5 + wave}" for wave in waves]
    path = tmp_path / "d.csv"
    path.write_text("\n".join(["a,b,c", *rows]))
    for form, cure in (
        (DataFormat(), "--ignore a"),
        (DataFormat(targets=("a",)), "another --targ"),
    ):
        text = "\n".join(describe_data([path], form)["warnings"])
        assert "channel a is always 1e+09; float32 has steps of 64 there" in text
        assert cure in text
        assert "channel b: float32 has steps of 1 at 1e+07" in text
        assert "channel c" not in text


def test_what_looks_wrong_in_classes_is_told() -> None:
    items = [item(noise(100, 1, n), "a", group="x") for n in range(12)]
    items += [item(noise(20, 1, 50), "b"), item(noise(30, 1, 60), "b")]
    text = told(*items)
    assert "too few recordings for 3 parts: b (2)" in text
    assert "unbalanced: a has 1,200 rows, b 50; look at macro F1" in text
    assert "recordings of a have 100 rows (median), those of b 25" in text
    assert "classes that only one group has: a" in text
    fine = [item(noise(50, 1, n), "ab"[n % 2], group=f"g{n // 2}") for n in range(12)]
    assert told(*fine) == ""


def test_copies_of_recordings_are_told_and_where_they_are() -> None:
    one = noise(64, 2)
    items = [item(one, "a", part="train"), item(noise(64, 2, 1), "b", part="train")]
    items += [item(one, "a", part="test", source="copy"), item(noise(64, 2, 2), "b", part="test")]
    text = told(*items)
    assert "1 stretches of 64 rows are in two recordings" in text
    assert "1 of them in the training and in the test part; such as a 64 and copy" in text
    still = [item(np.ones((64, 2)), "a"), item(np.ones((64, 2)), "a")]
    assert "stretches" not in told(*still)


def test_other_rates_and_missing_values_are_told() -> None:
    time = np.arange(100) * 0.01
    items = [item(noise(100, 1, n), time=time, source=f"r{n}") for n in range(4)]
    items += [item(noise(100, 1, 9), time=time * 2, source="slow")]
    text = told(*items)
    assert "1 recording of another rate than 100 per second, such as slow (50 per" in text
    holes = noise(50, 2)
    holes[3, 1] = np.nan
    assert "row 4 'c1': missing, the first of 1 missing values; --missing" in told(item(holes))
    filled = describe(data(item(holes)), DataFormat(missing="hold"))
    assert filled["warnings"] == []
    assert "missing values: 1 (c1 1)" in filled["notes"][0]


def test_the_window_follows_the_data() -> None:
    wave = np.sin(np.arange(3000) * 2 * np.pi / 25)[:, None] + 0.1 * noise(3000, 1)
    assert suggested_window(data(item(wave)), None) == (75, "3 times the strongest period, 25 rows")
    assert suggested_window(data(item(noise(3000, 1))), 50.0) == (128, "2.56 s")
    assert suggested_window(data(item(noise(3000, 1))), None)[0] == 64
    same = data(item(noise(119, 1)), item(noise(119, 1)))
    assert suggested_window(same, 50.0) == (119, "all recordings have this length")
    for rows in (1, 2, 9, 70):
        assert 1 <= suggested_window(data(item(noise(rows, 1))), None)[0] <= max(1, rows // 2)


def test_a_picture_is_the_same_each_time() -> None:
    time = np.concatenate([np.arange(50), np.arange(80, 130)]).astype(float)
    labels = np.repeat([0, -1, 1], [40, 20, 40])
    values = noise(100, 2)
    values[10:20, 0] = np.nan
    some = replace(data(item(values, time=time, row_labels=labels)), classes=("a$x_1", "b"))
    drawn = picture(some, "svg")
    assert drawn == picture(some, "svg")
    assert drawn.startswith(b"<?xml")
    assert picture(some, "png").startswith(b"\x89PNG")
    assert drawn != picture(replace(some, classes=("a", "b")), "svg")


def test_the_command_shows_draws_and_trains_nothing(tmp_path: Path) -> None:
    file = waves_csv(tmp_path / "waves.csv", recordings=12)
    text = file.read_text().splitlines()
    text[30] = text[30].replace(text[30].split(",")[2], "")
    file.write_text("\n".join(text) + "\n")
    plot = tmp_path / "waves.png"
    shown = rnnedge("data", file, "--recording", "r", "--plot", plot)
    assert shown.code == 0, shown.err
    assert "12 recordings, 288 rows" in shown.out
    assert "x [V]" in shown.out
    assert "fast" in shown.out
    assert "suggested: --task classify" in shown.out
    assert "window: 24, without --window (all recordings have this length)" in shown.out
    assert "'y': missing, the first of 1 missing values" in shown.out
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["waves.csv", "waves.png"]
    document = rnnedge("data", file, "--recording", "r", "--json").json
    assert [row["missing"] for row in document["channels"]] == [0, 1]
    assert document["classes"][0] == {
        "name": "fast", "recordings": 6, "rows": 144, "median_rows": 24.0,
    }  # fmt: skip
    assert document == json.loads(json.dumps(document, allow_nan=False))


def test_the_command_refuses_in_one_line(tmp_path: Path) -> None:
    file = waves_csv(tmp_path / "waves.csv")
    rnnedge("data", tmp_path / "none.csv").refused("none.csv", "no such file")
    rnnedge("data", file, "--plot", tmp_path / "p.jpg").refused("p.jpg", ".png or .svg")
    (tmp_path / "bad.csv").write_bytes(b"a,b\n1,2\0\n")
    rnnedge("data", tmp_path / "bad.csv").refused("bad.csv")


def test_shares_and_durations_are_said_shortly() -> None:
    assert sparkline([]) == ""
    assert sparkline([0.5] * 24) == "█" * 12
    assert sparkline([0.0] * 12 + [1 / 12] * 12) == "······██████"
    assert [duration(seconds) for seconds in (0.5, 300, 7200, 172800)] == [
        "0.5 s", "5 min", "2 h", "2 days",
    ]  # fmt: skip


def test_equal_lines_of_text_and_a_channel_at_rest_are_no_faults(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("anna\notto\nanna\nada\n" * 5)
    document = rnnedge("data", tmp_path / "names.txt", "--text", "characters", "--json").json
    assert document["warnings"] == []
    assert document["window"] is None
    assert document["text"]["by"] == "characters"
    assert document["task"]["name"] == "next"
    rest = np.maximum(noise(2000, 1), 0)
    assert told(item(rest)) == ""
    coarse = [item(np.round(noise(40, 1, n) * 2), "ab"[n % 2]) for n in range(200)]
    coarse += [item(np.round(noise(3, 1, n)), "a") for n in range(3)]
    assert "sample for sample" not in told(*coarse)
