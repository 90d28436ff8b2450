"""What the user is told of the data before the training."""

from pathlib import Path

import numpy as np

from rnnedge.data.readers import read
from rnnedge.data.remarks import remarks
from rnnedge.data.split import split
from rnnedge.run import DataFormat


def told(path: Path, form: DataFormat, window: int = 8) -> str:
    data = read([path], form)
    parts = split(
        data, None, window=window, hop=4, validation_fraction=0.2, test_fraction=0.2, seed=0
    )
    return "\n".join(remarks(data, parts, form))


def write(path: Path) -> Path:
    """Alternating labels, one short run among them, and a time stamp as the first column."""
    rng = np.random.default_rng(0)
    lines, time = ["t,ax [g],label"], 0
    for run in range(24):
        for _ in range(3 if run == 5 else 20):
            time += 1
            lines.append(f"{time},{rng.normal():.3f},{'ab'[run % 2]}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_what_was_taken_left_out_and_looks_wrong_is_told(tmp_path: Path) -> None:
    text = told(write(tmp_path / "d.csv"), DataFormat())
    assert "channels: t, ax [g]" in text
    assert "left out: 1 recording shorter than a window of 8" in text
    assert "a recording was taken to end wherever the label changes" in text
    assert "channel t only grows; if it is a time or a count, --ignore t" in text
    assert "channel ax" not in text


def test_nothing_is_noted_where_nothing_is_unusual(tmp_path: Path) -> None:
    lines = (write(tmp_path / "d.csv")).read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    numbered = ["r,ax,label"] + [
        f"{i // 20},{row[1]},{'ab'[i // 20 % 2]}" for i, row in enumerate(rows[:460])
    ]
    (tmp_path / "n.csv").write_text("\n".join(numbered) + "\n")
    text = told(tmp_path / "n.csv", DataFormat(recording="r"))
    assert "note:" not in text
    assert "left out" not in text
