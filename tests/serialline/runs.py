"""Windows on a board behind a line with faults: what was wrong, and what the line did."""

import ctypes
from dataclasses import dataclass

import numpy as np

from rnnedge.errors import DeviceError, RangeError
from rnnedge.serialline.device import Device
from rnnedge.serialline.link import Link, Statistics
from rnnedge.simulator import quantize, simulate
from rnnedge.spec import QuantizedModel
from tests.models import CELLS, float_model, quantized, raw_windows
from tests.serialline.board import Board
from tests.serialline.faults import Faults

PATIENT = 200
"""Retries for lines on which most frames have a fault."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Of some windows.

    Attributes:
        wrong: values that differ from the simulator's.
        failed: windows that could not be run.
        values: that were compared.
        frames: that passed to the board.
        faults: that were made.
        seen: what the link counted.
    """

    wrong: int
    failed: int
    values: int
    frames: int
    faults: int
    seen: Statistics


def random_model(seed: int) -> tuple[QuantizedModel, np.ndarray]:
    """A model of any cell, depth, width and direction, and raw windows for it."""
    rng = np.random.default_rng(seed)
    while True:
        model = float_model(
            int(rng.integers(2**32)),
            units=int(rng.choice([1, 2, 7, 16, 33, 40])),
            channels=int(rng.choice([1, 3, 9, 15, 16, 17, 31, 32, 40])),
            classes=int(rng.choice([1, 2, 6, 18, 40])),
            cells=tuple(str(rng.choice(CELLS)) for _ in range(rng.choice([1, 1, 2]))),
            bidirectional=bool(rng.random() < 0.2),
            sequences=bool(rng.random() < 0.2),
        )
        try:
            q = quantized(model, window=int(rng.choice([1, 5, 12])), name=f"net{seed}")
        except RangeError:
            continue
        return q, raw_windows(model, seed, 4, q.window)


def run_windows(
    library: ctypes.CDLL, seed: int, *, rate: float, resets: float = 0.0, windows: int = 4
) -> Outcome:
    """Run windows of a random model, raw and quantised, on a board with faults both ways.

    Args:
        library: of tests.serialline.board.compile_server.
        seed: of model and faults.
        rate: of faults.
        resets: part of the frames at which the board is reset.
        windows: how many.
    """
    model, raw = random_model(seed)
    to_board, from_board = Faults(seed, rate), Faults(seed + 1, rate)
    rng = np.random.default_rng(seed + 2)
    board = Board(
        library,
        model,
        to_board=to_board,
        from_board=from_board,
        reset=lambda frames: bool(rng.random() < resets),
    )
    x = quantize(model.input, raw)
    expected = simulate(model, x)
    device = Device(Link(board, timeout=0.0, retries=PATIENT))
    wrong = failed = values = 0
    for index in range(windows):
        at = index % len(raw)
        try:
            got = device.run_window(x[at] if index % 2 else raw[at])
        except DeviceError:
            failed += 1
            continue
        want = expected.states[at], expected.scores[at]
        for found, right in zip((got.states, got.scores), want, strict=True):
            values += right.size
            wrong += int(np.count_nonzero(found != right))
    board.check_memory()
    done = sum(to_board.done.values()) + sum(from_board.done.values()) + board.resets
    return Outcome(
        wrong=wrong,
        failed=failed,
        values=values,
        frames=board.frames,
        faults=done,
        seen=device.statistics,
    )
