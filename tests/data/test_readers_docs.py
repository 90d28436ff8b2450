"""The examples of docs/data.md are read as it says."""

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest

from rnnedge.data.readers import read
from rnnedge.data.readers.files import KINDS, kind
from rnnedge.run import DataFormat

TEXT = (Path(__file__).parents[2] / "docs" / "data.md").read_text()


def _example(section: str, place: int = 0) -> str:
    """The indented block of a section, as a file's content."""
    body = TEXT.split(f"\n## {section}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"(?:^(?: {4}.*)?\n)+", body, re.MULTILINE)
    filled = [block for block in blocks if block.strip()]
    return textwrap.dedent(filled[place]).strip("\n").split("\n\nrnnedge ")[0] + "\n"


@pytest.mark.parametrize(
    ("section", "name", "form", "channels", "labels"),
    [
        ("CSV", "d.csv", DataFormat(label="state", recording="run"), ["ax", "ay"], "rest walk"),
        ("TS", "d.ts", DataFormat(missing="hold"), ["x0", "x1"], "one"),
        ("Edge Impulse", "walk.1a2b3c.json", DataFormat(), ["accX", "accY"], "walk"),
        ("Text", "names.txt", DataFormat(text="characters", recording_rows=1), ["character"], ""),
    ],
)
def test_examples_are_read(
    tmp_path: Path, section: str, name: str, form: DataFormat, channels: list[str], labels: str
) -> None:
    (tmp_path / name).write_text(_example(section))
    data = read([tmp_path / name], form)
    assert list(data.channels) == channels
    assert [item.label for item in data.items if item.label] == labels.split()


def test_the_example_of_a_manifest_is_read(tmp_path: Path) -> None:
    listed = _example("Folders and manifests", 1)
    (tmp_path / "list.csv").write_text(listed)
    (tmp_path / "logs").mkdir()
    for name in re.findall(r"logs/\w+\.csv", listed):
        (tmp_path / name).write_text("x\n1\n2\n")
    data = read([tmp_path / "list.csv"], DataFormat(start=("mass",)))
    assert [(item.label, item.group, item.part) for item in data.items] == [
        ("circle", "ann", "train"),
        ("line", "bob", "test"),
    ]


def test_the_examples_of_arrays_are_read(tmp_path: Path) -> None:
    calls = re.findall(
        r'np\.savez\("(\w+\.npz)", (.*?)\)  *#|np\.savez\("(\w+\.npz)", (.*)\)', TEXT
    )
    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    known = {
        "X": rows.reshape(2, 3, 2),
        "y": [0, 1],
        "rows": rows,
        "ptr": [0, 2, 6],
        "classes": [0, 0, 1, 1, 1, 0],
        "seconds": np.arange(6) * 0.02,
        "other": rows[:3],
        "other_ptr": [0, 1, 3],
        "dates": ["2026-01-01", "2026-01-02"],
        "low": [1.0, 2.0],
        "high": [3.0, 4.0],
    }
    assert len(calls) == 5
    for call in calls:
        name, arguments = (call[0], call[1]) if call[0] else (call[2], call[3])
        pairs = [argument.split("=") for argument in arguments.split(", ")]
        np.savez(tmp_path / name, **{key: known[value] for key, value in pairs})
        labelled = "y" in dict(pairs)
        assert read([tmp_path / name], DataFormat(), labelled=labelled).items


def test_every_suffix_is_named() -> None:
    table = TEXT.split("\n## ")[0]
    suffixes = re.findall(
        r"\.(\w+)", "".join(re.findall(r"^\| (`.*?`[^|]*)\|", table, re.MULTILINE))
    )
    assert {kind(Path(f"a.{suffix}")) for suffix in suffixes} == set(KINDS)
