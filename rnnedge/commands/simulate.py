"""rnnedge simulate."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import DATA, json_option, left_out, report, run_argument, table


@click.command()
@run_argument
@click.argument("data", nargs=-1, required=True, type=DATA)
@click.option("--trace", is_flag=True, help="Print every gate of every step of one window.")
@click.option(
    "--window-number", default=0, show_default=True, type=click.IntRange(min=0),
    help="The window that --trace shows.",
)  # fmt: skip
@json_option
def simulate(
    run: Path, data: tuple[Path, ...], trace: bool, window_number: int, as_json: bool
) -> None:
    """Predict DATA with the integer simulator.

    This is what the device will answer. Labels are not needed, and not used.
    """
    from rnnedge import api

    if trace:
        report(api.trace(run, data, window=window_number), as_json, _show_trace)
    else:
        report(api.predict(run, data), as_json, _show)


def _show(document: dict[str, Any]) -> None:
    rows = [
        [window["file"], window["line"], window["class"], f"{window['probability']:.3f}"]
        for window in document["windows"]
    ]
    table(["file", "first line", "class", "probability"], rows)
    left_out(document)


def _show_trace(steps: list[dict[str, Any]]) -> None:
    for step in steps:
        gates = step["gates"]
        columns = [text for gate in gates for text in (gate["gate"], "integer")]
        units = range(len(gates[0]["real"]))
        rows = [
            [unit]
            + [
                text
                for gate in gates
                for text in (f"{gate['real'][unit]:+.5f}", str(gate["integer"][unit]))
            ]
            for unit in units
        ]
        direction = f", {step['direction']}" if step["direction"] else ""
        title = f"layer {step['layer']} ({step['kind']}{direction}), step {step['step']}"
        table(["unit", *columns], rows, title)
