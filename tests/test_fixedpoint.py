"""The primitives against exact rational arithmetic; the C against them over whole domains."""

import subprocess
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnnedge import fixedpoint, tables
from rnnedge.targets.build import STRICT, firmware

ROOT = Path(__file__).parents[1]


def one(value: int) -> np.ndarray:
    return np.array([value], dtype=np.int64)


@given(st.integers(-(2**15), 2**15), st.integers(-(2**16) + 1, 2**16 - 1))
def test_mul_q15_rounds_half_up_and_stays_in_int32(a: int, b: int) -> None:
    exact = Fraction(a * b, 2**15)
    assert fixedpoint.mul_q15(one(a), one(b))[0] == floor(exact + Fraction(1, 2))
    assert abs(a * b) + 2**14 < 2**31


@given(st.integers(-(2**15), 2**15 - 1))
def test_narrow_is_the_rounded_top_byte_limited(v: int) -> None:
    rounded = floor(Fraction(v, 256) + Fraction(1, 2))
    assert fixedpoint.narrow(one(v))[0] == min(max(rounded, -128), 127)


@given(st.integers(-(2**31) + 1, 2**31 - 1), st.integers(1, 32767), st.integers(8, 16))
def test_scale_floors_the_exact_product(acc: int, m: int, s: int) -> None:
    assert fixedpoint.scale(one(acc), np.array([m]), s)[0] == floor(Fraction(acc * m, 2**s))


def test_tables_are_monotone_and_close_to_the_functions_over_the_whole_domain() -> None:
    p = np.arange(-32768, 32768, dtype=np.int64)
    x = p / 4096
    for table, function, steps in (
        (tables.SIGMOID, 1 / (1 + np.exp(-x)), 1.8),
        (tables.TANH, np.tanh(x), 7.0),
    ):
        y = fixedpoint.lookup(table, p)
        assert (np.diff(y) >= 0).all()
        assert abs(y).max() <= 32767
        assert np.abs(y - function * 2**15).max() < steps
    assert np.array_equal(tables.TANH, -tables.TANH[::-1])
    # z and 1 - z both fit 16 bits, for every pre-activation
    assert fixedpoint.lookup(tables.SIGMOID, p).min() >= 1


def test_tables_in_c_are_the_generated_ones() -> None:
    assert (ROOT / "firmware" / "src" / "tables.c").read_text() == tables.c_source()
    assert tables.checksum(tables.SIGMOID) == 0x19C5A083
    assert tables.checksum(tables.TANH) == 0x3D87AD88


C_PROGRAM = r"""
#include "fixed.h"
#include <stdio.h>
static void put(int32_t v) { fwrite(&v, sizeof v, 1, stdout); }
int main(void) {
    int32_t row[3];
    for (int32_t p = INT16_MIN; p <= INT16_MAX; p++) {
        put(rnnedge_lookup(rnnedge_sigmoid_table, p));
        put(rnnedge_lookup(rnnedge_tanh_table, p));
        put(rnnedge_narrow(p));
    }
    while (fread(row, sizeof row, 1, stdin) == 1) {
        put(rnnedge_scale(row[0], (int16_t)row[1], (uint8_t)row[2]));
        put(rnnedge_sat16(row[0] / 2));
        put(rnnedge_shl(row[0] >> 16, (int8_t)(row[2] - 12)));
    }
    return 0;
}
"""


def test_c_primitives_equal_the_simulators(tmp_path: Path) -> None:
    """Whole domains of lookup and narrow; scale, sat16 and shl on random and extreme values."""
    rng = np.random.default_rng(0)
    acc = np.concatenate(
        [rng.integers(-(2**31) + 1, 2**31, 20_000), [2**31 - 1, -(2**31) + 1, 0, -1, 1]]
    )
    m = rng.integers(1, 32768, acc.size)
    s = rng.integers(8, 17, acc.size)
    keep = np.abs(acc) * m >> s < 2**30  # what the converter's proof admits
    rows = np.stack([acc, m, s], axis=1)[keep].astype("<i4")
    (tmp_path / "p.c").write_text(C_PROGRAM)
    flags = [flag for flag in STRICT if flag != "-Wmissing-prototypes"]
    subprocess.run(
        [
            *("cc", *flags, "-O1", "-fsanitize=undefined", "-fno-sanitize-recover", "p.c"),
            *(f"-I{firmware('include')}", f"-I{firmware('src')}", firmware("src/tables.c")),
            *("-o", "p"),
        ],
        cwd=tmp_path,
        check=True,
    )
    out = subprocess.run(
        [tmp_path / "p"], input=rows.tobytes(), capture_output=True, check=True
    ).stdout
    got = np.frombuffer(out, "<i4").astype(np.int64)
    p = np.arange(-32768, 32768, dtype=np.int64)
    domain = np.stack(
        [
            fixedpoint.lookup(tables.SIGMOID, p),
            fixedpoint.lookup(tables.TANH, p),
            fixedpoint.narrow(p),
        ],
        axis=1,
    )
    assert np.array_equal(got[: domain.size].reshape(-1, 3), domain)
    wide = rows.astype(np.int64)
    half = (np.sign(wide[:, 0]) * (np.abs(wide[:, 0]) // 2)).astype(np.int64)  # C's division
    shifted = [fixedpoint.shl(one(a >> 16), int(n) - 12)[0] for a, _, n in wide]
    expected = np.stack(
        [
            [fixedpoint.scale(one(a), np.array([k]), int(n))[0] for a, k, n in wide],
            fixedpoint.sat16(half),
            shifted,
        ],
        axis=1,
    )
    assert np.array_equal(got[domain.size :].reshape(-1, 3), expected)
