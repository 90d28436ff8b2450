"""rnnedge simulate."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import DATA, json_option, left_out, report, run_argument, table
from rnnedge.commands.figures import threshold


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

    This is what the device will answer: a class for each window, or, with a task that answers at
    every step, for each row its class, its values in their units, or whether it is an anomaly.
    Labels are not needed, and not used. --trace shows the real value and the integer of every gate;
    a step is the number of its sample in the window, also where a layer reads the window from its
    end.
    """
    from rnnedge import api

    if trace:
        report(api.trace(run, data, window=window_number), as_json, _show_trace)
    else:
        report(api.predict(run, data), as_json, _show)


def _show(document: dict[str, Any]) -> None:
    if "steps" in document:
        _show_steps(document)
        return
    rows = [
        [window["file"], window["line"], window["class"], f"{window['probability']:.3f}"]
        for window in document["windows"]
    ]
    table(["file", "first line", "class", "probability"], rows)
    left_out(document)


def _show_steps(document: dict[str, Any]) -> None:
    """Print an answer a row: what follows the row, or is at it."""
    names = [_titled(output) for output in document["outputs"]]
    first = document["steps"][0] if document["steps"] else {}
    columns = ["file", "line", *(["after"] if "sample" in first else [])]
    if "values" in first:
        columns += names + (["level", "anomaly"] if "level" in first else [])
    else:
        columns += ["next" if "sample" in first else "class", "probability"]
    table(columns, map(_step_row, document["steps"]))
    if "threshold" in document:
        click.echo(f"an anomaly: a level above {threshold(document)}")


def _titled(output: dict[str, Any]) -> str:
    unit = f" [{output['unit']}]" if output.get("unit") else ""
    ahead = f" +{output['horizon']}" if output.get("horizon") else ""
    return f"{output['name']}{ahead}{unit}"


def _step_row(step: dict[str, Any]) -> list[str]:
    row = [step["file"], str(step["line"])]
    row += [repr(step["sample"])] if "sample" in step else []
    if "values" not in step:
        name = repr(step["class"]) if "sample" in step else step["class"]
        return [*row, name, f"{step['probability']:.3f}"]
    row += [f"{value:.6g}" for value in step["values"]]
    if "level" in step:
        row += [f"{step['level']:,}", "yes" if step["anomaly"] else ""]
    return row


def _show_trace(steps: list[dict[str, Any]]) -> None:
    """Print fixed columns, a line a unit: tables of this length are for files and pagers."""
    for step in steps:
        gates = step["gates"]
        direction = f", {step['direction']}" if step["direction"] else ""
        click.echo(f"layer {step['layer']} ({step['kind']}{direction}), step {step['step']}")
        click.echo("unit" + "".join(f"{gate['gate']:>10} {'integer':>7}" for gate in gates))
        for unit in range(len(gates[0]["real"])):
            cells = (f"{g['real'][unit]:>+10.5f} {g['integer'][unit]:>7}" for g in gates)
            click.echo(f"{unit:>4}" + "".join(cells))
