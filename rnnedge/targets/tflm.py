"""Run .tflite files in the real TFLite Micro interpreter, and find the arena they need.

The interpreter never runs in this process: a damaged model or a too small arena can crash it. Each
run is a child process (`rnnedge.targets.tflm_child`) that reads and writes .npy files.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnedge.arrays import I8, I16
from rnnedge.errors import ToolError
from rnnedge.targets.artefact import Artefact, Port, read_artefact

__all__ = [
    "ARENA_STEP",
    "Artefact",
    "Port",
    "Streamed",
    "find_arena",
    "read_artefact",
    "run_stream",
    "run_tflm",
]

_CHILD = "rnnedge.targets.tflm_child"
_RUN_TIMEOUT = 600.0  # seconds
_PROBE_TIMEOUT = 120.0

ARENA_STEP = 16
"""Granularity of an arena's size, and the alignment that it needs, in bytes."""
_FIRST_ARENA = 4096
_LARGEST_ARENA = 1 << 26
_PROBE_WINDOWS = 4
_CONFIRM_WINDOWS = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Streamed:
    """What a stream gives.

    Attributes:
        scores: int16 (N, T, classes), after each step.
        states: int16 (N, T, values), after each step; no values if they stay inside the graph.
    """

    scores: I16
    states: I16


def run_tflm(tflite: bytes, x: I16 | I8, arena_size: int, *, timeout: float = _RUN_TIMEOUT) -> I16:
    """Run windows through TFLite Micro, each of them from a zero state.

    Args:
        tflite: a window model, input (1, T, C), or a stream, input (1, C), whose further inputs and
            outputs are states that are fed back.
        x: int16 or int8 (N, T, C), the model's quantised input.
        arena_size: bytes of the tensor arena.
        timeout: seconds.

    Returns:
        int16 (N, classes), the scores of each window, or (N, T, classes) of a stream, and of a
        window model that answers every step.

    Raises:
        ToolError: tflite-micro is not installed, the model does not load with this arena or does
            not fit `x`, or the interpreter crashed or took too long.
    """
    return _run(tflite, x, arena_size, timeout).scores


def run_stream(
    tflite: bytes, x: I16 | I8, arena_size: int, *, timeout: float = _RUN_TIMEOUT
) -> Streamed:
    """Run a stream through TFLite Micro as `run_tflm` does, and return its states too.

    Raises:
        ToolError: as `run_tflm`.
    """
    return _run(tflite, x, arena_size, timeout)


def _run(tflite: bytes, x: I16 | I8, arena_size: int, timeout: float) -> Streamed:
    if x.ndim != 3 or x.dtype not in (np.int16, np.int8):
        raise ToolError(
            f"TFLite Micro run: x is {x.dtype} {x.shape}, expected int16 or int8 (N, T, C)"
        )
    child = _Child(tflite, arena_size, x, None)
    try:
        return child.result(timeout)
    finally:
        child.close()


def find_arena(tflite: bytes) -> int:
    """Return the smallest arena with which the model runs, in bytes.

    An arena *works* if a fresh process loads the model with it and gives, for random windows,
    exactly the outputs of a very large arena. The result is a multiple of `ARENA_STEP` that works
    (confirmed on more windows in the end) while the next smaller multiple does not. It holds for
    this 64-bit interpreter with the reference kernels and an arena aligned to 16 bytes; no margin
    is added.

    Raises:
        ToolError: tflite-micro is not installed, or the model does not run in any arena.
    """
    expected = _probe(tflite, _LARGEST_ARENA, _CONFIRM_WINDOWS)
    few = expected[:_PROBE_WINDOWS]
    low, high = 0, _FIRST_ARENA
    while not _works(tflite, high, few):
        low, high = high, 2 * high
        if high > _LARGEST_ARENA:
            raise ToolError(f"TFLite Micro: no arena up to {_LARGEST_ARENA} bytes works twice")
    while high - low > ARENA_STEP:
        middle = (low + high) // 2 // ARENA_STEP * ARENA_STEP
        if _works(tflite, middle, few):
            high = middle
        else:
            low = middle
    if not _works(tflite, high, expected):
        raise ToolError(f"TFLite Micro: an arena of {high} bytes does not always work")
    return high


def _works(tflite: bytes, arena: int, expected: I16) -> bool:
    try:
        return np.array_equal(_probe(tflite, arena, len(expected)), expected)
    except ToolError:
        return False


def _probe(tflite: bytes, arena: int, count: int) -> I16:
    child = _Child(tflite, arena, None, count)
    try:
        return child.result(_PROBE_TIMEOUT).scores
    finally:
        child.close()


class _Child:
    """One running child process and its folder."""

    def __init__(self, tflite: bytes, arena: int, x: I16 | I8 | None, count: int | None) -> None:
        self._arena = arena
        self._started = time.monotonic()
        self._folder = tempfile.TemporaryDirectory(prefix="rnnedge-tflm-")
        folder = Path(self._folder.name)
        (folder / "model.tflite").write_bytes(tflite)
        if x is not None:
            np.save(folder / "x.npy", x, allow_pickle=False)
        # Heap filled with junk: what an interpreter reads unwritten must not look right by luck.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MALLOC_PERTURB_": "165"}
        arguments = [str(folder), str(arena), *([] if count is None else [str(count)])]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _CHILD, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
        )

    def result(self, timeout: float) -> Streamed:
        """Wait for the outputs, `timeout` seconds from the start."""
        where = f"TFLite Micro with an arena of {self._arena} bytes"
        try:
            left = max(timeout - (time.monotonic() - self._started), 0.1)
            _, errors = self._process.communicate(timeout=left)
        except subprocess.TimeoutExpired:
            raise ToolError(f"{where}: no result after {timeout:g} s; use fewer windows") from None
        code = self._process.returncode
        folder = Path(self._folder.name)
        if code == 0:
            return Streamed(
                scores=np.load(folder / "y.npy", allow_pickle=False),
                states=np.load(folder / "states.npy", allow_pickle=False),
            )
        if (folder / "error.txt").exists():
            raise ToolError((folder / "error.txt").read_text())
        if code < 0:
            raise ToolError(
                f"{where}: the interpreter crashed ({_signal_name(-code)}); the file is damaged "
                "or the arena too small"
            )
        lines = errors.decode(errors="replace").strip().splitlines()
        last = lines[-1] if lines else f"exit code {code}"
        raise ToolError(f"{where}: the interpreter failed ({last})")

    def close(self) -> None:
        """End the process, if it still runs, and remove its folder."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
        self._folder.cleanup()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
