"""The server as a program behind a pty, through pyserial: gcc, clang, sanitizers, resets."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.serialline import open_device
from rnnedge.serialline.device import Device
from rnnedge.serialline.frames import Frame, Kind, encode_request
from rnnedge.serialline.link import Link, Statistics
from rnnedge.serialline.port import open_port
from rnnedge.simulator import quantize, simulate
from tests.models import float_model, quantized, raw_windows
from tests.serialline.faults import Faults
from tests.serialline.line import Line
from tests.serialline.programs import SANITIZE, build_server

SHAPES: dict[str, dict[str, Any]] = {
    "gru": {"units": 12, "channels": 3},
    "lstm": {"cells": ("lstm",), "units": 20, "channels": 4},
    "stacked": {"cells": ("gru", "lstm"), "units": 17, "channels": 20, "classes": 20},
    "bidirectional": {"bidirectional": True, "units": 6, "channels": 5, "sequences": True},
}
BUILDS = {"gcc": ("gcc", ("-O2",)), "clang": ("clang", ("-O3",)), "sanitized": ("cc", SANITIZE)}


def run_windows(device: Device, shape: dict[str, Any], windows: int) -> Statistics:
    """Every bit of some windows, raw and quantised in turn."""
    source = float_model(5, **shape)
    model = quantized(source, window=8)
    raw = raw_windows(source, 6, windows, 8)
    x = quantize(model.input, raw)
    expected = simulate(model, x)
    for index in range(windows):
        got = device.run_window(x[index] if index % 2 else raw[index])
        assert np.array_equal(got.states, expected.states[index])
        assert np.array_equal(got.scores, expected.scores[index])
    return device.statistics


@pytest.mark.parametrize(
    ("build", "shape"),
    [
        *(("gcc", shape) for shape in ("gru", "lstm")),
        ("clang", "gru"),
        *(("sanitized", shape) for shape in ("stacked", "bidirectional")),
    ],
)
def test_a_program_behind_a_port_gives_every_bit(tmp_path: Path, shape: str, build: str) -> None:
    compiler, flags = BUILDS[build]
    model = quantized(float_model(5, **SHAPES[shape]), window=8)
    program = build_server(tmp_path, model, compiler=compiler, flags=flags)
    with Line([program]) as line, open_device(line.port) as device:
        assert (device.info.name, device.info.counts) == ("net", True)
        seen = run_windows(device, SHAPES[shape], 4)
    assert (seen.retries, seen.damaged, seen.late, seen.resets) == (0, 0, 0, 0)
    # faults and resets, with time-outs as on a real line
    rng = np.random.default_rng(3)
    faulty = Line(
        [program],
        to_board=Faults(1, 0.1),
        from_board=Faults(2, 0.1),
        reset=lambda frames: frames > 20 and bool(rng.random() < 0.01),
        seconds=0.02,
    )
    with faulty as line, open_port(line.port, 115200) as port:
        device = Device(Link(port, timeout=0.02, retries=40))
        seen = run_windows(device, SHAPES[shape], 6)
        frames, resets = line.frames, line.resets
    assert frames > 60 and seen.retries > 0 and seen.damaged > 0
    assert seen.resets > 0 or resets == 0
    assert resets > 0 or shape == "bidirectional"  # which takes few frames


def test_any_bytes_are_survived_under_sanitizers(tmp_path: Path) -> None:
    """Random lines, frames with random payloads and pieces of both, through a real process."""
    for seed, shape in enumerate(("stacked", "bidirectional")):
        model = quantized(float_model(5, **SHAPES[shape]), window=8)
        (tmp_path / shape).mkdir()
        program = build_server(tmp_path / shape, model, flags=SANITIZE)
        rng = np.random.default_rng(seed)
        hello = Frame(kind=Kind.HELLO, session=1, number=0)
        stream = [encode_request(hello)]
        number = 0
        for _ in range(20_000):
            number += int(rng.random() < 0.8)
            frame = Frame(
                kind=int(rng.choice([1, 2, 3, 4, 5, 6, 127])),
                session=1,
                number=number,
                payload=_payload(rng),
            )
            line = encode_request(frame)
            if rng.random() < 0.1:
                at = int(rng.integers(len(line)))
                line = line[:at] + rng.bytes(int(rng.integers(6))) + line[at:]
            stream.append(line)
        stream.append(b"\n" + encode_request(hello))
        done = subprocess.run([program], input=b"".join(stream), capture_output=True, check=False)
        assert done.stderr == b"", done.stderr.decode(errors="replace")[:2000]
        answers = done.stdout.splitlines()
        assert answers[0] == answers[-1] and len(answers) > 15_000


def _payload(rng: np.random.Generator) -> bytes:
    start = int(rng.choice([0, 1, 7, 19, 20, 39, 40, 41, 2**16, 2**31, 2**32 - 1]))
    head = bytes([rng.integers(5)]) + start.to_bytes(4, "little")
    return (head + rng.bytes(int(rng.integers(64))))[: int(rng.integers(70))]


def test_the_program_ends_with_its_line(tmp_path: Path) -> None:
    program = build_server(tmp_path, quantized(float_model(5)))
    done = subprocess.run([program], input=b"", capture_output=True, timeout=10, check=False)
    assert (done.stdout, done.stderr) == (b"", b"")
