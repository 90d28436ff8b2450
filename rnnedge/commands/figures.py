"""Tables of what a run gets right, by task."""

from collections.abc import Mapping
from typing import Any

import click

from rnnedge.commands.common import table

_MOST_OUTPUTS = 12


def figures(document: Mapping[str, Any], title: str) -> None:
    """Print the figures of every variant, of any task.

    Args:
        document: of api.fit or api.evaluate.
        title: above the table.
    """
    variants = document["variants"]
    first = next(iter(variants.values()))
    if "mse_normalised" in first:
        _regression(document, title)
    else:
        _classes(variants, title)
    _free(variants)
    if "detector" in document:
        _detector(document["detector"])


def _classes(variants: Mapping[str, Any], title: str) -> None:
    names = {
        "accuracy": "accuracy",
        "streamed_accuracy": "streamed",
        "macro_f1": "macro F1",
        "nats": "nats a step",
        "agreement": "agrees with float",
    }
    shown = [key for key in names if any(key in variant for variant in variants.values())]
    rows = [[name, *(_number(v.get(key)) for key in shown)] for name, v in variants.items()]
    table(["variant", *(names[key] for key in shown)], rows, title)


def _regression(document: Mapping[str, Any], title: str) -> None:
    """Print the errors of each output, those of the baselines beside."""
    answers = {**document["variants"], **document.get("baselines", {})}
    rows = [
        [name, *(_number(answer["outputs"][index]["rmse"]) for answer in answers.values())]
        for index, name in enumerate(document["classes"][:_MOST_OUTPUTS])
    ]
    rows.append(
        ["all, normalised", *(_number(answer["rmse_normalised"]) for answer in answers.values())]
    )
    table(["RMSE", *answers], rows, title)


def _free(variants: Mapping[str, Any]) -> None:
    runs = {name: v["free"] for name, v in variants.items() if v.get("free", {}).get("steps")}
    if not runs:
        return
    names = {"rmse_normalised": "RMSE, normalised", "accuracy": "accuracy", "exact": "all right"}
    shown = [key for key in names if key in next(iter(runs.values()))]
    rows = [[name, *(_number(run[key]) for key in shown)] for name, run in runs.items()]
    steps = next(iter(runs.values()))["steps"]
    table(["free run", *(names[key] for key in shown)], rows, f"running freely, {steps} steps")


def _detector(found: Mapping[str, Any]) -> None:
    click.echo(
        f"detector: threshold {found['threshold']:,}, {found.get('margin', 1)} times the level "
        f"that {100 * found.get('share', 1):g} % of normal steps stay below"
    )
    if "found" not in found:
        click.echo(f"it calls {100 * found['share_of_steps']:.2f} % of the steps an anomaly")
        return
    day = found["false_alarms_per_day"]
    rate = "" if day is None else f", {day:.3g} a day"
    click.echo(
        f"it finds {sum(found['found'])} of {found['windows']} labelled anomalies; "
        f"{found['false_alarms']} false alarms{rate}"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
