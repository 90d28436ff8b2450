"""A user's own Keras model, from the command line to the device's bits; traces; bench."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.kerasbackend import keras as import_keras
from tests.cli import rnnedge


@pytest.fixture(scope="module")
def keras() -> Any:
    return import_keras()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of three channels, 200 rows, without labels."""
    path = tmp_path_factory.mktemp("data") / "walk.csv"
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 3)).cumsum(axis=0)
    lines = [",".join(f"{v:.4f}" for v in row) for row in rows]
    path.write_text("\n".join(["ax [g],ay [g],az [g]", *lines]) + "\n")
    return path


def save(keras: Any, path: Path, *layers: Any, steps: int | None = 20) -> Path:
    model = keras.Sequential([keras.Input((steps, 3)), *layers])
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape) * 0.4 for w in model.get_weights()])
    model.save(path)
    return path


STACKS = {
    "mixed": lambda k: [
        k.Normalization(mean=[0, 0, 0], variance=[9, 9, 9]),
        k.LSTM(7, return_sequences=True),
        k.GRU(5, reset_after=False, use_bias=False),
        k.Dense(6, activation="relu"),
        k.Dense(3, activation="softmax"),
    ],
    "two_ways": lambda k: [
        k.Bidirectional(k.GRU(4, return_sequences=True)),
        k.Bidirectional(k.SimpleRNN(3, activation="relu")),
        k.Dropout(0.3),
        k.Dense(2),
    ],
    "every_step": lambda k: [k.SimpleRNN(6, return_sequences=True), k.Dense(4)],
    "one_score": lambda k: [k.GRU(6), k.Dense(1, activation="sigmoid")],
}


@pytest.mark.parametrize("stack", list(STACKS))
def test_a_users_model_is_exported_and_verified(
    keras: Any, data: Path, tmp_path: Path, stack: str
) -> None:
    path = save(keras, tmp_path / f"{stack}.keras", *STACKS[stack](keras.layers))
    document = rnnedge(
        *("export", path, "--calibrate", data, "--out", tmp_path / "c"),
        *("--run", tmp_path / "run", "--input-bits", 16, "--json"),
    ).json
    assert document["name"] == stack
    assert f"src/{stack}.h" in document["files"]
    assert f"extras/tflite/{stack}.tflite" in document["files"]
    spec = json.loads((tmp_path / "run" / "run.json").read_text())
    assert [c["unit"] for c in spec["channels"]] == ["g"] * 3
    (row,) = rnnedge("verify", tmp_path / "run", "--export", tmp_path / "c", "--json").json
    assert row["differences"] == 0
    assert row["windows"] == 10
    answer = rnnedge("simulate", tmp_path / "run", data, "--json").json
    assert len(answer["windows"]) == 10
    rnnedge("evaluate", tmp_path / "run").refused("classes of its windows are not known")
    # near what Keras says
    raw = np.loadtxt(data, delimiter=",", skiprows=1, dtype=np.float32).reshape(10, 20, 3)
    model = keras.saving.load_model(path)
    out = model.predict(raw, verbose=0)
    out = out[:, -1] if out.ndim == 3 else out
    got = np.array([w["scores"] for w in answer["windows"]])
    if stack == "mixed":
        e = np.exp(got - got.max(axis=1, keepdims=True))
        got = e / e.sum(axis=1, keepdims=True)
    if stack == "one_score":
        got = 1 / (1 + np.exp(-got))
    assert (np.abs(got - out) < 0.08 * (1 + np.abs(out))).all()


def test_what_does_not_fit_is_named_in_one_line(keras: Any, data: Path, tmp_path: Path) -> None:
    layers = keras.layers
    path = save(keras, tmp_path / "m.keras", layers.GRU(4), layers.Dense(2))
    out = tmp_path / "out"

    def export(*words: object) -> Any:
        return rnnedge("export", *words, "--out", out)

    conv = save(keras, tmp_path / "c.keras", layers.Conv1D(4, 3), layers.GRU(4), layers.Dense(2))
    export(conv, "--calibrate", data).refused("conv1d", "supported", "GRU, LSTM")
    assert export(path).code == 2
    assert "--calibrate" in export(path).err
    export(path, "--calibrate", tmp_path / "no.csv").refused("no.csv")
    two = tmp_path / "two.csv"
    two.write_text("a,b\n" + "1,2\n" * 40)
    export(path, "--calibrate", two).refused("2 channels (a, b)", "takes 3")
    export(path, "--calibrate", data, "--window", 500).refused("500")
    export(path, "--calibrate", data, "--classes", "a,b,c").refused("3 class names", "2 outputs")
    export(path, "--calibrate", data, "--target", "z80").refused("z80", "cortex-m0")
    nan = tmp_path / "nan.csv"
    nan.write_text("a,b,c\n" + "1,2,3\n" * 30 + "1,nan,3\n" + "1,2,3\n" * 10)
    export(path, "--calibrate", nan).refused("nan.csv", "32")
    (tmp_path / "bad.keras").write_bytes(b"no model")
    export(tmp_path / "bad.keras", "--calibrate", data).refused("bad.keras")
    run = tmp_path / "half"
    export(path, "--calibrate", data, "--run", run, "--target", "z80").refused("z80")
    export(path, "--calibrate", data, "--rate", "nan").refused("rate is nan")
    export(path, "--calibrate", data, "--classes", "a,a").refused("a named twice")
    (tmp_path / "file").write_text("")
    rnnedge(
        *("export", path, "--calibrate", data, "--out", tmp_path / "file", "--run", run)
    ).refused("is a file")
    assert not out.exists() and not run.exists()


def test_only_the_weights_that_are_wanted_are_exported(
    keras: Any, data: Path, tmp_path: Path
) -> None:
    path = save(keras, tmp_path / "m.keras", keras.layers.GRU(4), keras.layers.Dense(2))
    words = ("export", path, "--calibrate", data, "--out", tmp_path / "c", "--target", "host")
    document = rnnedge(*words, "--json").json
    assert document["kernels"] == ["rows"]
    weights = [name for name in document["files"] if "weights_" in name]
    assert weights == ["src/m/weights_rows.h"]


def test_a_trace_shows_every_gate_side_by_side(keras: Any, data: Path, tmp_path: Path) -> None:
    """Real values are the integers' and near those of the float cell, gate by gate."""
    layers = keras.layers
    path = save(keras, tmp_path / "m.keras", layers.GRU(4), layers.Dense(2))
    words = ("export", path, "--calibrate", data, "--out", tmp_path / "c", "--input-bits", 16)
    assert rnnedge(*words, "--run", tmp_path / "run").code == 0
    steps = rnnedge("simulate", tmp_path / "run", data, "--trace", "--json").json
    assert [step["step"] for step in steps] == list(range(20))
    W, U, bias = keras.saving.load_model(path).layers[0].get_weights()
    raw = np.loadtxt(data, delimiter=",", skiprows=1, dtype=np.float32)[:20]
    h = np.zeros(4)
    for step, x in zip(steps, raw, strict=True):
        ax, ah = x @ W + bias[0], h @ U + bias[1]
        z = 1 / (1 + np.exp(-(ax + ah)[:4]))
        r = 1 / (1 + np.exp(-(ax + ah)[4:8]))
        n = np.tanh(ax[8:] + r * ah[8:])
        h = z * h + (1 - z) * n
        gates = {gate["gate"]: gate for gate in step["gates"]}
        assert list(gates) == ["z", "r", "n", "h"]
        for name, exact in (("z", z), ("r", r), ("n", n), ("h", h)):
            assert np.abs(np.array(gates[name]["real"]) - exact).max() < 0.03, (name, step["step"])
        assert np.allclose(gates["z"]["real"], np.array(gates["z"]["integer"]) / 2**16)
        assert np.allclose(gates["h"]["real"], np.array(gates["h"]["integer"]) / 2**15)
    shown = rnnedge("simulate", tmp_path / "run", data, "--trace", "--window-number", 3).out
    assert "layer 0 (gru), step 19" in shown
    refused = rnnedge("simulate", tmp_path / "run", data, "--trace", "--window-number", 10)
    refused.refused("no window 10", "10")


def test_a_trace_names_the_gates_of_an_lstm_and_both_directions(
    keras: Any, data: Path, tmp_path: Path
) -> None:
    layers = keras.layers
    path = save(keras, tmp_path / "m.keras", layers.Bidirectional(layers.LSTM(2)), layers.Dense(2))
    words = ("export", path, "--calibrate", data, "--out", tmp_path / "c", "--run")
    assert rnnedge(*words, tmp_path / "run").code == 0
    steps = rnnedge("simulate", tmp_path / "run", data, "--trace", "--json").json
    assert [s["step"] for s in steps if s["direction"] == "backward"] == list(range(19, -1, -1))
    assert [g["gate"] for g in steps[0]["gates"]] == ["i", "f", "g", "o", "c", "h"]


def test_bench_measures_any_shape_and_keeps_the_program(tmp_path: Path) -> None:
    shape = ("--cell", "lstm", "--units", 5, "--inputs", 3, "--layers", 2)
    words = ("bench", *shape, "--target", "cortex-m4", "--keep", tmp_path / "elf", "--json")
    (row,) = rnnedge(*words).json
    assert {"target", "compiler", "cell", "units", "inputs", "steps", "per_step", "per_mac",
            "unit", "optimize", "code_bytes", "const_bytes", "ram_bytes",
            "stack_bytes"} <= set(row)  # fmt: skip
    assert (row["cell"], row["units"], row["inputs"], row["layers"]) == ("lstm+lstm", 5, 3, 2)
    assert row["per_mac"] == round(row["per_step"] / (4 * 5 * 8 + 4 * 5 * 10), 3)
    program = tmp_path / "elf" / "cortex-m4.elf"
    assert b"app_count_begin" in program.read_bytes()
    rnnedge("bench", "--cell", "tcn").refused("'tcn'", "gru, lstm, rnn")
    done = rnnedge("bench", tmp_path, "--units", 4)
    assert (done.code, "RUN has a shape of its own" in done.err) == (2, True)
