"""The primitives against exact rational arithmetic; the C against them over whole domains."""

import subprocess
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnnedge import fixedpoint, tables
from rnnedge.simulator import softmax
from rnnedge.targets.build import STRICT, firmware

ROOT = Path(__file__).parents[1]
INT16 = st.integers(-(2**15), 2**15 - 1)
GATE = st.integers(-32767, 32767)  # what lookup gives
HALF = Fraction(1, 2)


def one(value: int) -> np.ndarray:
    return np.array([value], dtype=np.int64)


@given(INT16)
def test_narrow_is_the_rounded_top_byte_limited(v: int) -> None:
    rounded = floor(Fraction(v, 256) + HALF)
    assert fixedpoint.narrow(one(v))[0] == min(max(rounded, -128), 127)


@given(st.integers(-(2**31) + 1, 2**31 - 1), st.integers(1, 32767))
def test_scale_floors_the_exact_product(acc: int, m: int) -> None:
    assert fixedpoint.scale(one(acc), np.array([m]))[0] == floor(Fraction(acc * m, 2**16))


@given(st.integers(-(2**31), 2**31 - 1), GATE)
def test_reset_multiplies_by_the_gate_to_less_than_two_steps(acc: int, t: int) -> None:
    exact = Fraction(acc) * Fraction(32768 + t, 65536)
    got = int(fixedpoint.reset(one(acc), one(t))[0])
    assert 0 <= exact - got < 2
    assert got == (acc >> 1) + floor(Fraction(acc * t, 65536))


@given(INT16, GATE, GATE)
def test_blend_rounds_half_up_and_stays_between_h_and_n(h: int, n: int, t: int) -> None:
    exact = h + (n - h) * Fraction(32768 - t, 65536)
    got = int(fixedpoint.blend(one(h), one(n), one(t))[0])
    assert got == floor(exact + HALF)
    assert min(h, n) <= got <= max(h, n)


@given(INT16, GATE)
def test_gate_rounds_half_up_and_stays_in_int32(v: int, t: int) -> None:
    assert int(fixedpoint.gate(one(v), one(t))[0]) == floor(v * Fraction(32768 + t, 65536) + HALF)
    assert v * (32768 + t) >= -(2**31) and v * (32768 + t) + 2**15 < 2**31
    assert 0 <= fixedpoint.half(one(t))[0] <= 32767


@given(INT16, GATE, GATE, GATE, st.integers(0, 10))
def test_the_cell_state_of_an_lstm_fits_int32(c: int, f: int, i: int, g: int, s: int) -> None:
    total = c * fixedpoint.half(one(f)) + ((g * fixedpoint.half(one(i))) >> s) + (1 << 14)
    assert abs(int(total[0])) < 2**31


def test_the_table_is_monotone_and_close_to_tanh_and_sigmoid_over_the_whole_domain() -> None:
    q = np.arange(-(2**31), 2**31, 2**8, dtype=np.int64)
    y = tables.lookup(q)
    assert (np.diff(y) >= 0).all()
    assert (y.min(), y.max()) == (-32767, 32767)
    assert np.abs(y - np.tanh(q * 2.0**-20) * 2**15).max() < 7.0
    sigmoid = (32768 + y) / 2**16  # of p = q * 2^-19
    assert np.abs(sigmoid - (1 + np.tanh(q * 2.0**-20)) / 2).max() < 3.6 / 2**15
    assert tables.lookup(one(0))[0] == 0
    # odd to one step: both sides round half up
    near = np.arange(0, 2**24, 2**8, dtype=np.int64)
    assert np.abs(tables.lookup(near) + tables.lookup(-near)).max() <= 1
    assert (tables.TANH & 0xFFFF).max() < 2048


def test_the_table_in_c_is_the_generated_one() -> None:
    assert (ROOT / "firmware" / "src" / "tables.c").read_text() == tables.c_source()
    assert tables.checksum() == 0xC166AF30


@given(st.lists(st.integers(-(2**30), 2**30), min_size=1, max_size=12), st.integers(0, 30))
def test_softmax_is_close_to_the_real_one(scores: list[int], fraction_bits: int) -> None:
    """The power's linear interpolation is off by less than 2.4e-4, its truncation by one step."""
    p = softmax(np.array(scores), fraction_bits) / 2**15
    real = np.array(scores, np.float64) * 2.0**-fraction_bits
    e = np.exp(real - real.max())
    assert np.abs(p - e / e.sum()).max() < 4e-4 + len(scores) * 2.0**-15
    assert abs(p.sum() - 1) <= len(scores) * 2.0**-15
    assert p.argmax() == np.argmax(scores) or p.max() == p[np.argmax(scores)]


C_PROGRAM = r"""
#include "kernel.h"
#include <stdio.h>
static void put(int32_t v) { fwrite(&v, sizeof v, 1, stdout); }
int main(void) {
    int32_t row[6];
    for (int32_t p = INT16_MIN; p <= INT16_MAX; p++) {
        put(rnnedge_lookup(p * 256));
        put(rnnedge_narrow(p));
    }
    while (fread(row, sizeof row, 1, stdin) == 1) {
        put(rnnedge_lookup(row[0]));
        put(rnnedge_scale(row[0], (int16_t)row[4]));
        put(rnnedge_sat16(row[0] / 2));
        put(rnnedge_reset_part(row[0], row[1]));
        put(rnnedge_blend(row[2], row[3], row[1]));
        put(rnnedge_gate(row[2], row[1]));
        put(rnnedge_half(row[1]));
        put(rnnedge_preactivation(row[0], (uint8_t)row[5], (uint8_t)(row[5] & 7)));
    }
    return 0;
}
"""


def test_c_primitives_equal_the_simulators(tmp_path: Path) -> None:
    """Whole domains of lookup and narrow; all primitives on random and extreme values."""
    rng = np.random.default_rng(0)
    edges = [2**31 - 1, -(2**31), 0, -1, 1, 2**23, -(2**23), 2**23 - 1, 65535, 65536, -65536]
    acc = np.concatenate([rng.integers(-(2**31), 2**31, 20_000), edges])
    count = acc.size
    t = rng.choice([-32767, 32767, 0, 1, -1, *rng.integers(-32767, 32768, 50)], count)
    h = rng.choice([-32768, 32767, 0, *rng.integers(-32768, 32768, 50)], count)
    n = rng.choice([-32767, 32767, 0, *rng.integers(-32767, 32768, 50)], count)
    m, m8 = rng.integers(1, 32768, count), rng.integers(1, 256, count)
    # what the converter's proof admits
    keep = (np.abs(acc) * m >> 16 < 2**30) & (((np.abs(acc) >> (m8 & 7)) + 1) * m8 < 2**31)
    keep &= np.abs(acc) < 2**31 - 2**16
    rows = np.stack([acc, t, h, n, m, m8], axis=1)[keep].astype("<i4")
    assert len(rows) > 500
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
    domain = np.stack([tables.lookup(p << 8), fixedpoint.narrow(p)], axis=1)
    assert np.array_equal(got[: domain.size].reshape(-1, 2), domain)
    acc, t, h, n, m, m8 = rows.astype(np.int64).T
    shifted = np.array([a >> s for a, s in zip(acc.tolist(), (m8 & 7).tolist(), strict=True)])
    expected = np.stack(
        [
            tables.lookup(acc),
            fixedpoint.scale(acc, m),
            fixedpoint.sat16(np.sign(acc) * (np.abs(acc) // 2)),  # C's division
            fixedpoint.reset(acc, t),
            fixedpoint.blend(h, n, t),
            fixedpoint.gate(h, t),
            fixedpoint.half(t),
            fixedpoint.preactivation(shifted, m8, 0),
        ],
        axis=1,
    )
    assert np.array_equal(got[domain.size :].reshape(-1, expected.shape[1]), expected)
