"""What only the AVR kernel has: layers as code, integers for floats, many ways to build."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnnedge.errors import ToolError
from rnnedge.simulator import quantize, simulate
from rnnedge.spec import QuantizedModel
from rnnedge.targets.emulated import EMULATED
from rnnedge.targets.simavr import Simavr
from tests.differential import Case
from tests.models import extreme_inputs, float_model, quantized
from tests.runs import make_export

(AVR,) = (target for target in EMULATED if isinstance(target, Simavr))


def with_flags(*flags: str) -> Simavr:
    tools = AVR.toolchain
    return replace(AVR, toolchain=replace(tools, flags=(*tools.flags, *flags)))


def program(target: Simavr, model: QuantizedModel, folder: Path, optimize: str = "speed") -> Path:
    exported = make_export(folder / "export", model)
    (folder / "work").mkdir()
    return target.build(exported, folder / "work", optimize)


@pytest.mark.parametrize(
    ("optimize", "flags"),
    [
        ("speed", ()),
        ("speed", ("-DRNNEDGE_AVR_UNROLL=0",)),
        ("speed", ("-O0",)),
        ("speed", ("-flto",)),
        ("size", ("-flto",)),
    ],
    ids=str,
)
def test_every_way_to_build_gives_the_same_bits(
    tmp_path: Path, optimize: str, flags: tuple[str, ...]
) -> None:
    """As code or as a stream, without optimisation, and as the Arduino IDE does it."""
    shape = {"cells": ("gru", "lstm"), "units": 7, "channels": 3, "hidden": (5,)}
    model = Case(seed=3, shape=shape).model()
    target = with_flags(*flags)
    x = extreme_inputs(3, 4, model.window, 3)
    got = target.run(program(target, model, tmp_path, optimize), x).trace
    expected = simulate(model, x)
    assert np.array_equal(got.states, expected.states)
    assert np.array_equal(got.scores, expected.scores)


def test_code_is_faster_than_a_stream_and_a_stream_is_smaller(tmp_path: Path) -> None:
    model = Case(seed=1, shape={"units": 6, "channels": 3}).model()
    x = extreme_inputs(1, 2, model.window, 3)
    cycles, sizes = [], []
    for index, flags in enumerate(((), ("-DRNNEDGE_AVR_UNROLL=0",))):
        target = with_flags(*flags)
        built = program(target, model, tmp_path / str(index))
        cycles.append(max(target.measure(built, x).counts))
        sizes.append(target.sizes(built).program_flash_bytes)
    assert cycles[0] < 0.8 * cycles[1]
    assert sizes[0] > sizes[1] + 1000


@pytest.mark.parametrize("seed", range(4))
def test_raw_values_of_any_size_are_quantised_as_everywhere(tmp_path: Path, seed: int) -> None:
    """Every exponent, subnormal and infinite values, both zeros; channels of any size."""
    rng = np.random.default_rng(seed)
    source = float_model(seed, units=3, channels=3)
    deviation = 10.0 ** rng.uniform(-6, 6, size=3)
    object.__setattr__(source, "std", deviation)
    object.__setattr__(source, "mean", rng.normal(size=3) * deviation * 100)
    model = quantized(source, window=64, limit=float(rng.choice([1, 4, 5])))
    shape = (4, 64, 3)
    raw = (rng.normal(size=shape) * 3 * source.std + source.mean).astype(np.float32)
    bits = rng.integers(0, 2**32, size=shape, dtype=np.uint64).astype(np.uint32).view(np.float32)
    special = np.array([0, -0.0, np.inf, -np.inf, 1e-45, -1e-45, 2e-38, 3e38], np.float32)
    choose = rng.random(shape)
    raw = np.where(choose < 0.4, np.where(np.isnan(bits), np.float32(1), bits), raw)
    raw = np.where(choose < 0.1, rng.choice(special, size=shape), raw).astype(np.float32)
    optimize = ("speed", "size")[seed % 2]
    got = AVR.run(program(AVR, model, tmp_path, optimize), raw).trace
    assert np.array_equal(got.states, simulate(model, quantize(model.input, raw)).states)


def test_a_raw_value_that_is_no_number_is_refused(tmp_path: Path) -> None:
    model = Case(seed=1, shape={"units": 1, "channels": 2}).model()
    built = program(AVR, model, tmp_path)
    with pytest.raises(ToolError, match="refuses"):
        AVR.run(built, np.array([[[0, np.nan]]], np.float32))


def test_weights_beyond_an_array_are_too_large_for_the_flash(tmp_path: Path) -> None:
    model = Case(seed=1, shape={"cells": ("lstm",), "units": 90, "channels": 9}).model()
    with pytest.raises(ToolError, match="does not fit into the flash"):
        program(AVR, model, tmp_path)
