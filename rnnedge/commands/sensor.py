"""rnnedge sensor."""

from pathlib import Path

import click

from rnnedge.commands.common import FILE, json_option, report


@click.command()
@click.option("--out", required=True, type=FILE, help="CSV file to write.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option(
    "--recordings", default=60, show_default=True, type=click.IntRange(1, 10_000), help="Per class."
)
@click.option("--seconds", default=3.0, show_default=True, type=float, help="Of each.")
@json_option
def sensor(out: Path, seed: int, recordings: int, seconds: float, as_json: bool) -> None:
    """Write a CSV of a simulated sensor.

    Three-axis vibration of a motor in g, 400 samples per second.

    Classes: healthy, unbalanced, worn_bearing. The same seed gives the same bytes.
    """
    from rnnedge.data.motor import write_csv

    write_csv(out, seed=seed, recordings_per_class=recordings, seconds=seconds)
    report({"out": str(out)}, as_json, lambda document: click.echo(document["out"]))
