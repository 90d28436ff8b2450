"""Running .tflite files in child processes, and the arena they need."""

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from rnnedge.convert.tflite import (
    Variant,
    as_input,
    emit,
    input_scale,
    input_type,
    output_scale,
    variants,
)
from rnnedge.errors import ToolError
from rnnedge.targets.tflm import ARENA_STEP, find_arena, read_artefact, run_tflm
from tests.tflite.cases import case, samples

LARGE = 1 << 20


@pytest.fixture(scope="module")
def tflite(small):
    return emit(small)


def test_the_arena_found_works_and_the_next_smaller_does_not(tflite, small, models):
    arena = find_arena(tflite)
    x = models.windows(small, 20)
    assert arena % ARENA_STEP == 0
    assert np.array_equal(run_tflm(tflite, x, arena), run_tflm(tflite, x, LARGE))
    assert np.array_equal(run_tflm(tflite, x, arena + ARENA_STEP), run_tflm(tflite, x, LARGE))
    with pytest.raises(ToolError, match="arena too small"):
        run_tflm(tflite, x, arena - ARENA_STEP)


def test_windows_do_not_leak_into_each_other(tflite, small, models):
    x = models.windows(small, 9)
    assert np.array_equal(run_tflm(tflite, x[::-1], LARGE)[::-1], run_tflm(tflite, x, LARGE))


def test_no_windows_give_no_scores(tflite):
    assert run_tflm(tflite, np.zeros((0, 6, 3), np.int16), LARGE).shape == (0, 4)


@pytest.mark.parametrize("size", [0, 3, 100, 1000, 4000, -40])
def test_a_truncated_file_is_a_tool_error(tflite, small, models, size):
    with pytest.raises(ToolError, match=r"^TFLite Micro.* damaged or the arena too small$"):
        run_tflm(tflite[:size], models.windows(small, 1), LARGE)


def test_damaged_bytes_never_end_this_process(tflite, small, models):
    """Any outcome is fine but a crash, a hang or another exception."""
    rng = np.random.default_rng(0)
    x = models.windows(small, 1)
    for _ in range(12):
        damaged = bytearray(tflite)
        for position in rng.integers(0, len(damaged), 40):
            damaged[position] = rng.integers(256)
        try:
            run_tflm(bytes(damaged), x, LARGE, timeout=20)
        except ToolError as error:
            assert "\n" not in str(error)


def test_a_crash_names_the_signal(tflite, small, models):
    with pytest.raises(ToolError, match=r"arena of 16 bytes: .*crashed \(SIG[A-Z]+\); the file"):
        run_tflm(tflite, models.windows(small, 1), 16)


def test_a_run_that_takes_too_long_is_ended(tflite, small, models):
    start = time.monotonic()
    with pytest.raises(ToolError, match=r"no result after 0.01 s"):
        run_tflm(tflite, models.windows(small, 1), LARGE, timeout=0.01)
    assert time.monotonic() - start < 10


def test_a_missing_tflite_micro_says_how_to_install_it(
    tflite, small, models, tmp_path, monkeypatch
):
    (tmp_path / "tflite_micro.py").write_text("raise ImportError('gone')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"cannot be imported \(gone\); pip install tflite-micro"):
        run_tflm(tflite, models.windows(small, 1), LARGE)
    with pytest.raises(ToolError, match="pip install"):
        find_arena(tflite)


def test_windows_of_another_shape_are_refused(tflite):
    with pytest.raises(ToolError, match=r"windows of \(6, 2\) for a model that takes \(6, 3\)"):
        run_tflm(tflite, np.zeros((1, 6, 2), np.int16), LARGE)
    with pytest.raises(ToolError, match="x is float64"):
        run_tflm(tflite, np.zeros((1, 6, 3)), LARGE)


def test_find_arena_of_a_damaged_file_is_a_tool_error(tflite):
    with pytest.raises(ToolError, match="damaged"):
        find_arena(tflite[:-60])


def test_the_parent_imports_no_interpreter():
    code = (
        "import sys, rnnedge.targets.tflm; "
        "print([m for m in sys.modules if m.split('.')[0] in ('tflite_micro', 'tensorflow')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("lstm", Variant()),
        ("gru", Variant(form="stream")),
        ("two_lstm", Variant(form="stream", state="variables")),
        ("both_ways", Variant(precision="8x8")),
    ],
    ids=lambda value: value.name if isinstance(value, Variant) else value,
)
def test_the_arena_of_every_form_works_and_the_next_smaller_does_not(name, variant):
    content = emit(case(name), variant)
    x = as_input(samples(case(name), 3), variant)
    arena = find_arena(content)
    assert np.array_equal(run_tflm(content, x, arena), run_tflm(content, x, LARGE))
    with pytest.raises(ToolError, match="arena too small"):
        run_tflm(content, x, arena - ARENA_STEP)


@pytest.mark.parametrize("name", ["gru", "mixed", "every_step", "both_ways"])
def test_an_artefact_tells_its_ports(name):
    model = case(name)
    for variant in variants(model):
        found = read_artefact(emit(model, variant))
        x, y = found.inputs[0], found.outputs[0]
        assert (found.form, x.name) == (variant.form, "x")
        assert (x.dtype, x.zero_point) == (input_type(variant), 0)
        assert x.scale == input_scale(model, variant)
        assert (y.dtype, y.shape[-1], y.scale) == ("int16", 4, output_scale(model))
        outside = variant.form == "stream" and variant.state == "io"
        assert len(found.states) == (
            outside and sum(each.state_size // 7 for each in model.recurrent)
        )
        assert [s.shape for s in found.states] == [(1, 7)] * len(found.states)
        assert [s.scale for s in found.states] == [s.scale for s in found.outputs[1:]]


@pytest.mark.parametrize("size", [0, 3, 100, 1000, -40])
def test_reading_a_truncated_file_is_a_tool_error_or_works(tflite, size):
    try:
        read_artefact(tflite[:size])
    except ToolError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("TFLite Micro: ")


def test_samples_of_the_wrong_type_are_refused():
    variant = Variant(precision="8x8")
    with pytest.raises(ToolError, match="windows of int16 for a model that takes int8"):
        run_tflm(emit(case("gru"), variant), samples(case("gru"), 1), LARGE)


def test_states_of_different_scales_are_refused(monkeypatch):
    from rnnedge.convert.tflite import stream

    given = stream.states(case("gru"))[0]
    wrong = replace(given, scale=given.scale * 2)
    monkeypatch.setattr(stream, "states", lambda _: (wrong,))
    content = emit(case("gru"), Variant(form="stream"))
    with pytest.raises(ToolError, match="state inputs and outputs differ in shape, type or scale"):
        run_tflm(content, samples(case("gru"), 1), LARGE)
