"""Tables of what a run gets right, by task."""

from collections.abc import Mapping
from typing import Any

import click

from rnnedge.commands.common import table
from rnnedge.plaintext import visible

_MOST_OUTPUTS = 12
_MOST_CALLED = 0.05
"""The share of normal steps up to which a detector may call them anomalies."""


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
        simple = document.get("baselines", {}).get("majority")
        beside = {f"always {visible(simple['class'])}": simple} if simple else {}
        _classes({**variants, **beside}, title)
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
    left = len(document["classes"]) - len(rows)
    rows.append(
        ["all, normalised", *(_number(answer["rmse_normalised"]) for answer in answers.values())]
    )
    table(["RMSE", *answers], rows, title)
    if left:
        click.echo(f"and {left} more outputs; all of them with --json")


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
        f"detector: an anomaly is a level above {threshold(found)}, {found.get('margin', 1)} "
        f"times the level that {100 * found.get('share', 1):g} % of normal steps stay below"
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


def threshold(document: Mapping[str, Any]) -> str:
    """Say a detector's threshold, and what it is in the units of the channels.

    >>> threshold({"threshold": 5000, "wrong_by": [{"name": "T", "unit": "K", "error": 0.21}]})
    '5,000, as `level` counts on the device (a forecast wrong by 0.21 K for a while)'
    """
    several = len(document["wrong_by"]) > 1
    each = [
        f"{one['name'] if several else ''} {one['error']:.3g} {one['unit']}".strip()
        for one in document["wrong_by"][:_MOST_OUTPUTS]
    ]
    return (
        f"{document['threshold']:,}, as `level` counts on the device (a forecast wrong by "
        f"{' or '.join(each)} for a while)"
    )


def baseline_notes(document: Mapping[str, Any]) -> list[str]:
    """Return a line for each baseline that is not beaten by int8.

    Args:
        document: of api.fit or api.evaluate.
    """
    own = document["variants"]["int8"]
    notes = []
    for name, simple in document.get("baselines", {}).items():
        if name == "majority":
            if own["accuracy"] <= simple["accuracy"]:
                how = "better" if own["accuracy"] < simple["accuracy"] else "as good"
                notes.append(
                    f"note: always {visible(simple['class'])} is {how}: it is right at "
                    f"{100 * simple['accuracy']:.1f} % of the steps, int8 at "
                    f"{100 * own['accuracy']:.1f} %; look at macro F1"
                )
            continue
        key = "rmse_normalised"
        if None not in (simple[key], own[key]) and simple[key] <= own[key]:
            what = "a linear map of the last" if "," in name else "persistence, the last value,"
            what = f"{what} {name.split(', ')[1]}" if "," in name else what
            notes.append(
                f"note: {what} is better: RMSE {simple[key]:.4f} against {own[key]:.4f} of int8 "
                "(normalised); train longer, with more units or a longer --window, or use that"
            )
    return [*notes, *_doubts(document)]


def _doubts(document: Mapping[str, Any]) -> list[str]:
    """Return a line if a detector is not to be trusted yet: too many calls, or poor forecasts."""
    if "detector" not in document:
        return []
    found, reasons = document["detector"], []
    share, what = found.get("share_of_normal_steps"), "normal steps"
    if "share_of_normal_steps" not in found:
        share, what = found["share_of_steps"], "steps, of which none is labelled"
    if share is not None and share > _MOST_CALLED:
        reasons.append(f"it calls {100 * share:.1f} % of the {what} an anomaly")
    own = document["variants"]["int8"]["rmse_normalised"]
    simple = document.get("baselines", {}).get("persistence", {}).get("rmse_normalised")
    if None not in (own, simple) and simple < own:
        reasons.append("its forecast is worse than persistence")
    if not reasons:
        return []
    return [
        f"note: this detector is not to be trusted yet: {', and '.join(reasons)}; train longer, "
        "with more units, or on data that has all that is normal"
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
