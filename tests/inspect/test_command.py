"""rnnedge inspect of run folders, and of what is none of its kinds."""

import os
import zipfile

import pytest

from rnnedge.convert.tflite import emit
from rnnedge.errors import ModelError
from rnnedge.inspect import inspect
from rnnedge.modelfile import model_hash
from tests.cli import rnnedge
from tests.runs import make_run


def test_a_run_folder(tmp_path):
    model = make_run(tmp_path / "run", units=6, cells=("gru", "lstm"), name="motor")
    document = inspect(tmp_path / "run")
    assert (document["kind"], document["name"]) == ("run", "motor")
    assert document["sha256"] == model_hash(model)
    assert [(x["kind"], x["units"], x["inputs"]) for x in document["layers"]] == [
        ("gru", 6, 3), ("lstm", 6, 6), ("dense", 4, 6),
    ]  # fmt: skip
    first = model.recurrent[0]
    assert document["layers"][0]["parameters"] == first.W.size + first.U.size + first.bias.size
    assert document["layers"][0]["weights"]["smallest_scale"] == first.row_scale.min()
    assert document["state_bytes"] == 2 * (6 + 12)
    assert document["advice"]["tflite"]["window-16x8"] == len(emit(model, metadata=False))
    done = rnnedge("inspect", tmp_path / "run")
    for word in (model_hash(model), "lstm", "window-16x8", "class 0, class 1"):
        assert word in done.out, done.out


def test_a_bidirectional_run_has_two_rows_for_a_layer(tmp_path):
    make_run(tmp_path / "run", units=5, bidirectional=True)
    document = inspect(tmp_path / "run")
    assert [x.get("direction") for x in document["layers"]] == ["forward", "backward", None]
    assert rnnedge("inspect", tmp_path / "run").code == 0


def test_a_changed_run_is_refused(tmp_path):
    make_run(tmp_path / "run")
    path = tmp_path / "run" / "quantized.npz"
    path.write_bytes(path.read_bytes()[:-30])
    rnnedge("inspect", tmp_path / "run").refused("quantized.npz", "damaged")


def other(folder, kind):
    path = folder / f"file.{kind}"
    match kind:
        case "txt":
            path.write_text("no model at all")
        case "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("config.json", "[1, 2]")
                archive.writestr("metadata.json", "{}")
        case "keras":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("config.json", "{" * 100_000)
        case "fifo":
            os.mkfifo(path)
        case "tflite":
            path.write_text("a text with another name")
        case "folder":
            path.mkdir()
    return path


@pytest.mark.parametrize("kind", ["txt", "zip", "keras", "fifo", "tflite", "folder", "none"])
def test_what_is_no_model_is_refused_in_one_line(tmp_path, kind):
    path = other(tmp_path, kind)
    with pytest.raises(ModelError, match=r"file\."):
        inspect(path)
    rnnedge("inspect", path).refused("file")


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge.tflite"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(ModelError, match="larger than 256 MiB"):
        inspect(path)


def test_help_imports_no_tensorflow(tmp_path):
    for name in ("tensorflow", "keras", "tflite_micro"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not now')\n")
    done = rnnedge("inspect", "--help", PYTHONPATH=str(tmp_path))
    assert done.code == 0, done.err
    assert "--json" in done.out
