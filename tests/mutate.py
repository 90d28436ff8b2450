"""`make mutate`: change one rounding, shift or index at a time; the comparison must notice each.

Every mutation changes one place of the runtime's C in an exported folder, before it is built for
the core whose kernel it belongs to. A mutation that still computes the simulator's bits on all
cases has survived, and the command fails.
"""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnedge.errors import ToolError
from rnnedge.simulator import simulate
from rnnedge.targets import find_target
from tests.differential import Case
from tests.models import CELLS, extreme_inputs
from tests.runs import make_export


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One change.

    Attributes:
        target: where it is run.
        file: below the exported runtime folder.
        old: text that occurs there; the occurrence numbered `nth` is changed.
        new: what takes its place.
        nth: from 0.
    """

    target: str
    file: str
    old: str
    new: str
    nth: int = 0


PORTABLE = [
    *(
        Mutation(target="host", file=f"src/{file}", old=old, new=new)
        for file, old, new in (
            # rounding
            ("fixed.h", "(v + 128) >> 8", "(v + 127) >> 8"),
            ("fixed.h", "* f + 128) >> 8", "* f + 127) >> 8"),
            ("fixed.h", "+ part + 0x8000u", "+ part + 0x7FFFu"),
            ("fixed.h", "+ (1 << 15)) >> 16", "+ (1 << 14)) >> 16"),
            ("lstm.c", "(sum + (1 << 14)) >> 15", "(sum + (1 << 13)) >> 15"),
            ("lstm.c", "<< s) + 128", "<< s) + 0"),
            # shifts
            ("fixed.h", "rnnedge_sat8(q >> 16)", "rnnedge_sat8(q >> 17)"),
            ("fixed.h", "(acc >> y) * m", "(acc >> (y + 1)) * m"),
            ("fixed.h", "(acc >> 1) + high", "(acc >> 2) + high"),
            ("fixed.h", "(32768 + t) >> 1", "(32767 + t) >> 1"),
            ("rnn.c", "5 + cell->state_shift", "6 + cell->state_shift"),
            ("kernel.h", "1u << shift", "2u << shift"),
            # indices
            ("gru.c", "m[stride + i], y)", "m[i], y)"),
            ("gru.c", "m += 3 * stride", "m += 2 * stride"),
            ("lstm.c", "mf = m + stride", "mf = m"),
            ("window.c", "w->steps - 1 - t", "w->steps - 2 - t"),
            ("model.c", "state += RNNEDGE_GET16(&layer->state_size)", "state += 0"),
        )
    ),
    Mutation(target="host", file="kernels/rows.c", old="w += columns", new="w += columns - 1"),
    Mutation(target="host", file="kernels/rows.c", old="*at->bias++", new="*at->bias"),
]
KERNELS: list[Mutation] = []
MUTATIONS = PORTABLE + KERNELS

CASES = [
    *(Case(seed=7, shape={"cells": (cell,), "units": 17, "channels": 5}) for cell in CELLS),
    *(Case(seed=8, shape={"cells": (cell,), "units": 5, "channels": 3}, bits=16) for cell in CELLS),
    Case(seed=9, shape={"cells": ("gru", "lstm"), "units": 6, "channels": 2}),
    Case(seed=10, shape={"cells": ("gru",), "units": 4, "channels": 2, "bidirectional": True}),
]


def survives(mutation: Mutation) -> bool:
    """Tell whether the mutated runtime still gives the simulator's bits on all cases."""
    target = find_target(mutation.target)
    for case in CASES:
        model = case.model()
        x = extreme_inputs(case.seed, 6, model.window, model.input.channels)
        expected = simulate(model, x)
        with tempfile.TemporaryDirectory() as folder:
            exported = make_export(Path(folder) / "export", model)
            path = exported.folder / "rnnedge" / mutation.file
            _change(path, mutation)
            (Path(folder) / "work").mkdir()
            program = target.build(exported, Path(folder) / "work")
            try:
                got = target.run(program, x).trace
            except ToolError:  # crashed, or hangs: noticed
                return False
        if not (
            np.array_equal(got.states, expected.states)
            and np.array_equal(got.scores, expected.scores)
        ):
            return False
    return True


def _change(path: Path, mutation: Mutation) -> None:
    parts = path.read_text().split(mutation.old)
    if len(parts) < mutation.nth + 2:
        raise SystemExit(f"{mutation}: there is no such text any more; mend tests/mutate.py")
    head = mutation.old.join(parts[: mutation.nth + 1])
    tail = mutation.old.join(parts[mutation.nth + 1 :])
    path.write_text(f"{head}{mutation.new}{tail}")


def main() -> int:
    """Try every mutation; return the number of survivors."""
    survivors = 0
    with ThreadPoolExecutor(2) as pool:
        for mutation, survived in zip(MUTATIONS, pool.map(survives, MUTATIONS), strict=True):
            verdict = "SURVIVED" if survived else "noticed"
            print(f"{verdict:9} {mutation.target:11} {mutation.file}: {mutation.new}", flush=True)
            survivors += survived
    print(f"{len(MUTATIONS)} mutations, {survivors} survived")
    return survivors


if __name__ == "__main__":
    sys.exit(min(main(), 1))
