"""Every streaming task from recordings to integers that the C code repeats."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from rnnedge import api
from rnnedge.api.generating import Seed, generate
from rnnedge.api.opened import open_run
from rnnedge.cli import main
from rnnedge.commands.evaluate import disagreement
from rnnedge.data.readers import Recording, Recordings
from rnnedge.errors import DataError, ModelError
from rnnedge.kerasbackend import load_keras
from rnnedge.run import DataFormat
from rnnedge.simulator import quantize, step_scores
from rnnedge.train.options import TrainOptions

QUICK: dict[str, Any] = {"units": 8, "epochs": 5, "steps": 16, "learning_rate": 0.03, "name": "net"}
ON_A_CORE = ("label", "reverse")


def item(number: int, values: Any, **fields: Any) -> Recording:
    return Recording(
        values=np.asarray(values, np.float32),
        label=fields.pop("label", None),
        group=None,
        source=f"recording {number}",
        file="file.csv",
        start_row=2,
        **fields,
    )


def data(items: list[Recording], channels: int = 1, **fields: Any) -> Recordings:
    names = tuple(f"c{index}" for index in range(channels))
    given = {"channels": names, "units": ("V",) * channels, "classes": ()} | fields
    return Recordings(items=tuple(items), **given)


def waves(rows: int, phase: float, noise: float, rng: np.random.Generator) -> Any:
    t = np.arange(rows) * 0.35 + phase
    both = np.stack([np.sin(t), 10 + 3 * np.cos(t)], axis=1)
    return both + noise * rng.normal(size=both.shape) * [1, 3]


def labelled() -> Recordings:
    """The class at each step is whether the wave was fast over the last steps."""
    rng = np.random.default_rng(0)
    items = []
    for number in range(8):
        fast = np.repeat(rng.random(12) < 0.4, 20)
        phase = np.cumsum(np.where(fast, 1.4, 0.3))
        values = np.stack([np.sin(phase), np.cos(phase)], axis=1)
        items.append(item(number, values, row_labels=fast.astype(np.int64)))
    return data(items, 2, classes=("slow", "fast"))


def forecastable() -> Recordings:
    rng = np.random.default_rng(1)
    return data([item(n, waves(150, n, 0.05, rng)) for n in range(8)], 2)


def faulty() -> Recordings:
    """The same wave; in two of the recordings it stands still for a while."""
    rng = np.random.default_rng(2)
    items = []
    for number in range(10):
        values = waves(240, number, 0.02, rng)
        rows = np.zeros(240, np.int64)
        if number in (3, 6):
            values[150:190] = values[150]
            rows[150:190] = 1
        part = "test" if number in (3, 4) else "train"
        items.append(item(number, values, row_labels=rows, part=part))
    return data(items, 2, classes=("normal", "stuck"))


def mapped() -> Recordings:
    rng = np.random.default_rng(3)
    items = []
    for number in range(8):
        x = rng.normal(size=(120, 1))
        y = 5 + 2 * np.tanh(x)
        items.append(item(number, x, targets=y.astype(np.float32)))
    return data(items, 1, target_names=(("pressure", "Pa"),))


def decays() -> Recordings:
    """A series of the value that its feature tells: it falls from there to zero."""
    rng = np.random.default_rng(4)
    items = []
    for number in range(40):
        first = rng.uniform(1, 3)
        values = first * 0.8 ** np.arange(12)
        items.append(item(number, values[:, None], start=np.array([first * 10], np.float32)))
    return data(items, 1, start_names=(("height", "cm"),))


def reversals(text: bool) -> Recordings:
    """The reply is the sequence from its end, as ids; or its running sum, as values."""
    rng = np.random.default_rng(5)
    items = []
    for number in range(120):
        rows = int(rng.integers(2, 4))
        if text:
            ids = rng.integers(0, 3, (rows, 1))
            items.append(item(number, ids, reply=ids[::-1].astype(np.float32)))
        else:
            x = rng.normal(size=(rows, 1))
            items.append(item(number, x, reply=np.cumsum(x, axis=0).astype(np.float32)))
    if text:
        return data(
            items, text="characters", classes=("a", "b", "c"), reply_classes=("A", "B", "C")
        )
    return data(items, reply_names=(("sum", "V"),))


def letters() -> Recordings:
    """Lines of two words, each letter but the first of which is sure."""
    rng = np.random.default_rng(6)
    words = ([1, 2, 3, 4], [5, 6, 4])
    items = []
    for number in range(60):
        line = [0, *(letter for _ in range(4) for letter in words[rng.integers(2)]), 0]
        items.append(item(number, np.array(line)[:, None]))
    return data(items, text="characters", classes=("<end>", "a", "b", "c", " ", "d", "e"))


CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "label": (labelled, {"task": "label", "class_weights": "balanced"}),
    "forecast": (forecastable, {"task": "forecast", "horizons": (1, 4)}),
    "anomaly": (faulty, {"task": "anomaly", "rate": 1.0}),
    "map": (mapped, {"task": "map", "cell": "rnn"}),
    "generate": (decays, {"task": "generate", "cell": "lstm", "epochs": 12}),
    "series": (forecastable, {"task": "generate", "units": 10}),
    "translate": (lambda: reversals(False), {"task": "translate", "cell": "lstm", "epochs": 12}),
    "reverse": (lambda: reversals(True), {"task": "translate", "units": 16, "epochs": 20}),
    "next": (letters, {"task": "next"}),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Train a case once; returns its run and its document."""
    made: dict[str, tuple[Path, dict[str, Any]]] = {}

    def get(name: str) -> tuple[Path, dict[str, Any]]:
        if name not in made:
            make, options = CASES[name]
            folder = tmp_path_factory.mktemp(name)
            source = folder / "file.csv"
            source.write_text("x\n")
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("rnnedge.data.tasks.read", lambda *_, **__: make())
                document = api.fit(
                    [source], folder / "run", options=TrainOptions(**(QUICK | options)),
                    form=DataFormat(),
                )  # fmt: skip
            made[name] = folder / "run", document
        return made[name]

    return get


@pytest.mark.parametrize("name", CASES)
def test_the_exported_code_gives_the_bits_of_the_simulator(trained: Any, name: str) -> None:
    run, _ = trained(name)
    _, model, _ = open_run(run)
    for found in api.verify(
        run, ["host", *(["cortex-m4"] if name in ON_A_CORE else [])], windows=2
    ):
        assert found["differences"] == 0
        assert found["states_compared"] > 0
        assert (found["free_steps"] > 0) == model.generates


@pytest.mark.parametrize("name", CASES)
def test_int8_is_near_float(trained: Any, name: str) -> None:
    _, document = trained(name)
    exact, integer = document["variants"]["float"], document["variants"]["int8"]
    if "mse_normalised" in exact:
        assert integer["difference"] < 0.05
        assert integer["rmse_normalised"] == pytest.approx(exact["rmse_normalised"], abs=0.02)
    else:
        assert integer["agreement"] > 0.97
        assert integer["nats"] == pytest.approx(exact["nats"], abs=0.03)


@pytest.mark.parametrize(
    ("name", "figure", "least", "most"),
    [
        ("label", "accuracy", 0.9, 1),
        ("forecast", "rmse_normalised", 0, 0.4),
        ("map", "rmse_normalised", 0, 0.2),
        ("next", "nats", 0, 0.4),
        ("reverse", "accuracy", 0.9, 1),
    ],
)
def test_it_learns(trained: Any, name: str, figure: str, least: float, most: float) -> None:
    _, document = trained(name)
    assert least <= document["variants"]["int8"][figure] <= most


def test_a_forecast_stands_beside_what_needs_no_network(trained: Any) -> None:
    _, document = trained("forecast")
    assert [name.split(",")[0] for name in document["baselines"]] == ["persistence", "linear"]
    persistence = document["baselines"]["persistence"]
    assert document["variants"]["float"]["mse_normalised"] < persistence["mse_normalised"]
    assert document["classes"] == ["c0 +1", "c1 +1", "c0 +4", "c1 +4"]


def test_the_detector_finds_what_stands_still(trained: Any) -> None:
    run, document = trained("anomaly")
    found = document["detector"]
    assert found["found"] == [True]
    assert found["false_alarms"] == 0
    assert found["threshold"] == open_run(run)[1].detector.threshold


@pytest.mark.parametrize("name", ["generate", "translate"])
def test_free_runs_of_int8_are_as_right_as_those_of_float(trained: Any, name: str) -> None:
    _, document = trained(name)
    exact, integer = (document["variants"][v]["free"] for v in ("float", "int8"))
    assert integer["steps"] == exact["steps"] > 1
    assert integer["rmse_normalised"] < 0.5
    assert integer["rmse_normalised"] == pytest.approx(exact["rmse_normalised"], abs=0.03)


def test_a_sequence_is_translated_freely(trained: Any) -> None:
    _, document = trained("reverse")
    exact, integer = (document["variants"][v]["free"] for v in ("float", "int8"))
    assert exact["exact"] > 0.7
    assert integer["exact"] == pytest.approx(exact["exact"], abs=0.1)


@pytest.mark.parametrize("name", ["forecast", "next"])
def test_the_figures_are_those_of_keras(trained: Any, name: str) -> None:
    """Float runs the weights in NumPy; Keras gives the same answers."""
    run, _ = trained(name)
    from rnnedge.convert.extract import extract

    _, _, windows = open_run(run)
    x = windows.X_test[:3]
    got = extract(run / "model.keras").forward(x.astype(np.float64))[1]
    keras = np.asarray(load_keras(run / "model.keras")(x if name == "forecast" else x[..., 0]))
    if name == "next":
        got = np.exp(got - got.max(axis=-1, keepdims=True))
        got /= got.sum(axis=-1, keepdims=True)
    assert np.allclose(got, keras, atol=1e-4)


@pytest.mark.parametrize("name", ["label", "generate", "reverse"])
def test_evaluate_repeats_what_training_measured(trained: Any, name: str) -> None:
    run, document = trained(name)
    again = api.evaluate(run)
    assert again["variants"] == document["variants"]


def _csv(path: Path, values: Any) -> Path:
    np.savetxt(path, values, delimiter=",", header="c0,c1", comments="", fmt="%.6f")
    return path


def _simulated(run: Path, values: Any, path: Path) -> tuple[dict[str, Any], Any]:
    """Return what simulate says, and the simulator's scores of the same values."""
    _, model, _ = open_run(run)
    rounded = np.asarray(values, np.float32).round(6)
    scores = step_scores(model, quantize(model.input, rounded[None]))[0]
    return api.predict(run, [_csv(path, rounded)]), np.ldexp(scores, -model.fraction_bits)


def test_values_are_simulated_in_their_units(trained: Any, tmp_path: Path) -> None:
    run, _ = trained("forecast")
    values = waves(40, 1, 0.02, np.random.default_rng(9))
    document, scores = _simulated(run, values, tmp_path / "f.csv")
    assert [(o["name"], o["unit"], o["horizon"]) for o in document["outputs"]] == [
        ("c0", "V", 1), ("c1", "V", 1), ("c0", "V", 4), ("c1", "V", 4),
    ]  # fmt: skip
    targets = open_run(run)[0].targets
    for step, row in zip(document["steps"], scores, strict=True):
        for value, score, target in zip(step["values"], row, targets, strict=True):
            assert value == pytest.approx(score * target.std + target.mean, abs=2e-6)
    assert [step["line"] for step in document["steps"]] == list(range(2, 42))
    shown = CliRunner().invoke(main, ["simulate", str(run), str(tmp_path / "f.csv")])
    assert shown.exit_code == 0
    assert "c1 +4" in " ".join(shown.output.split())


def test_classes_are_simulated_at_each_row(trained: Any, tmp_path: Path) -> None:
    run, _ = trained("label")
    phase = np.cumsum(np.repeat([0.3, 1.4], 30))
    document, scores = _simulated(
        run, np.stack([np.sin(phase), np.cos(phase)], 1), tmp_path / "c.csv"
    )
    found = [step["class"] for step in document["steps"]]
    assert found == [("slow", "fast")[best] for best in scores.argmax(axis=1)]
    assert found[20:30] == ["slow"] * 10
    assert found[-10:] == ["fast"] * 10
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    told = [step["probability"] for step in document["steps"]]
    np.testing.assert_allclose(told, shares.max(axis=1), atol=2e-3)


def test_anomalies_are_simulated_with_their_level(trained: Any, tmp_path: Path) -> None:
    run, _ = trained("anomaly")
    values = waves(240, 0, 0.02, np.random.default_rng(8))
    values[150:190] = values[150]
    document, _ = _simulated(run, values, tmp_path / "a.csv")
    called = [step["row"] for step in document["steps"] if step["anomaly"]]
    assert called
    assert 150 < min(called) < 190
    for step in document["steps"]:
        over = step["level"] > document["threshold"] and step["row"] >= 64
        assert step["anomaly"] == over
    shown = CliRunner().invoke(main, ["simulate", str(run), str(tmp_path / "a.csv")])
    assert f"above {document['threshold']:,}" in shown.output


def test_text_is_simulated_character_by_character(trained: Any, tmp_path: Path) -> None:
    run, _ = trained("next")
    (tmp_path / "t.txt").write_text("abc deb\n")
    document = api.predict(run, [tmp_path / "t.txt"])
    assert "".join(s["sample"] for s in document["steps"]).startswith("<end>abc deb")
    assert [s["class"] for s in document["steps"] if s["sample"] in "ad"] == ["b", "e"]


def test_an_empty_text_is_no_question(trained: Any) -> None:
    run, _ = trained("translate")
    with pytest.raises(DataError, match="--text is empty; give at least one character"):
        generate(run, 3, Seed(text=""))


def test_what_starts_from_something_is_generated_instead(trained: Any, tmp_path: Path) -> None:
    run, _ = trained("generate")
    with pytest.raises(ModelError, match="start from features; rnnedge generate"):
        api.predict(run, [_csv(tmp_path / "g.csv", np.zeros((4, 2)))])


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"ids": 9, "input_bits": 8, "steps": 1}, "of 1 step; its samples are ids"),
        ({"input_bits": 8, "steps": 2000}, "of 2,000 steps; try --input-bits 16"),
        ({"input_bits": 16, "windows": 1}, "of 1 window; its input has 16 bits"),
    ],
)
def test_the_cure_of_disagreement_fits_the_model(
    document: dict[str, Any], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    disagreement({**document, "variants": {"int8": {"agreement": 0.9}}})
    assert text in capsys.readouterr().err
