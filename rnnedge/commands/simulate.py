"""rnnedge simulate."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import DATA, FILE, json_option, left_out, report, run_argument, table
from rnnedge.commands.figures import threshold
from rnnedge.plaintext import counted


@click.command()
@run_argument
@click.argument("data", nargs=-1, required=True, type=DATA)
@click.option("--trace", is_flag=True, help="Print every gate of every step of one window.")
@click.option(
    "--window-number", default=0, show_default=True, type=click.IntRange(min=0),
    help="The window that --trace shows.",
)  # fmt: skip
@click.option(
    "--head", default=20, show_default=True, type=click.IntRange(min=0), metavar="N",
    help="How many answers to print.",
)  # fmt: skip
@click.option(
    "--csv", "csv_file", type=FILE, metavar="FILE",
    help="Write all answers to a CSV.",
)  # fmt: skip
@json_option
def simulate(
    run: Path,
    data: tuple[Path, ...],
    trace: bool,
    window_number: int,
    head: int,
    csv_file: Path | None,
    as_json: bool,
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
        if csv_file is not None:
            raise click.UsageError("--csv writes answers, not what --trace shows; leave one out")
        report(api.trace(run, data, window=window_number), as_json, _show_trace)
        return
    document = api.predict(run, data)
    if csv_file is not None:
        _write_csv(csv_file, document)
    report(document, as_json, lambda found: _show(found, head, csv_file))


def _show(document: dict[str, Any], head: int, csv_file: Path | None) -> None:
    columns, rows = _answers(document)
    if head:
        table(columns, rows[:head])
    if csv_file is not None:
        click.echo(f"{counted(len(rows), 'answer')} in {csv_file}")
    elif len(rows) > head:
        click.echo(
            f"and {len(rows) - head:,} more; --head {len(rows)} prints, --csv FILE writes all"
        )
    if "threshold" in document:
        click.echo(f"an anomaly: a level above {threshold(document)}")
    left_out(document)


def _write_csv(path: Path, document: dict[str, Any]) -> None:
    import csv
    import io

    from rnnedge.output import write_file

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns, rows = _answers(document)
    writer.writerow(columns)
    writer.writerows(rows)
    write_file(path, text.getvalue().encode())


def _answers(document: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return the columns and a row for each answer: to a window, or at each row of the data."""
    if "steps" not in document:
        return ["file", "first line", "class", "probability"], [
            [row["file"], str(row["line"]), row["class"], f"{row['probability']:.3f}"]
            for row in document["windows"]
        ]
    names = [_titled(output) for output in document["outputs"]]
    first = document["steps"][0] if document["steps"] else {}
    columns = ["file", "line", *(["after"] if "sample" in first else [])]
    if "values" in first:
        columns += names + (["level", "anomaly"] if "level" in first else [])
    else:
        columns += ["next" if "sample" in first else "class", "probability"]
    return columns, [_step_row(step) for step in document["steps"]]


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
        row += [str(step["level"]), "yes" if step["anomaly"] else ""]
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
