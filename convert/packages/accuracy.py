"""How right a model is, as the README says it."""

from collections.abc import Mapping
from typing import Any

from rnnedge.convert.packages.package import Package, counted
from rnnedge.convert.packages.tables import table
from rnnedge.plaintext import visible

_NAMES = {"int8": "int8, as in this package", "float": "float, as trained"}
_OF_STEPS = {"accuracy": "accuracy", "macro_f1": "macro F1", "nats": "nats a step"}
_OF_RUNS = {
    "rmse_normalised": "RMSE, normalised",
    "accuracy": "accuracy of a step",
    "exact": "right to the end",
}
_UNSEEN = "test windows that training has not seen"
_MOST_OUTPUTS = 12


def accuracy(package: Package) -> str:
    """Return the section "How right it is"."""
    judged = package.figures.get("judged")
    if judged is not None:
        return _judged(package, judged)
    found: dict[str, float] = package.figures["accuracy"]
    if not found and package.model.every:
        return "Not known here; `rnnedge evaluate RUN` measures it, over whole recordings."
    if not found:
        return "Not known: the windows that it was made with have no labels of its classes."
    rows = [[_NAMES[name], f"{found[name]:.4f}"] for name in _NAMES if name in found]
    imported = package.figures["imported"]
    which = "calibration windows, which are no test" if imported else _UNSEEN
    return f"{table(['', 'accuracy'], rows)}\n\nOn {package.figures['windows']:,} {which}."


def _judged(package: Package, judged: Mapping[str, Any]) -> str:
    """Return what was measured on whole test recordings."""
    variants = {_NAMES[name]: judged["variants"][name] for name in _NAMES}
    values = "rmse_normalised" in variants[_NAMES["int8"]]
    parts = [_values(package, variants, judged) if values else _classes(variants, judged)]
    steps, sequences = counted(judged["steps"], "step"), counted(judged["sequences"], "sequence")
    parts.append(f"On {steps} of {sequences} that training has not seen; the state runs on.")
    if values:
        parts.append("RMSE of a value in its unit; normalised: 1 is its standard deviation.")
    free = {name: one["free"] for name, one in variants.items() if one.get("free", {}).get("steps")}
    if free:
        keys = [key for key in _OF_RUNS if key in next(iter(free.values()))]
        rows = [[name, *(_number(one[key]) for key in keys)] for name, one in free.items()]
        steps = counted(next(iter(free.values()))["steps"], "step")
        told = table(["", *(_OF_RUNS[key] for key in keys)], rows)
        parts.append(f"Running freely, {steps}, each from the answer of the one before:\n\n{told}")
    if "detector" in judged:
        parts.append(_detector(judged["detector"]))
    return "\n\n".join(parts)


def _classes(variants: Mapping[str, Any], judged: Mapping[str, Any]) -> str:
    simple = judged["baselines"].get("majority")
    rows = dict(variants) if simple is None else {
        **variants, f"always {visible(simple['class'])}": simple
    }  # fmt: skip
    keys = [key for key in _OF_STEPS if key in variants[_NAMES["int8"]]]
    return table(
        ["", *(_OF_STEPS[key] for key in keys)],
        [[name, *(_number(one.get(key)) for key in keys)] for name, one in rows.items()],
    )


def _values(package: Package, variants: Mapping[str, Any], judged: Mapping[str, Any]) -> str:
    answers = {**variants, **judged["baselines"]}
    rows = [
        [f"RMSE of {visible(name)}", *(_number(one["rmse"][index]) for one in answers.values())]
        for index, name in enumerate(package.model.classes[:_MOST_OUTPUTS])
    ]
    rows.append(
        ["RMSE of all, normalised", *(_number(one["rmse_normalised"]) for one in answers.values())]
    )
    return table(["", *answers], rows)


def _detector(found: Mapping[str, Any]) -> str:
    said = f"It calls {100 * found['share_of_steps']:.2f} % of these steps an anomaly"
    if "found" in found:
        said += (
            f", and finds {sum(found['found'])} of {found['windows']} labelled ones with "
            f"{counted(found['false_alarms'], 'false alarm')}"
        )
    return f"{said}."


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
