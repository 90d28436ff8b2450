"""rnnedge generate: series and texts of the simulator, as the device makes them."""

import csv
import dataclasses
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from rnnedge.api.generating import Seed, generate, generate_several
from rnnedge.errors import DataError, ModelError
from rnnedge.simulator import quantize, run_free
from rnnedge.spec import QuantizedModel
from tests.cli import rnnedge
from tests.models import float_model, quantized
from tests.taskmodels import task_model
from tests.taskruns import make_task_run

LETTERS = ("<end>", *"abcdefghij")


def letters(seed: int = 41, classes: tuple[str, ...] = LETTERS) -> QuantizedModel:
    model = task_model(seed, "next", rows=len(LETTERS), spread=2.0, units=16, channels=8)
    return dataclasses.replace(model, classes=classes)


def test_a_series_goes_on_from_its_values(tmp_path: Path) -> None:
    model = task_model(1, "generate")
    make_task_run(tmp_path / "run", model)
    rows = [[1.0, 2.0, 3.0], [2.0, 1.0, 0.0]]
    found = generate(tmp_path / "run", 5, Seed(values=rows))
    x = quantize(model.input, [rows])
    trace = run_free(model, 4, x=x)
    assert model.output is not None
    real = trace.scores[0] * 2.0**-model.fraction_bits * model.output.std + model.output.mean
    assert np.allclose(found["series"], real, rtol=1e-12)
    assert (found["fed"], len(found["series"])) == (2, 5)
    assert len(generate(tmp_path / "run", 3)["series"]) == 3


def test_a_series_starts_from_features_and_encoders(tmp_path: Path) -> None:
    started = task_model(2, "start")
    make_task_run(tmp_path / "s", started)
    low = generate(tmp_path / "s", 4, Seed(start=[-20.0, -20.0]))["series"]
    assert low != generate(tmp_path / "s", 4, Seed(start=[20.0, 20.0]))["series"]
    assert low == generate(tmp_path / "s", 4, Seed(start=[-20.0, -20.0]))["series"]
    translated = task_model(2, "translate")
    make_task_run(tmp_path / "t", translated)
    rows = np.arange(12.0).reshape(3, 4)
    found = generate(tmp_path / "t", 4, Seed(values=rows.tolist()))
    trace = run_free(translated, 4, encoder_raw=rows[None])
    assert translated.output is not None
    real = trace.scores[0] * 2.0**-translated.fraction_bits
    assert np.allclose(
        found["series"], real * translated.output.std + translated.output.mean, rtol=1e-12
    )


@pytest.mark.parametrize(("seed", "ends"), [(41, True), (23, False)])
def test_text_is_what_the_device_would_say(tmp_path: Path, seed: int, ends: bool) -> None:
    model = letters(seed)
    make_task_run(tmp_path / "run", model, text="characters")
    found = generate(tmp_path / "run", 11, Seed(text="abc"))
    trace = run_free(model, 11, x=quantize(model.input, [[[0], [1], [2], [3]]]))
    best = trace.scores[0].argmax(axis=1)[:11].tolist()
    assert (0 in best) == ends
    best = best[: best.index(0)] if ends else best
    assert len(set(best)) > 2
    assert found["ids"] == best
    assert found["text"] == "".join(LETTERS[i] for i in best)
    assert found["fed"] == 4


def test_lines_begin_with_what_ends_them_whether_there_is_a_text_or_none(tmp_path: Path) -> None:
    make_task_run(tmp_path / "lines", letters(23), text="characters")
    begun = generate(tmp_path / "lines", 9, Seed(text=""))
    assert generate(tmp_path / "lines", 9) == begun
    assert begun["fed"] == 1
    model = letters(23)
    trace = run_free(model, 9, x=quantize(model.input, [[[0]]]))
    best = trace.scores[0].argmax(axis=1)[:9].tolist()
    assert begun["ids"] == (best[: best.index(0)] if 0 in best else best)
    bare = run_free(model, 9).scores[0].argmax(axis=1)[:9].tolist()
    assert bare != best
    make_task_run(tmp_path / "book", letters(23, tuple("0abcdefghij")), text="characters")
    book = generate(tmp_path / "book", 9)
    assert (book["fed"], book["ids"]) == (0, bare)


@pytest.mark.parametrize("ends", [False, True])
def test_a_reply_is_made_of_the_words_of_a_question(tmp_path: Path, ends: bool) -> None:
    names = ("v", "w", "x", "y", "<end>" if ends else "z")
    model = dataclasses.replace(task_model(3, "reply", rows=5), classes=names)
    asked = ("<unknown>", "who", "are", "you", "a", "b", "c")
    make_task_run(tmp_path / "run", model, text="words", asked=asked)
    found = generate(tmp_path / "run", 6, Seed(text="who are nice  you"))
    # a reply begins with what ends it
    fed = quantize(model.input, [[[4]]]) if ends else None
    trace = run_free(model, 6, x=fed, encoder_raw=[[[1], [2], [0], [3]]])
    best = trace.scores[0].argmax(axis=1)[:6].tolist()
    best = best[: best.index(4)] if ends and 4 in best else best
    assert found["ids"] == best
    assert found["text"] == " ".join(names[i] for i in found["ids"])


def test_drawing_follows_the_probabilities_and_repeats(tmp_path: Path) -> None:
    model = letters(23, tuple("0abcdefghij"))
    make_task_run(tmp_path / "run", model, text="characters")

    def draw(temperature: float, number: int, steps: int = 40) -> list[int]:
        begin = Seed(text="a")
        return list(
            generate(tmp_path / "run", steps, begin, temperature=temperature, number=number)["ids"]
        )

    assert draw(1.0, 3) == draw(1.0, 3)
    assert draw(1.0, 3) != draw(1.0, 4)
    assert draw(0.001, 3) == draw(0.0, 0)
    # the first one, many times, against the device's probabilities
    from rnnedge.simulator import simulate, softmax

    scores = simulate(model, quantize(model.input, [[[1]]])).scores[0]
    share = softmax(scores, model.fraction_bits) / 2**15
    counts = Counter(draw(1.0, number, 1)[0] for number in range(200))
    likely = int(share.argmax())
    assert abs(counts[likely] / 200 - share[likely]) < 0.15
    flat = Counter(draw(100.0, number, 1)[0] for number in range(200))
    assert flat.most_common(1)[0][1] < counts.most_common(1)[0][1]


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    make_task_run(tmp_path / "text", letters(), text="characters")
    make_task_run(tmp_path / "values", task_model(1, "generate"))
    make_task_run(tmp_path / "label", task_model(1, "label"))
    for run, seed, options, message in (
        ("text", Seed(text="xyz"), {}, "'x' is none of the 11 characters"),
        ("text", Seed(values=[[1.5]]), {}, "1.5 is no id"),
        ("values", Seed(text="a"), {}, "reads no text"),
        ("values", Seed(values=[[1.0]]), {}, "a sample of 1 values; model net takes 3: c0, c1"),
        ("values", Seed(start=[1.0]), {}, "starts from no features"),
        ("values", None, {"temperature": 1.0}, "leave --temperature out"),
        ("label", None, {}, "cannot run freely"),
    ):
        with pytest.raises((DataError, ModelError), match=message):
            generate(tmp_path / run, 3, seed, **options)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="cannot run freely"):
        from rnnedge.simulator import check_generates

        check_generates(quantized(float_model(1)))


def test_the_command_prints_text_tables_and_csv(tmp_path: Path) -> None:
    make_task_run(tmp_path / "text", letters(), text="characters")
    make_task_run(tmp_path / "values", task_model(1, "generate"))
    run = tmp_path / "values"
    said = rnnedge("generate", tmp_path / "text", "--text", "ab", "--steps", 9)
    assert said.code == 0, said.err
    assert set(said.out.strip()) <= set("abcdefghij")
    found = rnnedge("generate", run, "--seed-values", "1,2,3;4,5,6", "--steps", 3, "--json").json
    printed = rnnedge("generate", run, "--seed-values", "1,2,3;4,5,6", "--steps", 3, "--csv").out
    header, *rows = csv.reader(io.StringIO(printed))
    assert header == found["outputs"]
    assert [[float(value) for value in row] for row in rows] == found["series"]
    shown = rnnedge("generate", run, "--steps", 3).out
    assert "out 2" in shown
    (tmp_path / "seed.csv").write_text("c0,c1,c2\n1,2,3\n4,5,6\n")
    again = rnnedge("generate", run, "--data", tmp_path / "seed.csv", "--steps", 3, "--json").json
    assert again["series"] == found["series"]
    for words, message in (
        (["--seed-values", "1,2", "--steps", "3"], "takes 3"),
        (["--seed-values", "1,b,3", "--steps", "3"], "expected numbers"),
        (["--seed-values", "1,nan,3", "--steps", "3"], "NaN"),
        (["--steps", "0"], "--steps"),
        (["--text", "a", "--seed-values", "1,2,3", "--steps", "3"], "name one"),
        (["--csv", "--json", "--steps", "3"], "not both"),
    ):
        rnnedge("generate", run, *words).refused(message)


def test_what_a_model_begins_with_is_asked_for(tmp_path: Path) -> None:
    make_task_run(tmp_path / "start", task_model(2, "start"))
    make_task_run(tmp_path / "values", task_model(2, "translate"))
    words = dataclasses.replace(task_model(3, "reply", rows=5), classes=tuple("vwxyz"))
    make_task_run(tmp_path / "words", words, text="words", asked=tuple("abcdefg"))
    for name, message in (
        ("start", r"net starts from features; give them with --start \w+,\w+, or with --data"),
        ("values", "net answers a sequence; give it with --seed-values, or with --data"),
        ("words", "net answers a sequence; give it with --text, or with --data"),
    ):
        with pytest.raises(DataError, match=message):
            generate(tmp_path / name, 3)


def test_several_are_drawn_or_begin_with_one_recording_each(tmp_path: Path) -> None:
    text, values = tmp_path / "text", tmp_path / "values"
    make_task_run(text, letters(23), text="characters")
    make_task_run(values, task_model(1, "generate"))
    many = generate_several(text, 9, Seed(text="a"), count=3, temperature=1.0, number=5)
    for place, one in enumerate(many["made"]):
        alone = generate(text, 9, Seed(text="a"), temperature=1.0, number=5 + place)
        assert one == {key: alone[key] for key in one}
    assert len({one["text"] for one in many["made"]}) > 1
    (tmp_path / "seed.csv").write_text("c0,c1,c2\n1,2,3\n4,5,6\n\n7,8,9\n1,1,2\n")
    asked = ["--data", tmp_path / "seed.csv", "--steps", 2, "--count", 2]
    header, *rows = csv.reader(io.StringIO(rnnedge("generate", values, *asked, "--csv").out))
    assert header[0] == "number"
    assert [row[0] for row in rows] == ["1", "1", "2", "2"]
    second = generate(values, 2, Seed(values=[[7, 8, 9], [1, 1, 2]]))["series"]
    assert [[float(value) for value in row[1:]] for row in rows[2:]] == second
    assert "series 2 of 2" in rnnedge("generate", values, *asked).out
    rnnedge("generate", values, *asked[:-1], 3).refused("2 recordings for --count 3")
    for run, cure in ((text, "a --temperature above 0, or --data"), (values, "needs --data")):
        with pytest.raises(DataError, match=f"would be the same.*{cure}"):
            generate_several(run, 2, count=2)
