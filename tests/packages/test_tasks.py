"""Packages of every task: what their examples do is what the simulator does; they compile."""

import dataclasses
import functools
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from rnnedge.arrays import F32, F64
from rnnedge.convert.c import runtime_files
from rnnedge.simulator import detect, quantize, run_free, softmax, step_scores
from rnnedge.spec import QuantizedModel
from tests.packages import test_espidf, test_zephyr
from tests.packages.helpers import GCC, content, run, write_package
from tests.packages.test_arduino import compile_sketch
from tests.packages.test_cmake import CROSS
from tests.taskmodels import KINDS, task_data, task_model

FREE = ("generate", "start", "translate", "reply", "next")
STREAMING = tuple(kind for kind in KINDS if kind not in FREE)
LETTERS = ("<end>", "<unknown>", "a", "b", " ", "\n", ",", "é", '"', "?", "*")


@functools.cache
def model_of(kind: str) -> QuantizedModel:
    """A model of a kind, with names as a text's."""
    model = task_model(7, kind, units=6, window=9)
    if kind == "next":
        return dataclasses.replace(model, classes=LETTERS)
    if kind == "reply" and model.encoder is not None:
        asked = ("<unknown>", "who", "are", "you", *(f"w{i}" for i in range(9)))
        encoder = dataclasses.replace(model.encoder, classes=asked)
        answers = (*(f"x{i}" for i in range(10)), "<end>")
        return dataclasses.replace(model, encoder=encoder, classes=answers)
    return model


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A package of each kind."""
    folder = tmp_path_factory.mktemp("tasks")
    return {kind: write_package(folder / f"rnnedge_{kind}", model_of(kind)) for kind in KINDS}


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime as an archive."""
    folder = tmp_path_factory.mktemp("runtime")
    for name, data in runtime_files().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    sources = [path for name in ("src", "kernels") for path in sorted((folder / name).glob("*.c"))]
    run("gcc", "-std=c99", "-O1", "-c", *sources, cwd=folder)
    run("ar", "rc", folder / "librnnedge.a", *sorted(folder.glob("*.o")))
    return folder / "librnnedge.a"


def program(packages: dict[str, Path], runtime: Path, kind: str, example: str, to: Path) -> Path:
    """An example in plain C, compiled without a warning."""
    package = packages[kind]
    sources = [package / f"examples/c/{example}.c", package / "src/net_model.c"]
    sources.append(package / "src/net/net_golden.c")
    run("gcc", *GCC, f"-I{package}/src", *sources, runtime, "-o", to / example)
    return to / example


@pytest.mark.parametrize("kind", KINDS)
def test_the_selftest_passes(
    packages: dict[str, Path], runtime: Path, kind: str, tmp_path: Path
) -> None:
    assert run(program(packages, runtime, kind, "selftest", tmp_path)) == "PASS: status 0\n"


def rows_of(raw: F32) -> str:
    return "\n".join(" ".join(f"{value:.9g}" for value in row) for row in raw) + "\n"


def real(model: QuantizedModel, scores: np.ndarray) -> F64:
    assert model.output is not None
    values = np.ldexp(scores.astype(np.float64), -model.fraction_bits)
    return values * model.output.std + model.output.mean


@pytest.mark.parametrize("kind", STREAMING)
def test_stream_says_what_the_simulator_says(
    packages: dict[str, Path], runtime: Path, kind: str, tmp_path: Path
) -> None:
    """A class with its probability, a level with its label, or values in their units."""
    model = model_of(kind)
    raw = task_data(model, 3, 1, 20).raw
    x = quantize(model.input, raw)
    said = run(program(packages, runtime, kind, "stream", tmp_path), input=rows_of(raw[0]))
    scores = step_scores(model, x)[0]
    if model.detector is not None:
        found = detect(model, x)
        words = ("normal", "anomaly")
        expected = [
            f"{words[label]}  level {level}"
            for label, level in zip(found.labels[0], found.levels[0], strict=True)
        ]
        assert said.splitlines() == expected and len(set(found.labels[0].tolist())) == 2
    elif model.output is None:
        best, share = scores.argmax(axis=1), softmax(scores, model.fraction_bits) / 2**15
        expected = [f"{model.classes[i]} {share[t, i]:.4f}" for t, i in enumerate(best)]
        assert said.splitlines() == expected and len(set(best.tolist())) > 1
    else:
        lines = [line.rsplit(" ", 1) for line in said.splitlines()]
        assert [name for name, _ in lines] == [*model.classes] * 20
        values = np.array([float(value) for _, value in lines]).reshape(20, -1)
        assert np.allclose(values, real(model, scores), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["generate", "start", "translate"])
@pytest.mark.parametrize("given", [0, 4])
def test_generate_makes_the_simulators_series(
    packages: dict[str, Path], runtime: Path, kind: str, given: int, tmp_path: Path
) -> None:
    model = model_of(kind)
    data = task_data(model, 3, 1, max(given, 1), max(given, 1))
    generate = program(packages, runtime, kind, "generate", tmp_path)
    if data.features is not None:
        words = [f"{value:.9g}" for value in data.features[0]][: given or 1]
        done = subprocess.run([generate, *words], capture_output=True, text=True, check=False)
        if not given:
            assert done.returncode == 1 and "1 words, but there are 2 features" in done.stderr
            return
        said, trace = done.stdout, run_free(model, 20, features=data.features)
        scores = trace.scores[0]
    elif data.encoder is not None:
        fed = data.encoder if given else None
        said = run(generate, input="" if fed is None else rows_of(fed[0]))
        scores = run_free(model, 20, encoder_raw=fed).scores[0]
    else:
        fed = data.raw if given else None
        said = run(generate, input="" if fed is None else rows_of(fed[0]))
        x = None if fed is None else quantize(model.input, fed)
        scores = run_free(model, 20, x=x).scores[0, :20]
    values = np.array([[float(word) for word in line.split()] for line in said.splitlines()])
    assert values.shape == (20, model.outputs)
    assert np.allclose(values, real(model, scores[:20]), rtol=1e-4, atol=1e-4)


def names_of(model: QuantizedModel, scores: np.ndarray, blank: str) -> str:
    """The text of answers, up to the end."""
    best = scores.argmax(axis=1)[:20].tolist()
    end = model.classes.index("<end>")
    best = best[: best.index(end)] if end in best else best
    return "".join(model.classes[i] + blank for i in best) + "\n"


@pytest.mark.parametrize("text", ["ab", 'é, "b?', "", "aba aba a"])
def test_generate_goes_on_with_a_text(
    packages: dict[str, Path], runtime: Path, text: str, tmp_path: Path
) -> None:
    model = model_of("next")
    said = run(program(packages, runtime, "next", "generate", tmp_path), text)
    ids = [0, *(LETTERS.index(letter) for letter in text)]  # what ends a line also begins it
    x = quantize(model.input, np.array(ids, np.float32).reshape(1, -1, 1))
    assert said == names_of(model, run_free(model, 20, x=x).scores[0], "")


@pytest.mark.parametrize("text", ["who are  you", "who is w8 "])
def test_generate_replies_in_words(
    packages: dict[str, Path], runtime: Path, text: str, tmp_path: Path
) -> None:
    model = model_of("reply")
    assert model.encoder is not None
    said = run(program(packages, runtime, "reply", "generate", tmp_path), text)
    known = model.encoder.classes
    ids = [known.index(word) if word in known else 0 for word in text.split()]
    asked = np.array(ids, np.float32).reshape(1, -1, 1)
    begin = quantize(model.input, np.full((1, 1, 1), 10, np.float32))
    trace = run_free(model, 20, x=begin, encoder_raw=asked)
    assert said == names_of(model, trace.scores[0], " ")


def test_a_letter_that_is_unknown_is_said(tmp_path: Path, runtime: Path) -> None:
    model = dataclasses.replace(model_of("next"), classes=tuple("0abcdefghij"))
    packages = {"next": write_package(tmp_path / "p", model)}
    generate = program(packages, runtime, "next", "generate", tmp_path)
    done = subprocess.run([generate, "abx"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "x is not of the vocabulary" in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_board_examples_compile_against_stubs(
    packages: dict[str, Path], kind: str, tmp_path: Path
) -> None:
    """Those of ESP-IDF and Zephyr, with the headers of their tests."""
    for headers, folder in (
        (test_espidf.HEADERS, "examples/esp_idf/main"),
        (test_zephyr.HEADERS, "examples/zephyr/src"),
    ):
        stubs = tmp_path / folder
        for name, text in headers.items():
            (stubs / name).parent.mkdir(parents=True, exist_ok=True)
            (stubs / name).write_text(text)
        flags = [flag for flag in GCC if flag != "-Wmissing-prototypes"]  # of app_main
        examples = sorted((packages[kind] / folder).glob("*.c"))
        own = "generate" if kind in FREE else "stream"
        assert [path.stem for path in examples] == sorted(["serial", own, "verify"])
        includes = [f"-I{packages[kind]}/src", f"-I{stubs}"]
        run("gcc", *flags, "-fsyntax-only", *includes, *examples)


@pytest.mark.parametrize("target", CROSS)
def test_models_compile_for_every_core(packages: dict[str, Path], target: str) -> None:
    compiler, *flags = CROSS[target]
    words = [word for flag in flags for word in flag.split()]
    for kind, package in packages.items():
        sources = [package / "src/net_model.c", package / "src/net/net_golden.c"]
        strict = [*words, "-Wall", "-Wextra", "-Werror", "-std=c99", "-fsyntax-only"]
        run(compiler, *strict, f"-I{package}/src", *sources)
        assert kind


@pytest.mark.parametrize("kind", ["anomaly", "forecast", "start", "reply"])
def test_sketches_compile_for_the_uno(kind: str, tmp_path: Path) -> None:
    libraries = tmp_path / "libraries"
    library = write_package(libraries / "rnnedge_net", model_of(kind), ("arduino",))
    name = "Generate" if kind in FREE else "Stream"
    compile_sketch(library / f"examples/{name}/{name}.ino", libraries, tmp_path / "build")


def test_lines_are_at_most_100_columns() -> None:
    for kind in KINDS:
        for name, data in content(model_of(kind)).items():
            if name.startswith(("examples", "CMake", "zephyr")):
                for line in data.decode().splitlines():
                    assert len(line) <= 100, (kind, name, line)


@pytest.mark.parametrize("kind", KINDS)
def test_the_readmes_lines_compile(packages: dict[str, Path], kind: str, tmp_path: Path) -> None:
    """And it names what comes before the samples."""
    text = (packages[kind] / "README.md").read_text()
    (code,) = re.findall(r"```c\n(.*?)```", text, re.DOTALL)
    flags = [flag for flag in GCC if flag != "-Wmissing-prototypes"]
    (tmp_path / "a.c").write_text(code)
    run("gcc", *flags, f"-I{packages[kind]}/src", "-c", tmp_path / "a.c", "-o", tmp_path / "a.o")
    called = {"start": "start", "translate": "encode", "reply": "encode_id", "next": "step_id"}
    if kind in called:
        assert f"rnnedge_{called[kind]}(" in code and "rnnedge_step_back(" in code
    for part, row in {"start": "| 1 | f1 | mm |", "translate": "| 3 | e3 | m |"}.items():
        assert (row in text) == (kind == part)
    assert ('| 4 | " " |\n| 5 | "\\\\n" |' in text) == (kind == "next")
    assert ("| 2 | are |" in text) == (kind == "reply")
    assert ("Generate makes a sequence" in text) == (kind in FREE)
