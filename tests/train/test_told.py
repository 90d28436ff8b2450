"""What train and evaluate say of the width of the input, and of what int8 costs."""

import json
from pathlib import Path

import pytest

from tests.cli import rnnedge
from tests.train.helpers import waves_csv


@pytest.mark.parametrize(
    ("agreement", "bits", "word"),
    [(0.99, 8, ""), (1.0, 16, ""), (0.9876, 8, "try --input-bits 16"), (0.5, 16, "already")],
)
def test_int8_that_differs_from_float_is_noted(
    agreement: float, bits: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from rnnedge.commands.evaluate import disagreement

    variants = {"int8": {"agreement": agreement}}
    disagreement({"variants": variants, "input_bits": bits, "windows": 2996})
    said = capsys.readouterr()
    assert said.out == ""
    if not word:
        assert said.err == ""
        return
    (line,) = said.err.splitlines()
    assert line.startswith(f"note: int8 agrees with float on only {100 * agreement:.1f} % of 2,996")
    assert word in line


def test_train_and_evaluate_say_the_width_of_the_input(
    tmp_path: Path,
) -> None:
    run, data = tmp_path / "run", waves_csv(tmp_path / "waves.csv", recordings=60)
    words = ["train", data, "--recording", "r", "--units", 4, "--epochs", 2, "--out", run]
    shown = rnnedge(*words).out
    chosen = json.loads((run / "run.json").read_text())["training"]["input"]
    assert chosen["windows"] > 20
    assert f"input: {chosen['reason']}\nrun folder" in shown
    assert rnnedge("evaluate", run, "--json").json["input_bits"] == chosen["bits"]
    document = rnnedge(*words, "--force", "--input-bits", "16", "--json").json
    assert document["input"]["bits"] == document["input_bits"] == 16
    assert document["input"]["windows"] == 0
    export = ["export", run, "--out", tmp_path / "e", "--measure", "none", "--json"]
    assert rnnedge(*export).json["input"] == document["input"]
