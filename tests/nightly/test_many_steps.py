"""`make nightly`: 10^7 steps on the host and 10^5 on each core, every state compared.

Random models of any cell, width, depth and direction; a step of each layer counts.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from rnnedge.targets import COUNTING
from tests.differential import differences, kinds, random_case
from tests.models import CELLS

HOST_STEPS, CORE_STEPS = 10**7, 10**5
WINDOWS = {"host": 4000, "avr": 40}
TARGETS = ["host", *COUNTING, "cortex-m55:clang"]


@pytest.mark.parametrize("target", TARGETS)
def test_many_steps_of_many_models(target: str) -> None:
    wanted = HOST_STEPS if target == "host" else CORE_STEPS
    windows = WINDOWS.get(target, 200)
    steps = values = seed = 0
    found: set[str] = set()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while steps < wanted:
            cases = [random_case(seed + i, small=target in ("avr", "cortex-m0")) for i in range(8)]
            seed += len(cases)
            runs = pool.map(lambda case: differences(target, case, windows=windows), cases)
            for case, (wrong, compared, count) in zip(cases, runs, strict=True):
                assert wrong == 0, f"{wrong} of {compared} values differ on {target}: {case}"
                steps, values, found = steps + count, values + compared, found | kinds(case)
    print(f"\n{target}: {seed} models, {steps:,} steps, {values:,} values, 0 differences")
    assert found >= {*CELLS, "narrow", "wide", "streaming", "bidirectional"}
