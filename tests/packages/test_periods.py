"""The period of the stream examples, at any sample rate."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.models import float_model, quantized
from tests.packages.helpers import GCC, content, run, write_package
from tests.packages.test_arduino import compile_sketch
from tests.packages.test_hostile import stubs as stubs

DAY = 86_400
STREAMS = {
    "examples/Stream/Stream.ino",
    "examples/esp_idf/main/stream.c",
    "examples/zephyr/src/stream.c",
}
PERIOD = re.compile(r"^#define SAMPLE_PERIOD_(US|MS) (\d+)(?:ul)?( // .*)?$", re.MULTILINE)


@pytest.mark.parametrize(
    ("rate", "unit", "period", "remark"),
    [
        (50.0, "US", 20_000, ""),
        (44_100.0, "US", 23, ""),
        (1e6, "US", 1, ""),
        (1e9, "US", 1, "above 1 MHz"),
        (1 / 60, "US", 60_000_000, ""),
        (1 / 1000, "US", 1_000_000_000, ""),
        (1 / 3600, "MS", 3_600_000, ""),
        (1 / DAY, "MS", 86_400_000, ""),
        (1 / (23 * DAY), "MS", 1_987_200_000, ""),
        (1 / (365 * DAY), "MS", 2_000_000_000, "more than 23 days apart"),
        (1e-9, "MS", 2_000_000_000, "more than 23 days apart"),
        (None, "US", 20_000, "not known"),
    ],
)
def test_a_period_fits_the_clock_that_waits_for_it(
    rate: float | None, unit: str, period: int, remark: str
) -> None:
    """Below 2^31 of its unit: so far apart may two readings of micros() or millis() be."""
    files = content(replace(quantized(float_model(1)), rate=rate))
    with_period = {name for name in files if b"SAMPLE_PERIOD" in files[name]}
    assert with_period == STREAMS
    for name in STREAMS:
        text = files[name].decode()
        ((found, number, why),) = PERIOD.findall(text)
        assert (found, int(number)) == (unit, period) and period < 2**31, name
        assert (remark in why) if remark else not why, name
        other = {"US": "MS", "MS": "US"}[unit]
        clocks = {"US": ("micros()", "K_USEC("), "MS": ("millis()", "K_MSEC(")}
        assert f"PERIOD_{other}" not in text, name
        assert not any(clock in text for clock in clocks[other]), name
    # ESP-IDF counts microseconds, in 64 bits
    factor = "SAMPLE_PERIOD_MS * UINT64_C(1000)" if unit == "MS" else "SAMPLE_PERIOD_US"
    assert f"(sample_timer, {factor})" in files["examples/esp_idf/main/stream.c"].decode()


@pytest.mark.parametrize("rate", [1e9, 1 / 3600, 1e-9])
def test_the_examples_compile_at_any_rate(tmp_path: Path, stubs: Path, rate: float) -> None:
    zephyr = stubs / "zephyr/kernel.h"
    zephyr.write_text(zephyr.read_text() + "#define K_MSEC(ms) ((k_timeout_t){(ms) * 1000ll})\n")
    model = replace(quantized(float_model(1)), rate=rate)
    library = write_package(tmp_path / "libraries/rnnedge_net", model)
    flags = [flag for flag in GCC if flag != "-Wmissing-prototypes"]
    for name in STREAMS:
        if name.endswith(".c"):
            for compiler in ("gcc", "clang"):
                words = (f"-I{library}/src", f"-I{stubs}", "-fsyntax-only", library / name)
                run(compiler, *flags, *words)
    compile_sketch(
        library / "examples/Stream/Stream.ino", tmp_path / "libraries", tmp_path / "build"
    )
