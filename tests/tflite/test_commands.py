"""The forms for TensorFlow Lite Micro through the commands: export, verify, evaluate."""

import json
import re
import shutil

import numpy as np
import pytest

from rnnedge import api
from rnnedge.convert.tflite import emit, resolver_calls, variants
from rnnedge.errors import ModelError, ToolError, UnsupportedLayerError
from rnnedge.targets.tflm import run_tflm
from tests.cli import rnnedge
from tests.runs import make_run

QUIET = ("--measure", "none", "--target", "host")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "motor"
    make_run(folder, name="motor", windows=6, units=4)
    return folder


@pytest.fixture(scope="module")
def both_ways(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "both"
    make_run(folder, name="both", windows=4, units=4, cells=("rnn",), bidirectional=True)
    return folder


@pytest.fixture(scope="module")
def everything(run, tmp_path_factory):
    """An export of all forms, and what the command said of it."""
    out = tmp_path_factory.mktemp("all") / "e"
    done = rnnedge("export", run, "--out", out, *QUIET, "--tflite", "all", "--json")
    return out, done.json


def copied(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def test_all_forms_are_told_apart_by_their_names(run, everything):
    out, document = everything
    _, model, _ = api.open_run(run)
    expected = [variant.name for variant in variants(model)]
    assert [row["variant"] for row in document["tflite"]] == expected
    assert len(expected) == 6 and document["no_tflite"] == []
    for row, variant in zip(document["tflite"], variants(model), strict=True):
        stem = f"motor_{row['variant'].replace('-', '_')}"
        assert row["file"] == f"extras/tflite/{stem}.tflite"
        folder = out / "extras/tflite"
        content = (out / row["file"]).read_bytes()
        assert content == emit(model, variant)
        assert row["tflite_bytes"] == len(content) > row["bare_bytes"] > 1000
        header = (folder / f"{stem}_tflite.h").read_text()
        assert f"{stem.upper()}_TFLITE_ARENA_SIZE {row['arena_bytes']}\n" in header
        main = (folder / f"{stem}_main.cc").read_text()
        assert f'#include "{stem}_tflite.h"' in main
        for call in resolver_calls(content):
            assert f"resolver.{call}()" in main
        assert row["state_bytes"] == (0 if row["form"] == "window" else 2 * 4)
    assert document["tflite_bytes"] == document["tflite"][0]["tflite_bytes"]


def test_the_arena_that_is_written_is_the_smallest_that_runs(run, everything):
    out, document = everything
    row = document["tflite"][0]
    content = (out / row["file"]).read_bytes()
    x = np.random.default_rng(0).integers(-32768, 32768, (3, 16, 3)).astype(np.int16)
    expected = run_tflm(content, x, 1 << 20)
    assert np.array_equal(run_tflm(content, x, row["arena_bytes"]), expected)
    with pytest.raises(ToolError):
        run_tflm(content, x, row["arena_bytes"] - 64)


def test_manifest_report_and_readme_say_what_was_exported(everything):
    out, document = everything
    assert json.loads((out / "rnnedge.json").read_text())["tflite"] == document["tflite"]
    assert json.loads((out / "extras/report.json").read_text())["tflite"] == document["tflite"]
    readme = (out / "README.md").read_text()
    for row in document["tflite"]:
        (line,) = [line for line in readme.splitlines() if f"| {row['file']} |" in line]
        assert f"| {row['tflite_bytes']:,} | {row['arena_bytes']:,} |" in line
        assert ", ".join(row["operators"]) in line


def test_one_form_has_the_plain_name(run, tmp_path):
    out = tmp_path / "e"
    words = ("--tflite", "stream", "--state", "variables", "--precision", "8x8")
    document = rnnedge("export", run, "--out", out, *QUIET, *words, "--json").json
    assert [row["variant"] for row in document["tflite"]] == ["stream-variables-8x8"]
    names = {"motor.tflite", "motor_tflite.h", "motor_tflite.cc", "main.cc"}
    assert {path.name for path in (out / "extras/tflite").iterdir()} == names
    shown = rnnedge("export", run, "--out", out, *QUIET)
    assert "motor.tflite: window-16x8 for TensorFlow Lite Micro" in shown.out
    document = rnnedge("export", run, "--out", out, *QUIET, "--tflite", "none", "--json").json
    assert document["tflite"] == [] and document["tflite_bytes"] is None
    assert not (out / "extras/tflite").exists(), "files of the earlier export are removed"
    rnnedge("verify", run, "--target", "tflm", "--export", out).refused("no .tflite", "--tflite")


def test_what_a_model_cannot_have_is_said_in_a_line(both_ways, tmp_path):
    out = tmp_path / "e"
    export = ("export", both_ways, "--out", out, *QUIET)
    rnnedge(*export, "--tflite", "stream").refused("bidirectional", "window form")
    assert not out.exists()
    done = rnnedge(*export, "--tflite", "all", "--precision", "16x8", "--json")
    assert [row["variant"] for row in done.json["tflite"]] == ["window-16x8"]
    assert [row["variant"] for row in done.json["no_tflite"]] == [
        "stream-io-16x8", "stream-variables-16x8",
    ]  # fmt: skip
    lines = [line for line in done.err.splitlines() if line.startswith("no .tflite")]
    assert len(lines) == 2 and all("cannot stream" in line for line in lines)
    with pytest.raises(UnsupportedLayerError):
        api.WantedTflite(form="stream").variants(api.open_run(both_ways)[1])


def test_options_that_contradict_each_other_are_refused(run, tmp_path):
    export = ("export", run, "--out", tmp_path / "e", *QUIET)
    for words in (("--state", "io"), ("--tflite", "none", "--precision", "8x8")):
        done = rnnedge(*export, *words)
        assert done.code == 2 and "Usage" in done.err
    with pytest.raises(ModelError, match="it is one of 16x8, 8x8"):
        api.WantedTflite(precision="4x4").variants(api.open_run(run)[1])


def test_every_output_of_every_exported_form_is_that_of_the_reference(run, everything):
    out, document = everything
    rows = rnnedge("verify", run, "--target", "tflm", "--export", out, "--json").json
    assert [row["variant"] for row in rows] == [row["variant"] for row in document["tflite"]]
    for row, exported in zip(rows, document["tflite"], strict=True):
        steps = 1 if exported["form"] == "window" else 16
        states = 16 * 4 if exported["state"] == "io" else 0
        assert row["differences"] == 0 and row["first_difference"] is None
        assert row["windows"] == 6
        assert row["scores_compared"] == 6 * steps * 4
        assert row["states_compared"] == 6 * states
        assert row["values_compared"] == row["scores_compared"] + row["states_compared"]
        assert (row["file"], row["arena_bytes"]) == (exported["file"], exported["arena_bytes"])


def test_fresh_files_of_every_form_are_verified_beside_a_target(both_ways):
    words = ("--target", "tflm", "--target", "host", "--windows", 2)
    rows = rnnedge("verify", both_ways, *words, "--json").json
    assert [row["target"] for row in rows] == ["host", "tflm", "tflm"]
    assert [row.get("variant") for row in rows] == [None, "window-16x8", "window-8x8"]
    assert all(row["differences"] == 0 and row["windows"] == 2 for row in rows)
    assert "tflm window-8x8" in rnnedge("verify", both_ways, "--target", "tflm").out


def rewritten(folder, stem, content):
    """Write other bytes into a .tflite and into its C array."""
    (folder / f"{stem}.tflite").write_bytes(content)
    source = folder / f"{stem}_tflite.cc"
    rows = " ".join(f"0x{byte:02x}," for byte in content)
    source.write_text(re.sub(r"= \{.*?\};", f"= {{{rows}}};", source.read_text(), flags=re.DOTALL))


def test_one_changed_weight_is_a_difference(run, everything, tmp_path):
    out = copied(everything[0], tmp_path)
    folder = out / "extras/tflite"
    content = bytearray((folder / "motor_stream_io_16x8.tflite").read_bytes())
    _, model, _ = api.open_run(run)
    row = model.recurrent[0].U[1].astype(np.int8).tobytes()
    place = content.index(row)
    content[place] ^= 0x40
    rewritten(folder, "motor_stream_io_16x8", bytes(content))
    done = rnnedge("verify", run, "--target", "tflm", "--export", out, "--json")
    assert done.code == 1
    wrong = [row for row in done.json if row["differences"]]
    assert [row["variant"] for row in wrong] == ["stream-io-16x8"]
    assert re.match(r"window 0, step \d+, score \d: -?\d+, expected ", wrong[0]["first_difference"])
    assert "stream-io-16x8: first difference" in rnnedge(
        "verify", run, "--target", "tflm", "--export", out
    ).err  # fmt: skip


def test_an_array_of_other_bytes_than_the_file_is_refused(run, everything, tmp_path):
    out = copied(everything[0], tmp_path)
    source = out / "extras/tflite/motor_window_16x8_tflite.cc"
    source.write_text(source.read_text().replace("0x54, 0x46", "0x54, 0x47", 1))
    verify = ("verify", run, "--target", "tflm", "--export", out)
    rnnedge(*verify).refused("motor_window_16x8_tflite.cc", "does not hold the bytes")
    source.unlink()
    rnnedge(*verify).refused("motor_window_16x8_tflite.cc", "cannot be read")


def test_files_of_another_model_are_refused(run, everything, tmp_path):
    out = copied(everything[0], tmp_path)
    other = make_run(tmp_path / "other", name="motor", seed=2, windows=4, units=4)
    verify = ("--target", "tflm", "--export", out)
    rnnedge("verify", tmp_path / "other", *verify).refused("exported from another model")
    rewritten(out / "extras/tflite", "motor_window_16x8", emit(other))
    rnnedge("verify", run, *verify).refused(
        "motor_window_16x8.tflite", "exported from another model"
    )


def test_damaged_files_end_in_one_line(run, everything, tmp_path):
    out = copied(everything[0], tmp_path)
    folder, verify = out / "extras/tflite", ("verify", run, "--target", "tflm", "--export", out)
    content = (folder / "motor_window_16x8.tflite").read_bytes()
    for size in (0, 7, 300, len(content) // 2, len(content) - 40):
        rewritten(folder, "motor_window_16x8", content[:size])
        rnnedge(*verify).refused("motor_window_16x8.tflite")
    (folder / "motor_window_16x8.tflite").unlink()
    rnnedge(*verify).refused("motor_window_16x8.tflite", "cannot be read")
    (out / "rnnedge.json").write_text(
        (out / "rnnedge.json").read_text().replace('"arena_bytes"', '"arena"')
    )
    rnnedge(*verify).refused("rnnedge.json", "run rnnedge export again")


def test_bytes_that_change_at_random_never_end_the_program_otherwise(run, everything, tmp_path):
    """In this process: a crash of the interpreter must not reach it."""
    from rnnedge.errors import RnnedgeError

    out = copied(everything[0], tmp_path)
    manifest = json.loads((out / "rnnedge.json").read_text())
    manifest["tflite"] = manifest["tflite"][2:3]
    (out / "rnnedge.json").write_text(json.dumps(manifest))
    folder, stem = out / "extras/tflite", "motor_stream_io_16x8"
    content = (folder / f"{stem}.tflite").read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(12):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 6):
            damaged[place] = rng.integers(256)
        rewritten(folder, stem, bytes(damaged))
        try:
            (row,) = api.verify(run, ["tflm"], export_folder=out, windows=1)
            assert row["differences"] >= 0
        except RnnedgeError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 3


def test_bench_has_no_figures_of_tflm(run):
    rnnedge("bench", run, "--target", "tflm").refused("tflm", "cannot be measured")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of a tiny LSTM, with its float model."""
    folder = tmp_path_factory.mktemp("trained")
    assert (
        rnnedge("sensor", "--out", folder / "m.csv", "--recordings", 8, "--seconds", 0.5).code == 0
    )
    shape = ("--cell", "lstm", "--units", 4, "--epochs", 2, "--window", 16)
    words = ("train", folder / "m.csv", "--recording", "recording", *shape)
    assert rnnedge(*words, "--out", folder / "motor").code == 0
    return folder / "motor"


def test_evaluate_puts_every_form_beside_float_and_int8(trained):
    document = rnnedge("evaluate", trained, "--tflite", "all", "--json").json
    found = document["variants"]
    forms = {name: variant["variant"] for name, variant in found.items() if "variant" in variant}
    assert list(found) == ["float", "int8", *forms]
    assert forms.pop("tflm") == "window-16x8"
    assert len(forms) == 5 and all(name == f"tflm-{form}" for name, form in forms.items())
    assert document["no_tflite"] == []
    for name in ("tflm", *forms):
        variant = found[name]
        assert variant["agreement"] >= 0.9, name
        assert sum(map(sum, variant["confusion"])) == document["windows"]
        assert variant["tflite_bytes"] > 3000 and variant["arena_bytes"] % 16 == 0
        assert ("long_run" in variant) == ("stream" in name)
    for precision, most in (("16x8", 0.003), ("8x8", 0.03)):
        io = found[f"tflm-stream-io-{precision}"]["long_run"]
        inside = found[f"tflm-stream-variables-{precision}"]["long_run"]
        assert io["steps"] == 500 and io["streams"] >= 1
        assert 0 < io["state_rms_clipped"] < most
        assert 0 < io["state_rms_median"] < most
        assert io["state_rms"] > 0 and inside["state_rms"] is inside["state_rms_median"] is None
        assert io["agreement"] == inside["agreement"] >= 0.9, "the same arithmetic"
    shown = rnnedge("evaluate", trained, "--tflite", "stream")
    assert "tflm-stream-io-16x8" in shown.out and "500 steps" in shown.out
    assert list(rnnedge("evaluate", trained, "--tflite", "none", "--json").json["variants"]) == [
        "float", "int8",
    ]  # fmt: skip
