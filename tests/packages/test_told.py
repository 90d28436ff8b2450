"""README.md of every task: its lines of C answer as the simulator, its figures are the run's."""

import dataclasses
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.api.exporting import without_unit
from rnnedge.api.figures import figures, known
from rnnedge.api.opened import open_run
from rnnedge.arrays import F32
from rnnedge.convert.c import export_c
from rnnedge.convert.packages import make_package, package_files
from rnnedge.modelfile import model_hash
from rnnedge.run import METRICS_FILE
from rnnedge.simulator import quantize, run_free
from rnnedge.spec import QuantizedModel
from tests.packages.helpers import GCC, run, write_package
from tests.packages.test_tasks import FREE, model_of, real
from tests.packages.test_tasks import runtime as runtime
from tests.taskmodels import task_data
from tests.taskruns import make_task_run

_MAIN = """
#include <stdio.h>
int main(int count, char **words) {
    int status = model_start();
    (void)count;
    (void)words;
    for (int run = 0; run < 2 && status == 0; run++) {
@BEGIN@
        for (int step = 0; step < 8 && status == RNNEDGE_READY; step++) {
@SHOW@
            status = model_next();
        }
        printf("\\n");
        status = status == RNNEDGE_READY ? 0 : status;
    }
    return status;
}
"""
_VALUES = """            for (uint16_t i = 0; i < NET_OUTPUTS; i++) {
                printf("%.9g ", (double)model_value(i));
            }"""


@pytest.mark.parametrize("kind", FREE)
def test_the_readmes_lines_answer_as_the_simulator(
    runtime: Path, kind: str, tmp_path: Path
) -> None:
    """From the first answer on, twice the same: nothing is left of the sequence before."""
    model = model_of(kind)
    data = task_data(model, 3, 1, 3, 4)
    given = data.encoder if data.encoder is not None else data.raw
    if data.features is not None:
        features = ", ".join(f"{value:.9g}f" for value in data.features[0])
        begin = [f"const float features[] = {{{features}}};", "status = model_begin(features);"]
    else:
        begin = ["status = model_begin();"]
        for row in given[0]:
            values = ", ".join(f"{value:.9g}" for value in row)
            ids = kind in ("next", "reply")
            taken = values if ids else f"(const float[]){{{values}}}"
            begin.append(f"status = status < 0 ? status : model_take({taken});")
    if data.encoder is not None:
        begin.append("status = status < 0 ? status : model_answer();")
    show = '            printf("%d ", model_id());' if model.output is None else _VALUES
    package = write_package(tmp_path / "p", model, ("cmake",))
    text = (package / "README.md").read_text()
    (code,) = re.findall(r"```c\n(.*?)```", text, re.DOTALL)
    lines = "\n".join(f"        {line}" for line in begin)
    main = _MAIN.replace("@BEGIN@", lines).replace("@SHOW@", show)
    (tmp_path / "a.c").write_text(code + main)
    sources = [tmp_path / "a.c", package / "src/net_model.c", package / "src/net/net_golden.c"]
    run("gcc", "-std=c99", f"-I{package}/src", *sources, runtime, "-o", tmp_path / "a")
    first, second = run(tmp_path / "a").splitlines()
    assert first == second
    fed: F32 | None = data.raw
    if data.features is not None or kind == "translate":
        fed = None
    elif kind == "reply":
        fed = np.full((1, 1, 1), model.classes.index("<end>"), np.float32)
    elif kind == "next":
        fed = np.concatenate([np.zeros((1, 1, 1), np.float32), data.raw], axis=1)
    scores = run_free(
        model,
        8,
        x=None if fed is None else quantize(model.input, fed),
        features=data.features,
        encoder_raw=data.encoder,
    ).scores[0, :8]
    found = np.array([float(word) for word in first.split()])
    if model.output is None:
        assert found.tolist() == scores.argmax(axis=1).tolist()
    else:
        assert np.allclose(found.reshape(8, -1), real(model, scores), rtol=1e-4, atol=1e-4)


def readme_of(folder: Path, model: QuantizedModel, metrics: dict[str, Any]) -> str:
    """README.md of a run whose training measured `metrics`."""
    make_task_run(folder, model)
    (folder / METRICS_FILE).write_text(json.dumps(metrics))
    spec, model, windows = open_run(folder)
    files = export_c(model, windows.given(2))
    told = figures(model, known(folder, spec, model, windows), files, ())
    return package_files(make_package(model, files, told, None), files, ("cmake",))[
        "README.md"
    ].decode()


def test_how_right_it_is_comes_from_the_training(tmp_path: Path) -> None:
    """Nats, errors, baselines, free runs and alarms, of this very model alone."""
    text = model_of("next")

    def steps(nats: float, accuracy: float) -> dict[str, Any]:
        return {"accuracy": accuracy, "macro_f1": 0.25, "nats": nats, "confusion": [[1]]}

    metrics = {
        "sha256": model_hash(text),
        "steps": 8470,
        "sequences": 1205,
        "variants": {"float": steps(2.25, 0.3125), "int8": steps(2.375, 0.34375)},
        "baselines": {"majority": {"class": " ", "accuracy": 0.125, "macro_f1": 0.5}},
    }
    said = readme_of(tmp_path / "text", text, metrics)
    assert "| int8, as in this package | 0.3438 | 0.25 | 2.375 |" in said
    assert "| always ' ' | 0.125 | 0.5 |  |" in said
    assert "On 8,470 steps of 1,205 sequences" in said
    another = readme_of(tmp_path / "another", text, {**metrics, "sha256": "another"})
    assert "2.375" not in another and "Not known here; `rnnedge evaluate RUN`" in another

    watch = model_of("anomaly")

    def errors(rmse: float) -> dict[str, Any]:
        outputs = [{"rmse": rmse * (index + 1)} for index in range(watch.outputs)]
        free = {"steps": 7, "rmse_normalised": rmse / 2}
        return {"rmse_normalised": rmse, "outputs": outputs, "free": free}

    found = {"share_of_steps": 0.125, "found": [True, False], "windows": 2, "false_alarms": 1}
    metrics = {
        "sha256": model_hash(watch),
        "steps": 100,
        "sequences": 1,
        "variants": {"float": errors(0.25), "int8": errors(0.75)},
        "baselines": {"persistence": errors(0.5)},
        "detector": found,
    }
    said = readme_of(tmp_path / "watch", watch, metrics)
    assert "|  | int8, as in this package | float, as trained | persistence |" in said
    assert f"| RMSE of {watch.classes[1]} | 1.5 | 0.5 | 1 |" in said
    assert "| RMSE of all, normalised | 0.75 | 0.25 | 0.5 |" in said
    assert "| int8, as in this package | 0.375 |" in said and "Running freely, 7 steps" in said
    assert "calls 12.50 % of these steps an anomaly, and finds 1 of 2 labelled ones" in said


def test_ids_have_neither_rate_nor_unit(tmp_path: Path) -> None:
    for kind in ("next", "tag"):
        model = model_of(kind)
        package = write_package(tmp_path / kind, model, ("cmake",))
        assert without_unit(model) == []
        for path in [package / "README.md", *(package / "examples/c").iterdir()]:
            said = path.read_text()
            assert "ample rate" not in said and "sample a second" not in said, path
        assert "One id a step" in (package / "README.md").read_text()
    assert without_unit(dataclasses.replace(model_of("map"), channel_units=("g", "", "g"))) == [
        model_of("map").channels[1]
    ]


@pytest.mark.parametrize("counts", [None, (100.0, 100.0, 100.0)])
def test_stream_names_the_line_that_is_no_sample(
    counts: tuple[float, ...] | None, runtime: Path, tmp_path: Path
) -> None:
    package = write_package(tmp_path / "p", model_of("label"), ("cmake",), counts)
    sources = [package / "examples/c/stream.c", package / "src/net_model.c"]
    run("gcc", *GCC, f"-I{package}/src", *sources, runtime, "-o", tmp_path / "stream")

    def stream(text: str) -> tuple[int, int, str]:
        done = subprocess.run(
            [tmp_path / "stream"], input=text, capture_output=True, text=True, check=False
        )
        return done.returncode, len(done.stdout.splitlines()), done.stderr

    assert stream("1,2,3\n\n 4; 5 ;6\r\n7\t8 9") == (0, 3, "")
    assert stream("1,2,3,\n") == (0, 1, "")
    wrong = "expected a row of numbers, 3"
    assert stream("ax,ay,az\n1,2,3\n") == (1, 0, f"stream: line 1: {wrong}: ax,ay,az\n")
    for line in ("4,5", "4,5,6,7", "4,,5,6", "4,5,x", "4 5 6 walk"):
        found = stream(f"1,2,3\n{line}\n1,2,3\n")
        assert found == (1, 1, f"stream: line 2: {wrong}: {line}\n")
    if counts is not None:
        assert stream("1,2,40000\n")[0] == 1 and stream("1,2,-32768\n")[0] == 0


def test_generate_refuses_a_header(runtime: Path, tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", model_of("generate"), ("cmake",))
    sources = [package / "examples/c/generate.c", package / "src/net_model.c"]
    run("gcc", *GCC, f"-I{package}/src", *sources, runtime, "-o", tmp_path / "generate")
    for text, samples in (("a,b,c\n1,2,3\n", 0), ("1,2,3\n4,5\n", 1), ("1,2,3\n4,x,6\n", 1)):
        done = subprocess.run(
            [tmp_path / "generate"], input=text, capture_output=True, text=True, check=False
        )
        said = f"generate: behind {samples} samples: expected a row of numbers, 3\n"
        assert done.returncode == 1 and done.stderr.startswith(said)
