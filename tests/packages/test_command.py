"""rnnedge export as a user calls it: formats, zip, another format into one folder, bad input."""

import json
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rnnedge.output import content_hash
from tests.cli import rnnedge
from tests.packages.helpers import run as run_program
from tests.runs import make_run

QUIET = ("--measure", "none", "--tflite", "none")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of random weights."""
    folder = tmp_path_factory.mktemp("runs") / "wand"
    make_run(folder, name="wand", cells=("lstm",), sequences=True)
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_all_formats_are_the_default_and_a_zip_lies_beside(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "e"
    document = rnnedge("export", run, "--out", out, "--json").json
    assert document["formats"] == ["arduino", "platformio", "esp-idf", "zephyr", "cmake"]
    assert document["zip"] == f"{out}.zip"
    assert sorted(files_of(out)) == document["files"]
    assert {row["target"] for row in document["measured"]} == {"cortex-m4"}
    assert document["accuracy"].keys() == {"int8"}
    report = json.loads((out / "extras/report.json").read_text())
    assert report["measured"] == document["measured"]
    assert report["accuracy"] == document["accuracy"]
    assert not any(path.is_symlink() for path in out.rglob("*"))
    # the zip is what --format arduino writes
    assert rnnedge("export", run, "--out", tmp_path / "a", "--format", "arduino").code == 0
    with zipfile.ZipFile(tmp_path / "e.zip") as archive:
        archive.extractall(tmp_path / "zip")
    zipped, folder = files_of(tmp_path / "zip" / "rnnedge_wand"), files_of(tmp_path / "a")
    manifest = json.loads(folder.pop("rnnedge.json"))
    assert manifest.pop("zip") == content_hash((tmp_path / "a.zip").read_bytes())
    assert manifest == json.loads(zipped.pop("rnnedge.json"))
    assert zipped == folder
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "e.zip").read_bytes()
    shown = rnnedge("export", run, "--out", out, *QUIET).out
    assert f"{out}.zip" in shown and "arduino, platformio" in shown


def test_the_same_options_give_the_same_bytes(run: Path, tmp_path: Path) -> None:
    options = ("--counts-per-unit", "100,100,50", "--measure", "cortex-m0", "--measure", "avr")
    for name, zone in (("a", "UTC"), ("b", "Asia/Tokyo")):
        assert rnnedge("export", run, "--out", tmp_path / name, *options, TZ=zone).code == 0
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    text = (tmp_path / "a/README.md").read_text()
    assert "cortex-m0" in text and " cycles |" in text and "| 50 |" in text


def test_another_format_leaves_no_stale_files(run: Path, tmp_path: Path) -> None:
    """What was changed since, and what is somebody else's, stays."""
    out = tmp_path / "e"
    assert rnnedge("export", run, "--out", out, *QUIET).code == 0
    (out / "mine.txt").write_text("kept")
    (out / "zephyr/mine.txt").write_text("kept")
    sketch = out / "examples/Stream/Stream.ino"
    sketch.write_text(sketch.read_text() + "// my sensor\n")
    done = rnnedge("export", run, "--out", out, "--format", "cmake", *QUIET, "--json")
    assert done.json["kept"] == ["examples/Stream/Stream.ino"]
    assert done.json["zip"] is None and not (tmp_path / "e.zip").exists()
    assert "examples/Stream/Stream.ino: of an earlier export, kept" in done.err
    left = set(files_of(out))
    changed = {"mine.txt", "zephyr/mine.txt", "examples/Stream/Stream.ino"}
    assert left == {*done.json["files"], *changed}
    assert not (out / "examples/esp_idf").exists(), "nor empty folders"
    # and back again
    assert rnnedge("export", run, "--out", out, "--format", "esp-idf", *QUIET).code == 0
    assert not (out / "examples/c").exists() and (out / "idf_component.yml").exists()


@pytest.mark.parametrize("hostile", ["../precious", "/etc/hostname", "link/precious"])
def test_a_forged_manifest_removes_nothing_outside(run: Path, tmp_path: Path, hostile: str) -> None:
    out = tmp_path / "e"
    assert rnnedge("export", run, "--out", out, "--format", "cmake", *QUIET).code == 0
    (tmp_path / "precious").write_text("mine")
    (out / "link").symlink_to(tmp_path)
    target = Path(hostile) if hostile.startswith("/") else out / hostile
    manifest = json.loads((out / "rnnedge.json").read_text())
    manifest["files"][hostile] = content_hash(target.read_bytes())
    (out / "rnnedge.json").write_text(json.dumps(manifest))
    assert rnnedge("export", run, "--out", out, "--format", "zephyr", *QUIET).code == 0
    assert target.exists()
    (out / "rnnedge.json").write_text('{"files": [1, {"a": 2}]}')
    again = ("export", run, "--out", out, "--format", "zephyr", *QUIET)
    rnnedge(*again).refused("rnnedge.json", "--force")
    assert rnnedge(*again, "--force").code == 0


def test_a_missing_compiler_is_one_line_and_no_error(run: Path, tmp_path: Path) -> None:
    done = rnnedge("export", run, "--out", tmp_path / "e", PATH="/nowhere")
    assert done.code == 0, done.err
    lines = [line for line in done.err.splitlines() if line]
    assert len(lines) == 1 and lines[0].startswith("cortex-m4: not measured: arm-none-eabi-gcc")
    text = (tmp_path / "e/README.md").read_text()
    assert "cortex-m4: not measured." in text


def test_only_targets_with_weights_are_measured(run: Path, tmp_path: Path) -> None:
    done = rnnedge("export", run, "--out", tmp_path / "e", "--target", "avr", "--json")
    rows = done.json["measured"]
    assert [(row["target"], row["unit"]) for row in rows] == [("avr", "cycles")] * 2
    assert [row["optimize"] for row in rows] == ["speed", "size"], "Arduino builds for size"
    assert rows[0]["per_step"] < rows[1]["per_step"]
    assert rows[0]["code_bytes"] > rows[1]["code_bytes"]
    costs = (tmp_path / "e/README.md").read_text()
    for row, option in zip(rows, ("-O3", "-Os"), strict=True):
        assert f"{row['compiler']}, {option} | {row['code_bytes']:,} |" in costs
        assert f"| {row['per_step']:,} cycles |" in costs


def test_another_model_in_the_folder_is_named(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "e"
    first = rnnedge("export", run, "--out", out, "--format", "cmake", *QUIET, "--json")
    assert first.json["replaced"] is None and first.err == ""
    assert rnnedge("export", run, "--out", out, "--format", "cmake", *QUIET).err == ""
    make_run(tmp_path / "gate", name="gate", cells=("lstm",), sequences=True)
    other = rnnedge("export", tmp_path / "gate", "--out", out, "--format", "cmake", *QUIET)
    assert other.code == 0
    assert other.err == f"{out}: replaces model wand\n"
    assert not (out / "src/wand_model.c").exists()
    (out / "rnnedge.json").write_text("{")
    done = rnnedge("export", run, "--out", out, "--format", "cmake", *QUIET, "--force")
    assert done.err == "", "what was there is not known"


def test_missing_units_are_one_hint(tmp_path: Path) -> None:
    make_run(tmp_path / "run", units_of_measure=("g", "", ""), cells=("lstm",), sequences=True)
    done = rnnedge("export", tmp_path / "run", "--out", tmp_path / "e", *QUIET, "--json")
    assert done.json["without_unit"] == ["c1", "c2"]
    (line,) = done.err.splitlines()
    assert line.startswith("units not known (c1, c2): ") and "--unit ax=g" in line


@pytest.mark.parametrize("bits", [8, 16])
def test_the_width_of_the_input_is_said_everywhere(tmp_path: Path, bits: int) -> None:
    """With the reason that the run gives, if it is of this width."""
    run = tmp_path / "run"
    make_run(run, cells=("lstm",), sequences=True, input_bits=bits)
    spec = json.loads((run / "run.json").read_text())
    numbers = {"windows": 200, "gain": 0.05, "won": 12, "lost": 2}
    spec["training"]["input"] = {"bits": 16, **numbers}
    (run / "run.json").write_text(json.dumps(spec))
    out = tmp_path / "e"
    shown = rnnedge("export", run, "--out", out, *QUIET).out
    lost = "16 bits, because 8 lose 5.0 % of the 200 calibration windows"
    reason = json.loads((out / "extras/report.json").read_text())["input"]["reason"]
    assert reason.startswith(lost) if bits == 16 else reason == "8 bits"
    assert f"\ninput: {reason}\n" in shown
    assert f"Input of the first layer: {reason}." in (out / "README.md").read_text()
    spec["training"] = ["input"]
    (run / "run.json").write_text(json.dumps(spec))
    rnnedge("export", run, "--out", out, *QUIET).refused("run.json", "training")


def test_bad_input_ends_in_one_line_and_leaves_nothing(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "e"
    export = ("export", run, "--out", out)
    rnnedge(*export, "--format", "mbed").refused("'mbed'", "esp-idf", "all")
    rnnedge(*export, "--measure", "z80").refused("z80", "cortex-m4")
    rnnedge(*export, "--measure", "host").refused("host", "cannot be measured")
    rnnedge(*export, "--target", "avr", "--measure", "rv32").refused("rv32", "--target rv32")
    rnnedge(*export, "--counts-per-unit", "1,x").refused("1,x", "commas")
    rnnedge(*export, *QUIET, "--counts-per-unit", "1,2").refused("2 counts per unit", "3 channels")
    rnnedge(*export, *QUIET, "--counts-per-unit", "0").refused("0 counts per unit")
    rnnedge(*export, *QUIET, "--counts-per-unit", "nan").refused("nan counts per unit")
    assert not out.parent.exists()


def test_a_folder_that_cannot_be_written_is_named(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    rnnedge("export", run, "--out", tmp_path / "file", *QUIET).refused("file", "is a file")
    rnnedge("export", run, "--out", tmp_path / "file/x", *QUIET).refused("file")
    rnnedge("export", run, "--out", "/proc/here", *QUIET).refused("/proc/here", "choose another")
    (tmp_path / "e.zip").mkdir()
    rnnedge("export", run, "--out", tmp_path / "e", *QUIET).refused("e.zip", "is a folder")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "e.zip"}
    assert not list((tmp_path / "e.zip").iterdir())


def test_a_full_disk_changes_nothing(run: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands in for it: the zip is the largest of all files."""
    out = tmp_path / "e"
    assert rnnedge("export", run, "--out", out, "--format", "cmake", *QUIET).code == 0
    before = files_of(tmp_path)
    words = [sys.executable, "-P", "-m", "rnnedge", "export", run, "--out", out, *QUIET]
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ") and "File too large" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert files_of(tmp_path) == before


def test_export_into_the_present_folder(run: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    document = rnnedge("export", run, "--out", ".", *QUIET, "--json", cwd=here).json
    assert (here / "README.md").is_file() and (tmp_path / "here.zip").is_file()
    assert document["zip"] == str(tmp_path / "here.zip")


def test_a_packages_host_verification_finds_no_difference(run: Path, tmp_path: Path) -> None:
    """What the README says under "Prove it"."""
    for form in ("all", "arduino"):
        out = tmp_path / form
        assert rnnedge("export", run, "--out", out, "--format", form, *QUIET).code == 0
        (row,) = rnnedge("verify", run, "--export", out, "--target", "host", "--json").json
        assert row["differences"] == 0 and row["values_compared"] > 1000


def test_the_readme_builds_it_without_cmake_too(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "e"
    assert rnnedge("export", run, "--out", out, *QUIET).code == 0
    assert "`src/rnnedge/*/*.c` and `-I src`" in (out / "README.md").read_text()
    sources = [
        out / "src/wand_model.c",
        out / "src/wand/wand_golden.c",
        *(out / "src/rnnedge").glob("*/*.c"),
    ]
    program = tmp_path / "t"
    run_program(
        "cc", "-std=c99", f"-I{out}/src", out / "examples/c/selftest.c", *sources, "-o", program
    )
    assert run_program(program) == "PASS: status 0\n"
