"""Which task data is for: the same for `rnnedge data`, which trains nothing, and for training."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.api import describe_data
from rnnedge.commands.trainline import train_line
from rnnedge.data.tasks import found_task, read_for
from rnnedge.errors import DataError
from rnnedge.run import DataFormat
from tests.cli import rnnedge

USUAL = DataFormat()


def table(path: Path, labels: list[str], *, start: int = 0, gap: int = 0) -> list[str]:
    """Rows of a clock that runs on, but for `gap` s wherever the label changes."""
    rng = np.random.default_rng(start)
    lines, clock = [], start
    for before, label in zip([labels[0], *labels], labels, strict=False):
        clock += 1 + (gap if label != before else 0)
        lines.append(f"{clock},{rng.normal():.3f},{rng.normal():.3f},{label}")
    path.write_text("\n".join(["time [s],x,y,label", *lines]) + "\n")
    return lines


def both(path: Path, form: DataFormat = USUAL) -> str:
    """Return the task, after a look whether both ways to it lead to the same one."""
    found = read_for(None, [path], form)
    assert describe_data([path], form)["task"]["name"] == found.task
    assert found_task(found.data, form)[0] == found.task or found.task == "label"
    return found.task


def test_a_label_that_changes_while_the_clock_runs_on_is_told_at_each_row(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    table(file, (["rest"] * 20 + ["walk"] * 20) * 4)
    assert both(file) == "label"
    found = read_for(None, [file], USUAL)
    assert len(found.data.items) == 1
    assert found.data.items[0].row_labels is not None
    assert describe_data([file])["recordings"] == 1
    table(file, (["rest"] * 20 + ["walk"] * 20) * 4, gap=60)
    assert both(file) == "classify"
    assert both(file, DataFormat(recording_rows=20)) == "classify"


def test_labels_inside_numbered_recordings_are_told_at_each_row(tmp_path: Path) -> None:
    X, y = np.random.default_rng(0).normal(size=(80, 2)), np.repeat([0, 1, 0, 1], 20)
    file = tmp_path / "a.npz"
    np.savez(file, X=X, y=y, ptr=np.array([0, 40, 80]))
    assert both(file) == "label"
    np.savez(file, X=X, y=y, ptr=np.array([0, 20, 40, 60, 80]))
    assert both(file) == "classify"
    np.savez(file, X=X, y=y)
    document = describe_data([file])["task"]
    assert document["name"] == "classify"
    assert "--task label answers at each row" in document["reason"]


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("a,b\n1,2\n3,1\n2,2\n", "forecast"),
        ("a,label\n1,normal\n2,normal\n", "anomaly"),
        ("a,label\n1,x\n2,x\n", "classify"),
    ],
)
def test_few_or_no_labels(tmp_path: Path, text: str, task: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    assert both(tmp_path / "a.csv") == task


def test_what_columns_are_for_asks_for_a_task(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b,label\n1,3,x\n2,3,x\n3,3,x\n")
    for form, task in (
        (DataFormat(targets=("a",)), "forecast"),
        (DataFormat(start=("b",)), "generate"),
    ):
        found = read_for(None, [tmp_path / "a.csv"], replace(form, ignore=("label",)))
        assert found.task == task
        assert found.reason.startswith("--")


def test_words_without_a_label_are_named_with_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,kind\n1,run\n2,run\n")
    with pytest.raises(
        DataError, match=r"no label column 'label'.*--label.*column 'kind' is 'run'"
    ):
        read_for(None, [tmp_path / "a.csv"], USUAL)
    with pytest.raises(DataError, match="no label column 'sort'"):
        read_for(None, [tmp_path / "a.csv"], DataFormat(label="sort"))


def _line(path: Path, **form: Any) -> str:
    chosen = DataFormat(**form)
    return train_line(describe_data([path], chosen), chosen, [path])


def test_the_command_to_train_repeats_the_options_and_adds_what_is_needed(tmp_path: Path) -> None:
    file = tmp_path / "my data.csv"
    lines = table(file, ["rest"] * 200)
    rows = [line.split(",") for line in lines]
    rows = [[at, x, "7", name] for number, (at, x, _, name) in enumerate(rows) if number != 50]
    rows[3][1] = ""
    file.write_text("\n".join(["time [s],x,y,kind", *map(",".join, rows)]) + "\n")
    words = f"rnnedge train '{file}' --task forecast --window 16 --ignore kind,y "
    words += "--resample 1 --missing interpolate --out 'runs/my data'"
    assert _line(file, ignore=("kind",)) == words
    table(file, ["rest"] * 200)
    assert "--resample" not in _line(file, ignore=("label",))
    (tmp_path / "b.csv").write_text("a,label\n1,x\n2,x\n")
    assert _line(tmp_path / "b.csv") == ""


def test_options_that_would_do_nothing_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    table(file, ["rest"] * 20)
    rnnedge("data", file, "--mfcc", "bands=20").refused("a.csv: no .wav, which --mfcc is for")
    rnnedge("data", file, "--target", "").refused("--target", "expected names")
    file.write_text("day,x\n" + "5,1\n5,2\n" * 9)
    rnnedge("data", file, "--time", "day").refused("'day' is the same in all rows", "--time")
    file.write_text("day,s,x\n" + "".join(f"2026-01-02,{at},1\n" for at in range(9)))
    rnnedge("data", file).refused("column 'day' is '2026-01-02', expected a number")
    rnnedge("data", file, "--time", "day").refused("same in all rows", "--ignore day")
    assert rnnedge("data", file, "--ignore", "day", "--json").json["time"] is None
    rnnedge("data", file, "--resample", "1/0").refused("1/0", "such as 50 or 1/60")


def test_bad_data_is_told_before_tensorflow_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    code = (
        "import sys; from rnnedge.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert end.code\n"
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    table(file, ["rest"] * 20)
    for words in (
        ["none.csv"],
        [str(file)],
        [str(file), "--task", "anomaly"],
        [str(file), "--cell", "x"],
        [str(file), "--target", "z"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, "train", *words, "--out", str(tmp_path / "run")],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == "[]", words
        assert done.stderr.startswith("Error: ") or "\nError: " in done.stderr


def test_a_threshold_or_rate_that_cannot_be_is_told_before_the_training(tmp_path: Path) -> None:
    file, rng = tmp_path / "a.csv", np.random.default_rng(0)
    words = ["train", file, "--out", tmp_path / "run"]
    file.write_text("x\n" + "\n".join(f"{value:.3f}" for value in rng.normal(size=400)) + "\n")
    words += ["--window", 16]
    rnnedge(*words, "--task", "anomaly").refused("more than 64 rows in the validation part")
    file.write_text("time [s],x\n" + "".join(f"{row}e-11,{row % 7}\n" for row in range(400)))
    rnnedge(*words).refused("a.csv: by the time stamps the rate is 1", "say it with --rate")


def test_help_loads_no_numpy() -> None:
    code = "import sys, rnnedge.cli\nprint('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_files_of_several_recordings_are_cut_into_them(tmp_path: Path) -> None:
    folder, rng = tmp_path / "moves", np.random.default_rng(0)
    folder.mkdir()
    for name, count in (("up", 5), ("down", 7), ("left", 6)):
        rows = "\n".join(f"{a:.3f},{b:.3f}" for a, b in rng.normal(size=(19 * count, 2)))
        (folder / f"{name}.csv").write_text(f"x,y\n{rows}\n")
    document = describe_data([folder])
    assert document["recording_rows"]["rows"] == 19
    assert document["window"] == {
        "rows": 19, "reason": "all recordings have this length", "own": True,
    }  # fmt: skip
    assert "--task classify --recording-rows 19 --out" in _line(folder)
    (folder / "up.csv").write_text((folder / "up.csv").read_text() + "1,2\n")
    document = describe_data([folder])
    assert document["recording_rows"] is None
    assert re.match(r"class '\w+' has 1 recording", document["refused"])
    assert _line(folder) == ""
    shown = rnnedge("data", folder).out
    assert "it cannot be trained so: class" in shown
    assert "to train it" not in shown


def test_recordings_of_different_length_need_no_window(tmp_path: Path) -> None:
    file, rng = tmp_path / "a.npz", np.random.default_rng(0)
    lengths = rng.integers(7, 30, 40)
    np.savez(
        file, X=rng.normal(size=(int(lengths.sum()), 2)), ptr=np.cumsum([0, *lengths]),
        y=np.arange(40) % 2,
    )  # fmt: skip
    document = describe_data([file])
    assert document["window"]["own"]
    assert document["window"]["rows"] == lengths.max()
    assert "--window" not in _line(file)
    assert "--task classify --out" in _line(file)


def test_the_only_file_of_a_folder_names_no_class(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    np.savez(folder / "series.npz", value=np.random.default_rng(0).normal(size=900))
    assert both(folder) == "forecast"
    assert describe_data([folder])["classes"] == []
    assert "--task forecast" in _line(folder)
    (folder / "series.npz").rename(folder / "normal.npz")
    assert describe_data([folder])["task"]["name"] == "anomaly"
    assert read_for(None, [folder], USUAL).task == "anomaly"


def test_a_resampling_that_changes_nothing_is_not_suggested(tmp_path: Path) -> None:
    def write(stamps: list[int]) -> Path:
        rows = (f"{at},{at % 7}" for at in stamps)
        (tmp_path / "a.csv").write_text("\n".join(["time [s],x", *rows]) + "\n")
        return tmp_path / "a.csv"

    assert "--resample" not in _line(write([*range(300), *range(250, 600)]))
    assert "--resample" not in _line(write([*range(300), *range(350, 600)]))
    assert "--resample 1 " in _line(write([*range(300), *range(302, 600)]))
    assert "--resample 1/86400 " in _line(write([at * 86400 for at in range(600) if at != 99]))
    given = write([at * 3725 for at in range(600)])
    assert "--resample 1/3725 " in _line(given, resample=1 / 3725)


def test_columns_that_look_like_a_label_or_a_number_of_recordings_are_named(
    tmp_path: Path,
) -> None:
    rng, file = np.random.default_rng(0), tmp_path / "a.csv"
    state, run = np.arange(2000) // 250 % 2, np.arange(2000) // 40
    noise, bit = rng.normal(size=2000), rng.integers(0, 2, 2000)
    rows = zip(state, run, noise, bit, strict=True)
    text = "".join(f"{a},{b},{c:.3f},{d}\n" for a, b, c, d in rows)
    file.write_text(f"state,run,x,bit\n{text}")
    document = describe_data([file])
    hints = [line for line in document["notes"] if "if it" in line]
    assert len(hints) == 2
    assert "--label state --task label" in hints[0]
    assert "channel run never falls" in hints[1]
    assert hints[1].endswith("if it numbers the recordings: --recording run")
    assert not any("run" in line or "limit" in line for line in document["warnings"])
    assert both(file, DataFormat(label="state", recording="run")) == "label"
    document = describe_data([file], DataFormat(label="state", recording="run"))
    assert not any("if it" in line for line in document["notes"])


def test_which_options_took_the_columns_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("run,freq,y\n" + "".join(f"{at // 9},{at // 9},{at}\n" for at in range(90)))
    words = ["data", file, "--recording", "run", "--start", "freq"]
    rnnedge(*words, "--target", "y").refused(
        "no channel is left among run, freq, y: --target took y, --start took freq, --recording "
        "took run; generate needs no --target"
    )
    assert "suggested: --task generate" in rnnedge(*words).out
    file.write_text("y\n" + "".join(f"{at % 9}\n" for at in range(400)))
    assert "--task forecast" in _line(file, targets=("y",))
