"""LiteRT, the interpreter of phones and PCs, loads the files too, but rounds otherwise.

It is no reference: docs/tflm.md states by how much it differs from TFLite Micro.
"""

import subprocess
import sys

import numpy as np
import pytest

from rnnedge.convert.tflite import Variant, as_input, emit, variants
from rnnedge.convert.tflite.variant import fused
from rnnedge.targets.tflm import run_tflm
from tests.tflite.cases import case, samples

UNITS = {"16x8": 8, "8x8": 80}
"""Largest difference of a score, in its int16 units; measured: 6 and 65."""
NAMES = ("gru", "gru_before", "lstm", "rnn", "mixed", "every_step", "both_ways_twice", "both_ways")


def loads(name, variant):
    return variant.form == "stream" or not fused(case(name))


def run(folders):
    return subprocess.run(
        [sys.executable, "-m", "tests.tflite.litert", *map(str, folders)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def written(folder, name, variant):
    """The file and its input in a folder; what TFLM makes of it."""
    folder.mkdir()
    tflite, x = emit(case(name), variant), as_input(samples(case(name), 6), variant)
    (folder / "model.tflite").write_bytes(tflite)
    np.save(folder / "x.npy", x)
    return run_tflm(tflite, x, 1 << 20)


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_those_of_tflm_but_for_rounding(name, tmp_path):
    forms = [variant for variant in variants(case(name)) if loads(name, variant)]
    expected = {form: written(tmp_path / form.name, name, form) for form in forms}
    done = run(tmp_path / form.name for form in forms)
    assert done.returncode == 0, done.stderr
    for form, scores in expected.items():
        found = np.load(tmp_path / form.name / "y.npy")
        assert found.shape == scores.shape
        assert np.abs(found.astype(int) - scores).max() <= UNITS[form.precision], form.name
        assert np.mean(found.argmax(-1) == scores.argmax(-1)) >= 0.97, form.name


@pytest.mark.parametrize("precision", ["16x8", "8x8"])
def test_the_fused_lstm_is_not_loaded(precision, tmp_path):
    """LiteRT wants other types for it; should a later one load it, docs/tflm.md is to say so."""
    variant = Variant(precision=precision)
    assert not loads("lstm", variant)
    written(tmp_path / "lstm", "lstm", variant)
    done = run([tmp_path / "lstm"])
    assert done.returncode == 1
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in done.stderr
