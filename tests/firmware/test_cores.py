"""Exported models through instances on emulated cores.

Samples come raw and in counts, the instance is saved and restored at every step, its self-test runs
first; all constants are in flash.
"""

import dataclasses
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.convert.c import export_c
from rnnedge.counts import counts_map
from rnnedge.errors import ToolError
from rnnedge.output import write_files
from rnnedge.simulator import quantize, quantize_counts, simulate
from rnnedge.spec import QuantizedModel
from rnnedge.targets import build, find_targets
from rnnedge.targets.elf import read_elf
from rnnedge.targets.exported import Exported, open_exported
from tests.models import float_model, quantized, raw_windows

APP = Path(__file__).with_name("instances.c")
PER_UNIT = (16.0, 400.0, 1000.0)
SHAPES: list[dict[str, Any]] = [
    {"cells": ("gru",), "units": 6},
    {"cells": ("gru", "lstm"), "units": 5, "sequences": True},
    {"cells": ("rnn",), "units": 3, "bidirectional": True, "sequences": True},
]
BUILDS = [
    *(("avr", "speed"), ("avr", "size"), ("cortex-m0", "size")),
    *(("cortex-m4", "speed"), ("rv32", "speed"), ("host", "speed")),
]
SHIPPED = build.firmware


def exported_model(folder: Path, shape: dict[str, Any]) -> tuple[QuantizedModel, Exported]:
    """A model whose channels have counts, and its exported folder."""
    source = float_model(4, channels=3, **shape)
    object.__setattr__(source, "mean", np.array([10.0, -0.5, 3.0]))
    object.__setattr__(source, "std", np.array([40.0, 2.0, 0.7]))
    model = quantized(source, window=8)
    raw = raw_windows(source, 4, 2, 8)
    write_files(folder, export_c(model, raw, counts_per_unit=PER_UNIT))
    return model, open_exported(folder)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("target", "optimize"), BUILDS)
def test_an_instance_gives_the_simulators_results(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    shape: dict[str, Any],
    optimize: str,
) -> None:
    model, exported = exported_model(tmp_path / "export", shape)
    monkeypatch.setattr(
        build, "firmware", lambda path: APP if path == "app/verify.c" else SHIPPED(path)
    )
    (core,) = find_targets([target])
    (tmp_path / "work").mkdir()
    program = core.build(exported, tmp_path / "work", optimize)
    if target == "avr":  # constants, golden windows and names stay in flash
        elf = read_elf(program)
        own = ("ram", "sensor", "saved", "raw", "counts")
        assert elf.ram_bytes == sum(elf.symbols[name].size for name in own)
    rng = np.random.default_rng(1)
    raw = raw_windows(float_model(4, channels=3), 9, 3, 8)
    counts = rng.integers(-4000, 4000, raw.shape).astype(np.int16)
    counts_of = counts_map(model.input, model.channels, PER_UNIT)
    for sent, x in (
        (raw, quantize(model.input, raw)),
        (counts, quantize_counts(counts_of, counts)),
    ):
        got, expected = core.run(program, sent).trace, simulate(model, x)
        assert np.array_equal(got.states, expected.states)
        assert np.array_equal(got.scores, expected.scores)
    assert np.unique(quantize_counts(counts_of, counts)).size > 20


def test_the_selftest_notices_a_changed_channel_on_avr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights and scores are right, the normalisation is not: only raw values show that."""
    model, exported = exported_model(tmp_path / "export", SHAPES[0])
    monkeypatch.setattr(
        build, "firmware", lambda path: APP if path == "app/verify.c" else SHIPPED(path)
    )
    text = exported.model_source.read_text()
    shift = int(model.input.shift[2])
    head, found, tail = text.rpartition(f".shift = {shift}}},\n}};\n\n/* int16 counts")
    assert found
    exported.model_source.write_text(f"{head}{found.replace(str(shift), str(shift - 1), 1)}{tail}")
    (core,) = find_targets(["avr"])
    (tmp_path / "work").mkdir()
    program = core.build(exported, tmp_path / "work", "size")
    with pytest.raises(ToolError, match="refuses the model"):
        core.run(program, np.zeros((1, 8, 3), np.float32))


@pytest.mark.parametrize("floats", [False, True])
def test_a_firmware_with_counts_has_no_float(tmp_path: Path, floats: bool) -> None:
    """From an archive of whole files, as CMake and Arduino make one; Cortex-M0 has no FPU."""
    _, exported = exported_model(tmp_path / "export", SHAPES[0])
    step = "step(&s, raw)" if floats else "step_counts(&s, net_counts, counts)"
    (tmp_path / "main.c").write_text(f"""
#include "net.h"
static net_memory ram;
static rnnedge_instance s;
int main(void) {{
    static const float raw[NET_INPUTS];
    static const int16_t counts[NET_INPUTS];
    (void)raw, (void)counts;
    rnnedge_init(&s, &net, RNNEDGE_MEMORY(ram));
    return rnnedge_{step} == RNNEDGE_READY ? s.result.label : -1;
}}
""")
    flags = ["-mcpu=cortex-m0", "-mthumb", "-Os", *(f"-I{f}" for f in exported.include_dirs)]
    objects = []
    for source in [*exported.runtime_sources, exported.model_source]:
        objects.append(tmp_path / f"{source.parent.name}_{source.stem}.o")
        subprocess.run(["arm-none-eabi-gcc", *flags, "-c", source, "-o", objects[-1]], check=True)
    archive, program = tmp_path / "librnnedge.a", tmp_path / "main"
    subprocess.run(["arm-none-eabi-ar", "rcs", archive, *objects], check=True)
    subprocess.run(
        [
            *("arm-none-eabi-gcc", *flags, "--specs=nano.specs", "--specs=nosys.specs", "-w"),
            *(tmp_path / "main.c", archive, "-o", program),
        ],
        check=True,
    )
    symbols = subprocess.run(
        ["arm-none-eabi-nm", program], capture_output=True, text=True, check=True
    )
    found = {line.split()[-1] for line in symbols.stdout.splitlines()}
    soft = {name for name in found if name.startswith(("__aeabi_f", "__aeabi_i2f", "__aeabi_d2"))}
    assert bool(soft) == floats, soft


def test_golden_windows_fit_an_uno_whatever_the_model(tmp_path: Path) -> None:
    """At most 2.5 kB: long windows give only their first steps."""
    source = float_model(1, channels=9)
    model = dataclasses.replace(quantized(source), window=500)
    files = export_c(model, raw_windows(source, 1, 2, 500))
    text = files["src/net/net_golden.c"].decode()
    assert ".windows = 2," in text
    assert ".steps = 56," in text  # 2 * 56 * 9 * 2 = 2,016 bytes
    assert 2 * (56 * 9 * 2 + 9 * 4 + 4 * 4 + 4) < 2500
