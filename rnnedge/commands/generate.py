"""rnnedge generate."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import DATA, json_option, numbers, report, run_argument, table


def _rows(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[tuple[float, ...], ...] | None:
    """Read samples that are parted by semicolons."""
    if value is None:
        return None
    rows = (numbers(ctx, param, row) or () for row in value.split(";") if row.strip())
    return tuple(rows)


@click.command()
@run_argument
@click.option("--steps", required=True, type=click.IntRange(min=1), help="How many to make.")
@click.option(
    "--seed-values", callback=_rows, metavar="V,V;V,V",
    help="What it begins with: samples parted by semicolons; with an encoder its sequence.",
)  # fmt: skip
@click.option("--text", help="The same, of a model of text.")
@click.option("--start", callback=numbers, metavar="F,F", help="Features of a model with a start.")
@click.option(
    "--data", multiple=True, type=DATA, help="The first recording of this data is the beginning."
)
@click.option(
    "--temperature", default=0.0, show_default=True, type=click.FloatRange(0, 100),
    help="Draw characters or words; 0: the likeliest, as the device.",
)  # fmt: skip
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of drawing."
)
@click.option(
    "--count", default=1, show_default=True, type=click.IntRange(1, 10000),
    help="How many to make: drawn with --seed, --seed + 1, ..., or one a recording of --data.",
)  # fmt: skip
@click.option("--csv", "as_csv", is_flag=True, help="CSV on standard output.")
@json_option
def generate(
    run: Path,
    steps: int,
    seed_values: tuple[tuple[float, ...], ...] | None,
    text: str | None,
    start: tuple[float, ...] | None,
    data: tuple[Path, ...],
    temperature: float,
    seed: int,
    count: int,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Make a series or text with the integer simulator, as the device will.

    The model takes what it has answered as its next input (rnnedge_step_back on the device).
    """
    from rnnedge.api.generating import Seed, generate, generate_several

    if sum((seed_values is not None, text is not None, bool(data))) > 1:
        raise click.UsageError("--seed-values, --text and --data are one beginning; name one")
    if as_csv and as_json:
        raise click.UsageError("--csv or --json, not both")
    begin = Seed(values=seed_values, text=text, start=start, data=data)
    if count == 1:
        document = generate(run, steps, begin, temperature=temperature, number=seed)
    else:
        document = generate_several(
            run, steps, begin, count=count, temperature=temperature, number=seed
        )
    report(document, as_json, _show_csv if as_csv else _show)


def _show(document: dict[str, Any]) -> None:
    made = document.get("made", [document])
    for number, one in enumerate(made, 1):
        if "text" in one:
            click.echo(one["text"])
        elif "names" in one:
            click.echo(" ".join(one["names"]))
        else:
            rows = [[step, *(f"{v:.6g}" for v in row)] for step, row in enumerate(one["series"], 1)]
            title = f"series {number} of {len(made)}" if len(made) > 1 else ""
            table(["step", *document["outputs"]], rows, title)


def _show_csv(document: dict[str, Any]) -> None:
    import csv
    import sys

    writer = csv.writer(sys.stdout, lineterminator="\n")
    made = document.get("made", [document])
    several = ["number"] if "made" in document else []
    series = "series" in made[0]
    writer.writerow([*several, *(document["outputs"] if series else ["id", "name"])])
    for number, one in enumerate(made, 1):
        rows = one["series"] if series else zip(one["ids"], one["names"], strict=True)
        writer.writerows([*([number] if several else []), *row] for row in rows)
