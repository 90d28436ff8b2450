"""The demonstration: a simulated sensor from CSV to an emulated Cortex-M4, through the commands."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import table
from rnnedge.errors import RnnedgeError
from rnnedge.output import explained, write_file
from rnnedge.targets.processes import started
from rnnedge.targets.tools import ended

WINDOW = 64
RESULT = "result.json"


def run_demo(out: Path) -> dict[str, Any]:
    """Run every command as a user would and collect the figures in OUT/result.json.

    Raises:
        RnnedgeError: a command failed; it has said why.
    """
    with explained(out):
        out.mkdir(parents=True, exist_ok=True)
    data, run, export = out / "motor.csv", out / "motor", out / "export"
    _command("sensor", "--out", data)
    _command(
        *("train", data, "--recording", "recording", "--cell", "gru", "--units", 32),
        *("--window", WINDOW, "--rate", 400, "--out", run, "--force"),
    )
    exported = _command("export", run, "--out", export, "--force")
    evaluated = _command("evaluate", run)
    verified = _command(
        *("verify", run, "--export", export, "--target", "host", "--target", "cortex-m4")
    )
    bench = _command("bench", run, "--target", "cortex-m4")[0]
    result = {
        "accuracy": {name: variant["accuracy"] for name, variant in evaluated["variants"].items()},
        "test_windows": evaluated["windows"],
        "verified": verified,
        "tflite_bytes": exported["tflite_bytes"],
        "tflite_arena_bytes": exported["arena_bytes"],
        "cortex_m4": {
            "flash_bytes": bench["code_bytes"] + bench["const_bytes"],
            "ram_bytes": bench["ram_bytes"],
            "stack_bytes": bench["stack_bytes"],
            "instructions_per_step": bench["per_step"],
        },
        "sha256": exported["sha256"],
    }
    write_file(out / RESULT, (json.dumps(result, indent=2) + "\n").encode())
    return result


def show(result: dict[str, Any]) -> None:
    """Print the closing table."""
    m4 = result["cortex_m4"]
    rows = [
        [f"accuracy {name}, {result['test_windows']} test windows", f"{value:.4f}"]
        for name, value in result["accuracy"].items()
    ]
    rows += [
        [f"{row['target']}: {what}", f"{count:,}"]
        for row in result["verified"]
        for what, count in (
            ("values compared with the simulator", row["values_compared"]),
            ("values equal", row["values_compared"] - row["differences"]),
        )
    ]
    rows += [
        ["Cortex-M4 flash, code and constants", f"{m4['flash_bytes']:,} bytes"],
        ["Cortex-M4 RAM, state and scratch", f"{m4['ram_bytes']:,} bytes"],
        ["Cortex-M4 instructions per step", f"{m4['instructions_per_step']:,}"],
        ["TFLite Micro model", f"{result['tflite_bytes']:,} bytes"],
        ["TFLite Micro arena", f"{result['tflite_arena_bytes']:,} bytes"],
    ]
    table(["GRU-32 on three-axis vibration", "result"], rows)


def _command(*words: object) -> Any:
    """Run `rnnedge words --json`, shown as a user would type it, and return its document."""
    arguments = [str(word) for word in words]
    click.echo(f"$ rnnedge {' '.join(arguments)}", err=True)
    command = [sys.executable, "-P", "-m", "rnnedge", *arguments, "--json"]
    with started(command, stdout=subprocess.PIPE) as process:
        output, _ = process.communicate()
    if process.returncode != 0:
        raise RnnedgeError(f"rnnedge {arguments[0]}: {ended(process.returncode)}")
    return json.loads(output)
