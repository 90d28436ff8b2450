"""`make nightly`: 10^5 frames through lines with faults, 0 wrong results accepted.

Random models of any cell, depth, width and direction. In this process, without time, and through
ptys with time-outs and a process that is started anew.
"""

import time
from collections import Counter
from pathlib import Path

import numpy as np

from rnnedge.serialline.device import Device
from rnnedge.serialline.link import Link, Statistics
from rnnedge.serialline.port import open_port
from rnnedge.simulator import quantize, simulate
from tests.serialline.board import compile_server
from tests.serialline.faults import KINDS, Faults
from tests.serialline.line import Line
from tests.serialline.programs import SANITIZE, build_server
from tests.serialline.runs import random_model, run_windows

FRAMES = 10**5
PTY_FRAMES = 10**5


def test_many_frames_with_faults(tmp_path: Path) -> None:
    library = compile_server(tmp_path)
    frames = faults = values = wrong = failed = seed = 0
    seen: Counter[str] = Counter()
    started = time.monotonic()
    while frames < FRAMES:
        outcome = run_windows(
            library,
            seed,
            rate=(0.01, 0.1, 0.3)[seed % 3],
            resets=(0.0, 0.002)[seed % 2],
            windows=12,
        )
        seed += 1
        frames, faults = frames + outcome.frames, faults + outcome.faults
        values, wrong = values + outcome.values, wrong + outcome.wrong
        failed += outcome.failed
        seen.update(_counts(outcome.seen))
    speed = frames / (time.monotonic() - started)
    print(
        f"\n{seed} models, {frames:,} frames, {faults:,} faults, {values:,} values, {wrong} wrong, "
        f"{failed} windows given up; {dict(seen)}; {speed:,.0f} frames a second"
    )
    assert wrong == 0
    assert failed == 0
    assert faults > FRAMES // 20 and seen["resets"] > 50 and seen["late"] > 100


def test_many_frames_with_faults_through_ptys(tmp_path: Path) -> None:
    frames = seed = wrong = resets = 0
    seen: Counter[str] = Counter()
    made: Counter[str] = Counter()
    started = time.monotonic()
    while frames < PTY_FRAMES:
        model, raw = random_model(1000 + seed)
        (tmp_path / str(seed)).mkdir()
        flags = SANITIZE if seed % 2 else ("-O2",)
        program = build_server(tmp_path / str(seed), model, flags=flags)
        expected = simulate(model, quantize(model.input, raw))
        to_board, from_board = Faults(seed, 0.05), Faults(seed + 1, 0.05)
        rng = np.random.default_rng(seed)
        line = Line(
            [program],
            to_board=to_board,
            from_board=from_board,
            reset=lambda _, rng=rng: bool(rng.random() < 0.001),
            seconds=0.01,
        )
        with line, open_port(line.port, 115200) as port:
            device = Device(Link(port, timeout=0.01, retries=100))
            for _ in range(50):
                for window in range(len(raw)):
                    got = device.run_window(raw[window])
                    wrong += int(np.count_nonzero(got.states != expected.states[window]))
                    wrong += int(np.count_nonzero(got.scores != expected.scores[window]))
                if line.frames > 4000:
                    break
        frames, resets, seed = frames + line.frames, resets + line.resets, seed + 1
        seen.update(_counts(device.statistics))
        made.update(to_board.done + from_board.done)
    speed = frames / (time.monotonic() - started)
    print(
        f"\n{seed} models, {frames:,} frames, {sum(made.values()):,} faults, {resets} resets, "
        f"{wrong} wrong; {dict(seen)}; {speed:,.0f} frames a second"
    )
    assert wrong == 0
    assert set(made) == set(KINDS) and resets > 0 and seen["resets"] > 0


def _counts(seen: Statistics) -> dict[str, int]:
    return {name: getattr(seen, name) for name in ("retries", "damaged", "late", "resets")}
