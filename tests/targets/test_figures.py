"""Counts and sizes against those recorded for this compiler, and against what is promised."""

from typing import Any

import pytest

from tests.figures import CASES, COMPARED, DOCUMENT, key, measure, recorded

# (target, cell, units): at most this per step, with 9 int8 inputs, avr with 3; for speed
PROMISED = {
    **{(core, "gru", 32): 6_000 for core in ("cortex-m4", "cortex-m7", "cortex-m33")},
    **{(core, "gru", 64): 17_600 for core in ("cortex-m4", "cortex-m7", "cortex-m33")},
    **{(core, "lstm", 32): 7_800 for core in ("cortex-m4", "cortex-m7", "cortex-m33")},
    **{(core, "lstm", 64): 23_200 for core in ("cortex-m4", "cortex-m7", "cortex-m33")},
    ("cortex-m55:clang", "gru", 32): 1_600,
    ("cortex-m55", "gru", 32): 1_950,
    ("cortex-m55:clang", "gru", 64): 3_900,
    ("cortex-m55", "gru", 64): 4_900,
    ("cortex-m55:clang", "lstm", 32): 2_000,
    ("cortex-m55", "lstm", 32): 2_450,
    ("cortex-m55:clang", "lstm", 64): 4_900,
    ("cortex-m55", "lstm", 64): 6_900,
    ("cortex-m3", "gru", 32): 13_500,
    ("cortex-m3", "gru", 64): 42_000,
    ("cortex-m0", "gru", 32): 20_500,
    ("cortex-m0", "gru", 64): 66_000,
    ("rv32", "gru", 32): 17_500,
    ("rv32", "gru", 64): 55_500,
    ("avr", "gru", 16): 17_500,
    ("avr", "gru", 6): 3_500,
}


@pytest.mark.parametrize(("core", "shape"), CASES, ids=str)
def test_figures_are_those_recorded(
    core: str, shape: tuple[str, int, int, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Within 3 %, both ways: what became better is recorded anew, too (`make figures`).

    Another compiler version has no record: its figures are reported, not judged.
    """
    row = measure(core, shape)
    assert row["per_step"] == row["per_step_min"]
    known = recorded(row)
    if known is None:
        with capsys.disabled():
            print(f"\nno record for {row['compiler']}: {key(row)}", *map(row.get, COMPARED))
        return
    for name in COMPARED:
        assert abs(row[name] - known[name]) <= 0.03 * known[name], (key(row), name)
    cell, units, _, optimize = shape
    if optimize == "speed" and (core, cell, units) in PROMISED:
        assert row["per_step"] <= PROMISED[core, cell, units]


def test_the_documented_table_is_the_recorded_one() -> None:
    text = DOCUMENT.read_text()
    for core, shape in CASES:
        cell, units, inputs, optimize = shape
        name = core.removesuffix(":clang")
        rows = [
            line
            for line in text.splitlines()
            if line.startswith(f"| {name} |")
            and f"| {optimize} | {cell.upper()}-{units}, {inputs} |" in line
        ]
        assert rows, (core, shape)


def test_a_gru_for_size_on_cortex_m4_is_small() -> None:
    row: dict[str, Any] = measure("cortex-m4", ("gru", 32, 9, "size"))
    known = recorded(row)
    if known is not None:
        assert row["step_code_bytes"] <= 1200
        assert row["ram_bytes"] <= 700
        assert row["stack_bytes"] <= 128


def test_a_gru_firmware_on_avr_is_small() -> None:
    """GRU-16 with weights, table and UART."""
    row: dict[str, Any] = measure("avr", ("gru", 16, 3, "size"))
    if recorded(row) is not None:
        assert row["program_flash_bytes"] <= 5_000
        assert row["program_ram_bytes"] <= 320
