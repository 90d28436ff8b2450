"""What TensorFlow Lite Micro itself says of a file, asked in a child process."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

_CHILD = "rnnedge.inspect.trial_child"
_TIMEOUT = 60.0
_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How far the interpreter came with a file.

    Attributes:
        loads: every operator was found and prepared.
        runs: an invocation with inputs of zero came to its end.
        message: what it said when it failed, one line; "" if it did not.
        arena: bytes that it counts, a lower bound; None if it does not run.
    """

    loads: bool
    runs: bool
    message: str
    arena: int | None


def try_tflm(tflite: bytes, inputs: int, *, timeout: float = _TIMEOUT) -> Trial:
    """Load a file in the interpreter and invoke it once with zeros.

    Args:
        tflite: the file's content.
        inputs: number of the main graph's inputs.
        timeout: seconds; more is reported as a failure.
    """
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory(prefix="rnnedge-tflm-") as name:
        folder = Path(name)
        (folder / "model.tflite").write_bytes(tflite)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", _CHILD, name, str(inputs)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        try:
            code: int | None = process.wait(timeout)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            process.kill()
            process.wait()
        return _read(folder, code, timeout)


def _read(folder: Path, code: int | None, timeout: float) -> Trial:
    """Make sense of what the child left behind."""
    log = folder / "log.txt"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    stage = folder / "stage.json"
    reached = json.loads(stage.read_text()) if stage.exists() else {"loads": False, "runs": False}
    message = ""
    if code is None:
        message = f"no end after {timeout:g} s"
    elif code < 0:
        said = _message(lines)
        message = f"it crashed ({_signal(-code)})" + (f": {said}" if said else "")
    elif code:
        message = _message(lines) or f"exit code {code}"
    runs = bool(reached["runs"]) and code == 0
    return Trial(
        loads=bool(reached["loads"]),
        runs=runs,
        message=message,
        arena=_arena(lines) if runs else None,
    )


def _message(lines: list[str]) -> str:
    """Return the interpreter's complaints as one line; the traceback behind them says nothing."""
    kept: list[str] = []
    for line in lines:
        if line.startswith("Traceback"):
            break
        text = "".join(c if c.isprintable() else " " for c in line).strip()
        if text and not text.startswith(("Number of resource", "[Recording")):
            kept.append(text)
    if not kept and lines:
        kept = [lines[-1].strip()]
    return "; ".join(kept)[:_LONGEST]


def _arena(lines: list[str]) -> int | None:
    for line in lines:
        if "Arena allocation total" in line:
            return int(line.split("total", 1)[1].split()[0])
    return None


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
