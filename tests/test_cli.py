"""The commands as a user calls them: what they print, how they end, what they leave behind."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnedge.output import new_folder, write_files
from tests.cli import rnnedge
from tests.runs import make_export, make_run

TINY = ["--units", "4", "--epochs", "2", "--window", "16"]


@pytest.fixture(scope="module")
def motor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of the simulated sensor."""
    path = tmp_path_factory.mktemp("data") / "motor.csv"
    assert rnnedge("sensor", "--out", path, "--recordings", 8, "--seconds", 0.5).code == 0
    return path


@pytest.fixture(scope="module")
def trained(motor: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a tiny model, trained through the command line."""
    run = tmp_path_factory.mktemp("runs") / "motor"
    done = rnnedge("train", motor, "--recording", "recording", *TINY, "--out", run, "--json")
    document = done.json
    assert set(document["variants"]) == {"float", "int8"}
    return run


def test_train_writes_a_run_folder_that_says_everything(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert names == {
        "run.json", "model.keras", "quantized.npz", "windows.npz", "metrics.json", "history.csv",
    }  # fmt: skip
    spec = json.loads((trained / "run.json").read_text())
    assert spec["classes"] == ["healthy", "unbalanced", "worn_bearing"]
    assert [c["name"] for c in spec["channels"]] == ["ax", "ay", "az"]
    assert {c["unit"] for c in spec["channels"]} == {"g"}
    assert all(c["std"] > 0 for c in spec["channels"])
    assert not list(trained.parent.glob(".motor*")), "nothing half-written is left"


def test_evaluate_compares_three_variants(trained: Path, motor: Path) -> None:
    document = rnnedge("evaluate", trained, "--json").json
    variants = document["variants"]
    assert list(variants) == ["float", "int8", "tflm"]
    for name, variant in variants.items():
        assert 0 <= variant["accuracy"] <= 1
        assert sum(map(sum, variant["confusion"])) == document["windows"]
        assert ("agreement" in variant) == (name != "float")
    assert variants["int8"]["agreement"] >= 0.9
    assert variants["tflm"]["agreement"] >= 0.9
    everything = rnnedge("evaluate", trained, motor, "--json").json
    assert everything["windows"] > document["windows"]
    shown = rnnedge("evaluate", trained).out
    assert "float" in shown and "confusion of int8" in shown


def test_export_twice_is_byte_identical_also_into_one_folder(trained: Path, tmp_path: Path) -> None:
    first = rnnedge("export", trained, "--out", tmp_path / "a", "--json").json
    (tmp_path / "a" / "mine.txt").write_text("kept")
    stamp = {p: p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}
    assert rnnedge("export", trained, "--out", tmp_path / "a").code == 0
    assert rnnedge("export", trained, "--out", tmp_path / "b", TZ="Asia/Tokyo").code == 0
    assert stamp == {p: p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}
    for name in first["files"]:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    assert {
        *(
            "src/motor.h",
            "src/motor_model.c",
            "src/motor/motor_golden.c",
            "src/rnnedge/include/rnnedge.h",
        ),
        *("extras/tflite/motor.tflite", "extras/tflite/motor_tflite.cc", "CMakeLists.txt"),
    } <= set(first["files"])


def test_verify_finds_no_difference_on_host_and_cortex_m4(trained: Path, tmp_path: Path) -> None:
    assert rnnedge("export", trained, "--out", tmp_path / "e").code == 0
    rows = rnnedge(
        "verify", trained, "--export", tmp_path / "e", "--target", "host", "--target", "cortex-m4",
        "--json",
    ).json  # fmt: skip
    windows = len(np.load(trained / "windows.npz")["X_test"])
    assert [row["target"] for row in rows] == ["host", "cortex-m4"]
    assert rows[0]["windows"] == windows
    assert rows[1]["windows"] == min(windows, 32)
    for row in rows:
        assert row["differences"] == 0
        assert row["values_compared"] == row["windows"] * (16 * 4 + 3)
    assert "host" in rnnedge("verify", trained).out


def test_one_changed_weight_in_an_exported_file_is_reported(trained: Path, tmp_path: Path) -> None:
    assert rnnedge("export", trained, "--out", tmp_path / "e").code == 0
    for kernel in ("rows", "dsp"):
        source = tmp_path / "e" / "src" / "motor" / f"weights_{kernel}.h"
        text = source.read_text()
        start = text.index("*/", text.index("RNNEDGE_FLASH = {")) + 2  # behind the first label
        *numbers, tail = text[start:].split(",", 7)  # a row of 4 + 3 columns
        changed = [str(int(n) + (-7 if int(n) > 0 else 7)) for n in numbers]
        source.write_text(f"{text[:start]} {','.join(changed)},{tail}")
    for target in ("host", "cortex-m4"):
        done = rnnedge("verify", trained, "--export", tmp_path / "e", "--target", target, "--json")
        assert done.code == 1
        (row,) = done.json
        assert row["differences"] > row["scores_compared"], "states are compared, not only scores"
        assert "expected" in row["first_difference"]


def test_an_export_of_another_run_is_refused(trained: Path, tmp_path: Path) -> None:
    make_export(tmp_path / "e", make_run(tmp_path / "other"))
    rnnedge("verify", trained, "--export", tmp_path / "e").refused("exported from another model")
    rnnedge("verify", trained, "--export", tmp_path).refused("rnnedge.json")
    rnnedge("verify", trained, "--export", tmp_path / "no").refused("no such folder")
    rnnedge("verify", trained, "--target", "z80").refused("z80", "host, cortex-m0", "all")
    rnnedge("bench", trained, "--target", "host").refused("cannot be measured", "cortex-m4")


def test_bench_reports_the_agreed_keys(trained: Path) -> None:
    (row,) = rnnedge("bench", trained, "--json").json
    assert {"target", "compiler", "cell", "units", "inputs", "steps", "per_step", "per_mac",
            "unit", "optimize", "code_bytes", "const_bytes", "ram_bytes",
            "stack_bytes"} <= set(row)  # fmt: skip
    assert row["unit"] == "instructions"
    assert row["per_step"] == row["per_step_min"] > 100
    assert "cortex-m4" in rnnedge("bench", trained, "--optimize", "size").out


def test_simulate_needs_no_labels(trained: Path, motor: Path, tmp_path: Path) -> None:
    lines = motor.read_text().splitlines()
    header = lines[0].split(",")
    keep = [i for i, name in enumerate(header) if name.split()[0] in ("ax", "ay", "az")]
    plain = "\n".join(",".join(line.split(",")[i] for i in keep) for line in lines[:101])
    (tmp_path / "plain.csv").write_text(plain + "\n")
    document = rnnedge("simulate", trained, tmp_path / "plain.csv", "--json").json
    assert [w["row"] for w in document["windows"]] == list(range(0, 85, 8))
    assert [w["line"] for w in document["windows"]] == list(range(2, 87, 8))
    assert all(1 / 3 <= w["probability"] <= 1 for w in document["windows"])
    assert {w["class"] for w in document["windows"]} <= set(document["classes"])
    assert "plain.csv" in rnnedge("simulate", trained, tmp_path / "plain.csv").out
    (tmp_path / "less.csv").write_text("ax,ay\n1,2\n")
    rnnedge("simulate", trained, tmp_path / "less.csv").refused("az")


BAD_DATA = {
    "empty.csv": ("", "empty"),
    "header.csv": ("ax,ay,label\n", "header"),
    "ragged.csv": ("ax,ay,label\n1,2,a\n1,2\n", "line 3"),
    "text.csv": ("ax,ay,label\n1,2,a\n1,oops,a\n", "oops"),
    "nan.csv": ("ax,ay,label\n1,2,a\n1,nan,a\n", "ay"),
    "one_class.csv": ("ax,label\n" + "1,a\n2,a\n" * 40, "one class"),
    "short.csv": ("ax,label\n" + "1,a\n2,a\n" * 3 + "1,b\n2,b\n" * 3, "window"),
    "no_label.csv": ("ax,ay\n1,2\n", "label"),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data_ends_in_one_line_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    content, word = BAD_DATA[name]
    (tmp_path / name).write_text(content)
    run = tmp_path / "deep" / "run"
    rnnedge("train", tmp_path / name, "--window", 16, "--out", run).refused(name, word)
    assert not run.exists()
    assert not list(run.parent.glob("*")) and not list(run.parent.glob(".*"))


def test_wrong_calls_end_in_one_line(tmp_path: Path, motor: Path, trained: Path) -> None:
    out = tmp_path / "run"
    rnnedge("train", tmp_path / "none.csv", "--out", out).refused("none.csv", "no such file")
    rnnedge("train", motor, "--cell", "gruu", *TINY, "--out", out).refused("gruu", "gru")
    rnnedge("train", motor, "--name", "double", *TINY, "--out", out).refused("double")
    rnnedge("train", "--test", motor, motor, "--out", out).refused("DATA")
    rnnedge("train", motor, "--out", trained, *TINY).refused("--force")
    rnnedge("train", motor, "--out", motor, *TINY).refused("is a file")
    rnnedge("train", motor, "--out", motor / "x", *TINY).refused("cannot be written")
    rnnedge("export", tmp_path / "none", "--out", out).refused("none")
    rnnedge("evaluate", tmp_path / "none").refused("none")
    rnnedge("export", trained, "--out", motor / "x").refused("is a file")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    rnnedge("train", motor, "--out", tmp_path / "notes", "--force").refused("not empty")
    assert not out.exists()


def test_a_truncated_keras_file_is_named(trained: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in trained.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / "model.keras").write_bytes((trained / "model.keras").read_bytes()[:5000])
    rnnedge("evaluate", copy).refused("model.keras")
    (copy / "quantized.npz").write_bytes((trained / "quantized.npz").read_bytes()[:500])
    for command in (["export", copy, "--out", tmp_path / "e"], ["verify", copy]):
        rnnedge(*command).refused("quantized.npz")
    assert not (tmp_path / "e").exists()


def test_missing_compiler_and_emulator_are_named(trained: Path, tmp_path: Path) -> None:
    rnnedge("verify", trained, PATH=str(tmp_path)).refused("cc: not found", "install")
    m4 = ["verify", trained, "--target", "cortex-m4"]
    rnnedge(*m4, PATH=str(tmp_path)).refused("arm-none-eabi-gcc: not found", "apt-get install")
    rnnedge("verify", trained, CC="no-such-cc").refused("no-such-cc: not found")


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rnnedge.errors import OutputError

    def full(self: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    write_files(tmp_path / "e", {"a": b"old", "b": b"old"})
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"No space left.*free some space"):
        write_files(tmp_path / "e", {"a": b"new", "b": b"new"})
    with pytest.raises(OutputError), new_folder(tmp_path / "run") as folder:
        (folder / "x").write_bytes(b"1")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "e"]
    assert (tmp_path / "e" / "a").read_text() == "old"


def test_no_word_after_test_becomes_training_data(motor: Path, tmp_path: Path) -> None:
    copies = []
    for name in ("a.csv", "b.csv", "c.csv"):
        copies.append(tmp_path / name)
        copies[-1].write_bytes(motor.read_bytes())
    a, b, c = copies
    base = ["train", "--recording", "recording", *TINY, "--out", tmp_path / "run", "--json"]
    for words in ([a, f"--test={b}", c], [a, "--test", b, c]):
        assert rnnedge(*base, "--force", *words).code == 0
        split = json.loads((tmp_path / "run" / "run.json").read_text())["split"]
        assert split["train"]["files"] == ["a.csv"]
        assert split["test"]["files"] == ["b.csv", "c.csv"]
    rnnedge("train", a, "--test", "--out", tmp_path / "o").refused("--test names no file")
    rnnedge("train", a, "--test", a, "--out", tmp_path / "o").refused("training and as test")


def test_files_of_another_run_are_refused(trained: Path, tmp_path: Path) -> None:
    make_run(tmp_path / "other", windows=5)
    for name, commands in (
        ("quantized.npz", ("verify", "evaluate", "bench")),
        ("windows.npz", ("verify", "evaluate")),
    ):
        copy = tmp_path / name
        copy.mkdir()
        for path in trained.iterdir():
            (copy / path.name).write_bytes(path.read_bytes())
        (copy / name).write_bytes((tmp_path / "other" / name).read_bytes())
        for command in commands:
            rnnedge(command, copy).refused(name, "not of this run")
    spec = json.loads((trained / "run.json").read_text())
    for change in (
        {"channels": spec["channels"][::-1]},
        {"classes": "abc"},
        {"window": "16"},
        {"hop": None},
        {"channels": []},
    ):
        (copy / "windows.npz").write_bytes((trained / "windows.npz").read_bytes())
        (copy / "run.json").write_text(json.dumps(spec | change))
        rnnedge("verify", copy).refused("run.json")


def test_labels_and_file_names_are_text_not_markup(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [
        f"{run},{rng.normal() + run % 2:.3f},{'[/b]' if run % 2 else ':smile:'}"
        for run in range(16)
        for _ in range(20)
    ]
    (tmp_path / "[b]x.csv").write_text("\n".join(["r,v,label", *rows]) + "\n")
    run = tmp_path / "run"
    done = rnnedge("train", tmp_path / "[b]x.csv", "--recording", "r", *TINY, "--out", run)
    assert done.code == 0, done.err
    shown = rnnedge("evaluate", run).out
    assert "[/b]" in shown and ":smile:" in shown
    assert "[b]x.csv" in rnnedge("simulate", run, tmp_path / "[b]x.csv").out
    assert rnnedge("verify", run).code == 0


def test_json_stays_alone_on_standard_output(motor: Path, tmp_path: Path) -> None:
    done = rnnedge(
        *("train", motor, "--recording", "recording", *TINY, "--learning-rate", 1e38),
        *("--out", tmp_path / "run", "--json"),
    )
    assert done.code == 1
    assert done.out == ""
    assert "learning rate" in done.err


def test_impossible_numbers_are_refused(motor: Path, tmp_path: Path) -> None:
    for option, value in (
        ("--rate", "inf"),
        ("--learning-rate", "nan"),
        ("--test-fraction", "5e-324"),
        ("--validation-fraction", "0.95"),
        ("--seed", 2**40),
        ("--units", 10**30),
        ("--unit", "zz=g"),
        ("--name", ""),
    ):
        out = tmp_path / "run"
        words = ["train", motor, "--recording", "recording", *TINY, "--out", out, option, value]
        assert rnnedge(*words).code != 0, option
        assert "Traceback" not in rnnedge(*words).err
    rnnedge("sensor", "--out", tmp_path / "s.csv", "--seconds", "nan").refused("seconds is nan")
    assert list(tmp_path.iterdir()) == []


def test_standard_output_that_is_full_is_named(trained: Path) -> None:
    command = [sys.executable, "-P", "-m", "rnnedge", "verify", str(trained), "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode != 0
    assert "No space left" in done.stderr and "Traceback" not in done.stderr
