"""rnnedge inspect of run folders, and of what is none of its kinds."""

import os
import zipfile

import numpy as np
import pytest

from rnnedge.convert.tflite import emit
from rnnedge.errors import ModelError
from rnnedge.inspect import inspect
from rnnedge.modelfile import model_hash
from rnnedge.spec import EmbeddingLayer
from tests.cli import rnnedge
from tests.runs import make_run
from tests.taskmodels import GENERATING, task_model
from tests.taskruns import make_task_run


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


PARTS = {
    # kind: rows of the table of layers
    "forecast": ["gru", "dense"],
    "anomaly": ["gru", "dense"],
    "map": ["gru", "dense"],
    "label": ["gru", "dense"],
    "start": ["gru", "dense", "start dense"],
    "translate": ["gru", "dense", "encoder gru"],
    "reply": ["embedding", "gru", "dense", "encoder embedding", "encoder gru"],
    "next": ["embedding", "gru", "dense"],
}


@pytest.mark.parametrize("kind", PARTS)
def test_a_run_of_every_task_shows_all_its_parts(tmp_path, kind):
    model = task_model(1, kind, units=6)
    make_task_run(tmp_path / "run", model)
    document = inspect(tmp_path / "run")
    rows = document["layers"]
    assert [" ".join(r[k] for k in ("part", "kind") if k in r) for r in rows] == PARTS[kind]
    assert (document["task"], document["every"]) == (model.task, 1)
    assert document["generates"] == (kind in GENERATING)
    # every array of the integer model is counted, and no other
    whole = [model] if model.encoder is None else [model, model.encoder]
    count, size = 0, 0
    for part in whole:
        layers = [*part.layers] + ([] if part.start is None else [part.start.dense])
        arrays = [getattr(layer, name) for layer in layers for name in ("W", "U", "bias")
                  if hasattr(layer, name)]  # fmt: skip
        arrays += [part.input.table] if isinstance(part.input, EmbeddingLayer) else []
        count += sum(array.size for array in arrays)
        size += sum(array.nbytes for array in arrays)
    assert document["parameters"] == sum(r["parameters"] for r in rows) == count
    assert document["advice"]["c_constants_bytes"] > size
    done = rnnedge("inspect", tmp_path / "run")
    assert done.code == 0, done.err
    plain = kind in ("forecast", "anomaly", "map", "label")
    assert ("window-16x8: " in done.out) == plain, done.out
    assert ("  no .tflite: model net: " in done.out) == (not plain), done.out
    words = [f"task {model.task}", "an answer at every step"]
    if model.output is None:
        words.append("classes: out 0, ")
        assert document["outputs"] == []
    else:
        words += ["output", model.classes[-1]]
        assert [o["name"] for o in document["outputs"]] == list(model.classes)
    words += [f"a level above {model.detector.threshold:,}"] if model.detector else []
    words += ["feature", *model.start.names] if model.start else []
    words += ["input: ids"] if isinstance(model.input, EmbeddingLayer) else ["c0"]
    assert ("rnnedge_step_back" in done.out) == document["generates"]
    for word in words:
        assert word in done.out, (word, done.out)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Runs of rnnedge train whose Keras models are more than one; one epoch each."""
    folder = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abc"), size=rng.integers(2, 5))) for _ in range(60)]
    (folder / "pairs.txt").write_text("".join(f"{word}\t{word[::-1]}\n" for word in words))
    rows = [
        f"{run},{run / 9},{np.sin(step * (run + 4) / 9):.4f}\n"
        for run in range(12)
        for step in range(20)
    ]
    (folder / "series.csv").write_text("run,pitch,v\n" + "".join(rows))
    for name, words in {
        "reply": ("pairs.txt", "--text", "characters", "--task", "translate", "--cell", "lstm"),
        "tone": ("series.csv", "--task", "generate", "--start", "pitch", "--recording", "run"),
    }.items():
        more = ("--units", 5, "--epochs", 1, "--quiet", "--out", name)
        done = rnnedge("train", *words, *more, cwd=folder, TF_NUM_INTRAOP_THREADS="1")
        assert done.code == 0, done.err
    return folder


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("reply/model.keras", ["Embedding", "LSTM", "Dense", "it is the model: ", "run reply"]),
        ("reply/encoder.keras", ["Embedding", "LSTM", "it is the encoder, ", "run reply"]),
        ("tone/model.keras", ["GRU", "it is the model: ", "rnnedge inspect tone"]),
        ("tone/start.keras", ["Normalization", "hard_tanh", "it is the start, ", "run tone"]),
    ],
)
def test_the_keras_files_of_a_run_are_parts_of_it(trained, file, words):
    done = rnnedge("inspect", file, cwd=trained)
    assert done.code == 0, done.err
    assert "cannot take it" not in done.out
    for word in words:
        assert word in done.out, done.out


def test_a_trained_run_is_described_as_its_keras_models_are(trained):
    document = inspect(trained / "reply")
    float_parameters = sum(
        inspect(trained / "reply" / name)["parameters"] for name in ("model.keras", "encoder.keras")
    )
    assert document["parameters"] == float_parameters
    tone = inspect(trained / "tone")
    assert [feature["name"] for feature in tone["features"]] == ["pitch"]
    assert [(o["name"], o["horizon"]) for o in tone["outputs"]] == [("v +1", 1)]


def test_an_embedding_outside_a_run_is_told_where_it_is_taken(trained, tmp_path):
    path = tmp_path / "mine.keras"
    path.write_bytes((trained / "reply" / "model.keras").read_bytes())
    advice = inspect(path)["advice"]
    assert advice["text"] == "rnnedge cannot take it"
    assert "a run of rnnedge train" in advice["problem"]
