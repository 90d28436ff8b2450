"""Random cases for any target: the simulator's bits, or the first difference."""

import dataclasses
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.convert.proof import NARROW_LIMIT, bounds, is_narrow
from rnnedge.errors import RangeError
from rnnedge.simulator import simulate
from rnnedge.spec import QuantizedModel
from rnnedge.targets import find_target
from rnnedge.targets.stream import Request
from tests.models import CELLS, extreme_inputs, float_model, quantized
from tests.runs import make_export

WIDTHS = (1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 33)
SMALL_WIDTHS = (1, 2, 3, 5, 6, 9, 16, 17)  # an ATmega328P has 2 kB of RAM


@dataclass(frozen=True, kw_only=True)
class Case:
    """A model by its numbers; everything else follows.

    Attributes:
        seed: of the weights and inputs.
        shape: arguments of tests.models.float_model.
        bits: of the input.
        limit: of the input.
        largest_biases: every row is at the end of what packed or 24-bit accumulators hold.
    """

    seed: int
    shape: dict[str, Any]
    bits: int = 8
    limit: float = 5.0
    largest_biases: bool = False

    def model(self) -> QuantizedModel:
        model = quantized(
            float_model(self.seed, **self.shape), input_bits=self.bits, limit=self.limit, window=12
        )
        return with_largest_biases(model) if self.largest_biases else model


def with_largest_biases(model: QuantizedModel) -> QuantizedModel:
    """Give every row the largest bias with which its layer still is narrow, with changing sign."""
    layers = []
    for layer in model.cells:
        bias = layer.bias.astype(np.int64)
        found = bounds(layer)
        for index, gate in enumerate(layer.GATES):
            rows = slice(index * layer.units, (index + 1) * layer.units)
            room = NARROW_LIMIT - 1 - found[gate]
            sign = np.where(np.arange(layer.units) % 2 == 0, 1, -1)
            bias[rows] = sign * (np.abs(bias[rows]) + room)
        changed = dataclasses.replace(layer, bias=bias)
        assert is_narrow(changed)
        layers.append(changed)
    return dataclasses.replace(model, layers=(*layers, *model.dense))


def random_case(seed: int, *, small: bool = False) -> Case:
    """A case of any cell, width, depth and direction, that the converter accepts."""
    rng = np.random.default_rng(seed)
    while True:
        depth = int(rng.choice([1, 1, 1, 2] if small else [1, 1, 2, 3]))
        shape = {
            "units": int(rng.choice(SMALL_WIDTHS if small else WIDTHS)),
            "channels": int(rng.integers(1, 8 if small else 13)),
            "classes": int(rng.integers(1, 6)),
            "cells": tuple(str(rng.choice(CELLS)) for _ in range(depth)),
            "spread": float(rng.choice([0.0, 0.1, 0.5, 1.0, 1.0, 4.0, 30.0])),
            "hidden": (5,) if rng.random() < 0.2 else (),
            "bidirectional": bool(rng.random() < 0.15),
            "sequences": bool(rng.random() < 0.2),
        }
        case = Case(
            seed=int(rng.integers(2**32)),
            shape=shape,
            bits=int(rng.choice([8, 8, 16])),
            limit=float(rng.choice([0.3, 1.0, 5.0, 100.0])),
        )
        try:
            model = case.model()
        except RangeError:
            continue
        if small and model.state_size + model.buffer_size > 200:
            continue
        return case


def differences(
    target: str, case: Case, *, windows: int = 4, optimize: str = "speed"
) -> tuple[int, int, int]:
    """Run a case on a target; return (different values, values, steps)."""
    model = case.model()
    wrong, values = compare(target, model, case.seed, windows=windows, optimize=optimize)
    return wrong, values, windows * model.window * len(model.cells)


def compare(
    target: str,
    model: QuantizedModel,
    seed: int = 1,
    *,
    windows: int = 4,
    optimize: str = "speed",
) -> tuple[int, int]:
    """Run a model on a target with extreme inputs; return (different values, values)."""
    # a bidirectional model sees windows of its own length
    x = extreme_inputs(seed, windows, model.window, model.input.channels)
    expected = simulate(model, x)
    with tempfile.TemporaryDirectory() as folder:
        place = find_target(target)
        exported = make_export(Path(folder) / "export", model)
        (Path(folder) / "work").mkdir()
        program = place.build(exported, Path(folder) / "work", optimize)
        got = place.run(program, Request.windows(model, x)).trace
    wrong = np.count_nonzero(got.states != expected.states)
    wrong += np.count_nonzero(got.scores != expected.scores)
    return int(wrong), expected.states.size + expected.scores.size


def kinds(case: Case) -> set[str]:
    """What a case exercises: cells, narrow and wide layers, directions."""
    model = case.model()
    found = set(case.shape["cells"])
    found |= {"narrow" if is_narrow(cell) else "wide" for cell in model.cells}
    found |= {"bidirectional"} if model.bidirectional else {"streaming"}
    return found
