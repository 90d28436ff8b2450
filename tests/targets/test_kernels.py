"""Each core's own kernel against the simulator: the same random models everywhere, every state.

A small set; `make nightly` runs 10^5 steps on each core and 10^7 on the host.
"""

import dataclasses

import numpy as np
import pytest

from rnnedge.convert.proof import prove
from rnnedge.spec import QuantizedModel
from rnnedge.targets import COUNTING, find_target
from tests.differential import Case, compare, differences, kinds, random_case
from tests.models import CELLS

TARGETS = ["host", *COUNTING, "cortex-m55:clang"]
RANDOM = 8
FIXED = [
    # every cell in widths around the blocks of 4 and 16, narrow and wide
    *(Case(seed=1, shape={"cells": (cell,), "units": 17, "channels": 3}) for cell in CELLS),
    *(Case(seed=2, shape={"cells": (cell,), "units": 5, "channels": 1}, bits=16) for cell in CELLS),
    *(Case(seed=3, shape={"cells": (cell,), "units": 1, "channels": 2}) for cell in CELLS),
]
FIXED += [
    Case(seed=7, shape={"cells": (cell,), "units": 6, "channels": 3}, largest_biases=True)
    for cell in CELLS
]
WIDE = {"channels": 12, "spread": 0.3}  # with limit 100: rows past the packing limit, 2^23
LARGE = [
    *(Case(seed=4, shape={"cells": (cell,), "units": 33, **WIDE}, limit=100) for cell in CELLS),
    Case(seed=5, shape={"cells": ("gru",), "units": 200, "channels": 9, "spread": 2.0}, limit=20),
    Case(seed=6, shape={"cells": ("gru_before", "lstm"), "units": 31, "channels": 12}),
]


def cases(target: str) -> list[Case]:
    small = target == "avr"
    return [
        *FIXED,
        *([] if small else LARGE),
        *(random_case(seed, small=small) for seed in range(RANDOM)),
    ]


@pytest.mark.parametrize("optimize", ["speed", "size"])
@pytest.mark.parametrize("target", TARGETS)
def test_the_kernel_equals_the_simulator(target: str, optimize: str) -> None:
    found = set()
    for case in cases(target):
        wrong, values, _ = differences(target, case, windows=3, optimize=optimize)
        assert wrong == 0, f"{wrong} of {values} values differ on {target}: {case}"
        found |= kinds(case)
    assert found >= {*CELLS, "narrow", "wide", "streaming"}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("cell", CELLS)
def test_the_largest_preactivations_that_the_proof_accepts(cell: str, sign: int) -> None:
    """On AVR, whose look-up has the least room: every gate at the end of 32 bits."""
    model = Case(seed=3, shape={"cells": (cell,), "units": 2, "channels": 2}).model()
    layer = model.cells[0]
    bias = np.full(layer.bias.shape, sign * ((2**31 - 2**23 - 2**17) // 5), np.int64)
    if bias.size > layer.multiplier.size:
        bias[-2:] = 0  # a GRU candidate's parts are bounded together
    changed = dataclasses.replace(
        layer,
        W=0 * layer.W,
        U=0 * layer.U,
        bias=bias,
        multiplier=np.full(layer.multiplier.shape, 5),
    )
    model = dataclasses.replace(model, layers=(changed, *model.dense))
    prove(model)
    for target in ("host", "avr", "cortex-m0", "cortex-m4", "cortex-m55"):
        wrong, values = compare(target, model)
        assert wrong == 0, (target, wrong, values)


@pytest.mark.parametrize(
    ("seed", "shape"),
    [
        (1, {"cells": (cell,), "units": units, "channels": 3, "spread": spread})
        for cell in CELLS
        for units, spread in ((6, 1.0), (17, 4.0))
    ],
)
@pytest.mark.parametrize("target", list(COUNTING))
def test_a_step_takes_the_same_for_every_input_and_state(
    target: str, seed: int, shape: dict, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Zeros, limits, edges, noise; the state follows into saturation."""
    from tests.models import extreme_inputs
    from tests.runs import make_export

    model: QuantizedModel = Case(seed=seed, shape=shape).model()
    folder = tmp_path_factory.mktemp("count")
    exported = make_export(folder / "e", model)
    (folder / "w").mkdir()
    place = COUNTING[target]
    assert find_target(target) is place
    program = place.build(exported, folder / "w")
    measured = place.measure(program, extreme_inputs(seed, 5, 12, 3))
    assert list(measured.counts.values()) == [60], measured.counts
