"""rnnedge inspect of .tflite files: users' own, rnnedge's, and each trap by itself."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnnedge.convert.tflite import emit, variants
from rnnedge.inspect import inspect
from rnnedge.inspect.findings import findings
from rnnedge.inspect.recurrent import find_cells
from rnnedge.inspect.trial import Trial, try_tflm
from rnnedge.tflmath import read
from tests.cli import rnnedge
from tests.models import float_model, quantized
from tests.tflmath.files import G, Op, T, one, pack
from tests.tflmath.test_operators import counting_loop, lstm


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Files of Keras and of TensorFlow's converter, by name."""
    folder = tmp_path_factory.mktemp("converted")
    script = Path(__file__).parent / "converter.py"
    done = subprocess.run([sys.executable, str(script), str(folder)], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return folder


def texts(document, level):
    return [f["text"] for f in document["findings"] if f["level"] == level]


LOOP = "is a WHILE loop in float32"
CONVERTED = {
    # name: (runs, cells (kind, units, inputs, form), words of findings by level)
    "lstm_float": (
        True, [("lstm", 8, 3, "loop")], {"risk": [f"LSTM-8 {LOOP}, not fused", "float"]}
    ),
    "rnn_float": (True, [("rnn", 5, 3, "loop")], {"risk": [f"RNN-5 {LOOP};", "float"]}),
    "lstm_lists": (
        False,
        [("lstm", 8, 3, "loop")],
        {"stops": ["TensorList operators (FlexTensorListReserve", "tensors of VARIANT"],
         "risk": [LOOP, "float"]},
    ),
    "gru_unrolled_int8": (
        True, [("gru", 8, 3, "unrolled")], {"risk": ["GRU-8 is unrolled over 8 steps: "]}
    ),
    "gru_unrolled_16x8": (
        True,
        [("gru", 8, 3, "unrolled")],
        {"risk": ["GRU-8 is unrolled over 8 steps", "share one bias", "a scale for each row"]},
    ),
    "lstm_unrolled": (
        True, [("lstm", 8, 3, "unrolled")], {"risk": ["LSTM-8 is unrolled over 8 steps", "float"]}
    ),
    "dense_int8": (True, [], {}),
    "dense_16x8": (True, [], {"risk": ["2 FULLY_CONNECTED of int16 with a scale for each row"]}),
    "dense_hybrid": (False, [], {"stops": ["hybrid quantisation: 1 FULLY_CONNECTED"]}),
    "dense_float": (True, [], {"risk": ["a float model"]}),
    "dense_open": (True, [], {"risk": ["a dimension without a size", "a float model"]}),
    "gelu": (False, [], {"stops": ["GELU is no operator of TFLM"], "risk": ["a float model"]}),
}  # fmt: skip


@pytest.mark.parametrize("name", CONVERTED)
def test_what_the_converter_made_is_judged_as_the_interpreter_does(made, name):
    runs, cells, words = CONVERTED[name]
    document = inspect(made / f"{name}.tflite")
    found = [(c["kind"], c["units"], c["inputs"], c["form"]) for c in document["layers"]]
    assert found == cells
    for level in ("stops", "risk", "note"):
        said = texts(document, level)
        assert len(said) == len(words.get(level, [])), said
        for word, text in zip(words.get(level, []), said, strict=True):
            assert word in text
    # the verdict of the rules is the interpreter's
    assert document["tflm"]["runs"] == runs == (not texts(document, "stops"))
    assert (document["tflm"]["message"] == "") == runs
    assert document["bytes"] == (made / f"{name}.tflite").stat().st_size
    if runs:
        assert document["arena"]["tflm_bytes"] > document["arena"]["activations_bytes"] > 0


def test_what_rnnedge_would_make_of_it_is_much_smaller(made):
    document = inspect(made / "gru_unrolled_int8.tflite")
    advice = document["advice"]
    assert "GRU-8 with 3 inputs" in advice["text"]
    size = advice["tflite"]["window-16x8"]
    like = quantized(float_model(1, units=8, channels=3, classes=4), window=8)
    assert abs(size - len(emit(like, metadata=False))) <= 64  # names and biases aside
    assert size < document["bytes"] / 5
    assert advice["arena_bytes"] < document["arena"]["tflm_bytes"]


def test_numbers_of_an_int8_model(made):
    document = inspect(made / "dense_int8.tflite")
    assert document["precision"] == "int8 activations"
    assert document["parameters"] == 24 * 32 + 32 + 32 * 4 + 4 - 36  # zero biases are left out
    (x,) = document["inputs"]
    assert (x["type"], x["shape"]) == ("int8", [1, 8, 3])
    assert x["scale"] > 0
    rows = [op for op in document["operators"] if op["name"] == "FULLY_CONNECTED"]
    assert sum(op["count"] for op in rows) == 2
    assert all("int8" in op["types"] for op in rows)


@pytest.mark.parametrize("cells", [("gru",), ("lstm",), ("rnn",), ("gru", "lstm")])
def test_what_rnnedge_writes_has_nothing_against_it(tmp_path, cells):
    model = quantized(float_model(1, units=6, cells=cells), window=7)
    for variant in variants(model):
        path = tmp_path / f"{variant.name}.tflite"
        path.write_bytes(emit(model, variant))
        document = inspect(path)
        assert not texts(document, "stops") + texts(document, "risk"), variant
        assert document["tflm"]["runs"], variant
        assert document["rnnedge"]["name"] == "net"
        assert document["rnnedge"]["classes"] == list(model.classes)
        assert document["advice"] == {"text": "written by rnnedge"}
        notes = texts(document, "note")
        assert any("resource variables" in n for n in notes) == (variant.state == "variables")
        fused = cells == ("lstm",) and variant.form == "window"
        assert any("reset the interpreter" in n for n in notes) == fused


def found(tflite):
    file = read(tflite)
    return [(f.level, f.text) for f in findings(file, find_cells(file))]


def changed_lstm(**changes):
    case = lstm(np.random.default_rng(0), "INT16", **changes)
    return found(case.tflite)


def test_each_trap_of_the_fused_lstm():
    assert [level for level, _ in changed_lstm()] == ["note"]
    (risk, _), words = changed_lstm(clip=0.0)[0], changed_lstm(clip=0.0)[0][1]
    assert risk == "risk"
    assert "cell_clip 0" in words
    level, text = changed_lstm(steps=1)[0]
    assert (level, "of one step" in text) == ("risk", True)


def test_a_projection_stops_it():
    case = lstm(np.random.default_rng(0), "INT16")
    file = read(case.tflite)
    graph = file.subgraphs[0]
    (op,) = graph.operators
    inputs = list(op.inputs)
    inputs[16] = 1
    broken = replace(file, subgraphs=(
        replace(graph, operators=(replace(op, inputs=tuple(inputs)),)),))  # fmt: skip
    assert ("stops", "UNIDIRECTIONAL_SEQUENCE_LSTM with a projection: TFLM has none of that") in [
        (f.level, f.text) for f in findings(broken, find_cells(broken))
    ]


def test_an_int16_gate_of_another_scale_stops_it():
    x, y = (T(type="INT16", shape=(1, 4), scale=s) for s in (2.0**-12, 2.0**-14))
    tflite = one("LOGISTIC", [x], [y])
    ((level, text),) = found(tflite)
    assert level == "stops"
    assert "it must be 2**-15" in text
    assert not try_tflm(tflite, 1).loads


def test_an_int16_product_with_a_narrow_bias_is_a_risk():
    x = T(type="INT16", shape=(1, 4), scale=0.5)
    w = T(type="INT8", shape=(2, 4), scale=0.5, data=np.ones((2, 4)))
    b = T(type="INT32", shape=(2,), scale=0.25, data=[1, 2])
    y = T(type="INT16", shape=(1, 2), scale=1.0)
    ((level, text),) = found(one("FULLY_CONNECTED", [x, w, b], [y], "FullyConnectedOptions"))
    assert level == "risk"
    assert "bias is not int64" in text


def test_a_loop_that_changes_its_state_s_scale_is_a_risk():
    assert found(counting_loop(3)) == []
    file = read(counting_loop(3))
    main = file.subgraphs[0]
    tensors = list(main.tensors)
    tensors[4] = replace(tensors[4], quantization=replace(
        tensors[4].quantization, scale=(0.011,)))  # fmt: skip
    drifting = replace(file, subgraphs=(
        replace(main, tensors=tuple(tensors)), *file.subgraphs[1:]))  # fmt: skip
    ((level, text),) = [(f.level, f.text) for f in findings(drifting, ())]
    assert level == "risk"
    assert "the state drifts" in text


def test_what_no_rule_foresaw_is_told_in_the_interpreter_s_words(tmp_path):
    """A RESHAPE that changes the number of values."""
    path = tmp_path / "model.tflite"
    x, y = T(type="INT8", shape=(1, 4), scale=0.5), T(type="INT8", shape=(5,), scale=0.5)
    path.write_bytes(one("RESHAPE", [x], [y]))
    document = inspect(path)
    (text,) = texts(document, "stops")
    assert text.startswith("the interpreter of TFLM ")
    assert "does not load it: " in text
    assert "RESHAPE" in text


def test_an_operator_of_other_frameworks_is_named(tmp_path):
    path = tmp_path / "model.tflite"
    x = T(type="FLOAT32", shape=(1, 4))
    path.write_bytes(pack(G(tensors=[x, x, x], inputs=[0], outputs=[2], operators=[
        Op(name="UNIDIRECTIONAL_SEQUENCE_RNN", inputs=[0], outputs=[1]),
        Op(name="MyOwn", inputs=[1], outputs=[2])])))  # fmt: skip
    first, second = texts(inspect(path), "stops")
    assert first.startswith("MyOwn is no operator of TFLM")
    assert "there is none for a vanilla RNN" in second


def test_a_trial_that_takes_too_long_is_ended():
    trial = try_tflm(counting_loop(3), 3, timeout=0.01)
    assert trial == Trial(loads=False, runs=False, message="no end after 0.01 s", arena=None)


def test_an_endless_loop_ends():
    """The condition stays true: the trial's time limit ends it."""
    trial = try_tflm(counting_loop(1 << 30), 3, timeout=3)
    assert (trial.loads, trial.runs, trial.message) == (True, False, "no end after 3 s")


def test_the_command_prints_and_gives_json(made):
    path = made / "lstm_lists.tflite"
    text, document = rnnedge("inspect", path), rnnedge("inspect", path, "--json")
    assert text.code == document.code == 0, text.err
    assert document.json == json.loads(json.dumps(inspect(path)))
    for word in ("LSTM-8 of 3 inputs, loop, float32", "FlexTensorListReserve", "does not run it: ",
                 "stops it: TensorList", "writes LSTM-8 with 3 inputs"):  # fmt: skip
        assert word in text.out
    assert text.err == ""


def test_the_command_shows_quantisation_and_metadata(tmp_path):
    model = quantized(float_model(1, units=6), window=7, name="motor")
    path = tmp_path / "motor.tflite"
    path.write_bytes(emit(model))
    done = rnnedge("inspect", path)
    for word in ("quantised tensor", "int16", "runs it; arena at least", "name: motor",
                 "class 0, class 1", "written by rnnedge"):  # fmt: skip
        assert word in done.out, done.out


GOOD = {"GRU", "Bidirectional(LSTM)", "Normalization", "1,121 parameters"}


def test_keras_models_are_described(made):
    done = rnnedge("inspect", made / "good.keras")
    assert done.code == 0, done.err
    assert all(word in done.out for word in GOOD), done.out
    assert "rnnedge takes it: " in done.out
    assert "no .tflite stream-io-16x8, " in done.out  # once for all streams
    document = inspect(made / "good.keras")
    assert document["parameters"] == 1121
    assert document["input_shape"] == [None, 8, 3]
    assert [layer["class"] for layer in document["layers"]] == [
        "InputLayer", "Normalization", "GRU", "Bidirectional", "Dense", "Dense",
    ]  # fmt: skip
    assert document["layers"][2]["options"]["units"] == 8
    assert isinstance(document["advice"]["tflite"]["window-16x8"], int)
    assert document["advice"]["arena_bytes"] > 1000


def test_what_stands_against_a_keras_model_is_said(made):
    (risk,) = texts(inspect(made / "open.keras"), "risk")
    assert "Keras 3's LSTM is not fused" in risk
    assert "TensorList" in risk
    unrolled = texts(inspect(made / "unrolled.keras"), "risk")
    assert any("unroll=True" in text for text in unrolled)
    convolution = inspect(made / "convolution.keras")["advice"]
    assert convolution["text"] == "rnnedge cannot take it"
    assert "Conv1D layers cannot be quantised; supported: " in convolution["problem"]
    own = inspect(made / "own.keras")["advice"]
    assert "'mine' is a class of your own (Mine)" in own["problem"]


@pytest.mark.parametrize("size", [10, 1000, -200])
def test_a_keras_file_cut_short_is_one_line(made, tmp_path, size):
    path = tmp_path / "cut.keras"
    path.write_bytes((made / "good.keras").read_bytes()[:size])
    rnnedge("inspect", path).refused("cut.keras", "damaged or no Keras 3 model")
