"""The `rnnedge train` that fits data, as it is typed."""

import shlex
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnedge.run import DataFormat

_WINDOWED = ("classify", "label", "forecast", "anomaly", "map")


def train_line(document: dict[str, Any], form: "DataFormat", data: Sequence[Path]) -> str:
    """Return the command that trains what is suggested for data; "" where it would not.

    Args:
        document: of api.describe_data.
        form: how the data was read; what differs from the default is repeated.
        data: files and folders.
    """
    from rnnedge.api.planning import planned

    task = document["task"]["name"]
    few = task == "classify" and len(document["classes"]) == 1
    taken = planned(document, form)
    if document["recording_rows"]:
        taken = replace(taken, recording_rows=document["recording_rows"]["rows"])
    names = {row["name"] for row in document["channels"]}
    if few or document["refused"] or (names and names <= set(taken.ignore)):
        return ""
    words = ["rnnedge", "train", *map(str, data), "--task", task]
    if document["window"] and not document["window"]["own"] and task in _WINDOWED:
        words += ["--window", str(document["window"]["rows"])]
    words += _form(taken)
    return shlex.join([*words, "--out", f"runs/{data[0].resolve().stem}"])


def _form(form: "DataFormat") -> list[str]:
    """Return the options of a data format."""
    from rnnedge.data.timeline import exact_rate

    words, usual = list[str](), type(form)()
    for field in fields(form):
        value = getattr(form, field.name)
        if value == getattr(usual, field.name):
            continue
        if isinstance(value, dict):
            value = ",".join(f"{name}={number:g}" for name, number in value.items())
        elif isinstance(value, tuple):
            value = ",".join(value)
        name = {"targets": "target"}.get(field.name, field.name.replace("_", "-"))
        words += [f"--{name}", exact_rate(value) if name == "resample" else str(value)]
    return words
