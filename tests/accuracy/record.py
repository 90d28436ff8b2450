"""The record of what was measured, and the table in docs/accuracy.md."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.accuracy.case import Case, Figures, Goal

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "tests" / "figures" / "accuracy.json"
DOCUMENT = ROOT / "docs" / "accuracy.md"
_BEGIN, _END = "<!-- table -->", "<!-- end -->"

Record = dict[str, dict[str, Any]]
"""By the key of a case: seeds, figures (lists, a value a seed), options, bytes, version."""


def load() -> Record:
    """Return what was measured before; nothing: an empty record."""
    if not RECORD.exists():
        return {}
    found: Record = json.loads(RECORD.read_text())
    return found


def keep(record: Record, case: Case, seed: int, figures: Figures, about: dict[str, Any]) -> None:
    """Add a training to the record, and write it."""
    row = record.setdefault(case.key, {"seeds": [], "figures": {}})
    row |= about
    row["seeds"].append(seed)
    for name, value in figures.items():
        row["figures"].setdefault(name, []).append(round(value, 6))
    RECORD.write_text(json.dumps(dict(sorted(record.items())), indent=1) + "\n")


def table(cases: Sequence[Case], record: Record) -> str:
    """Return the table in Markdown: a line a figure."""
    lines = [
        "| data, task, model | bytes | seeds | figure | mean | std | worst | goal | simpler |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for case in cases:
        row = record.get(case.key)
        if row is None:
            continue
        about = [case.key, f"{row['bytes']:,}", str(len(row["seeds"]))]
        others = case.others
        for name, values in row["figures"].items():
            goals = [goal for goal in case.goals if goal.figure == name]
            cells = [*about, name, *_spread(name, values), _goals(goals, values), others]
            lines.append(f"| {' | '.join(cells)} |")
            about, others = ["", "", ""], ""
    return "\n".join(lines) + "\n"


def loss_of_int8(cases: Sequence[Case], record: Record) -> str:
    """Say what int8 costs: points of accuracy, over all classifications in the record."""
    losses: dict[str, list[float]] = {}
    for case in cases:
        figures = record.get(case.key, {}).get("figures", {})
        for name, values in figures.items():
            if name.startswith("float accuracy"):
                int8 = figures[name.replace("float", "int8", 1)]
                pairs = zip(values, int8, strict=True)
                losses[f"{case.key}{name.removeprefix('float accuracy')}"] = [
                    100 * (a - b) for a, b in pairs
                ]
    if not losses:
        return ""
    means = {key: sum(values) / len(values) for key, values in losses.items()}
    worst = max(means, key=means.__getitem__)
    single = max(losses, key=lambda key: max(losses[key]))
    count = sum(map(len, losses.values()))
    return (
        f"Accuracy lost by int8, in points, over {len(means)} rows of classes and {count} "
        f"trainings: mean {sum(means.values()) / len(means):.2f}; the worst row "
        f"{means[worst]:.2f} ({worst}); the worst training {max(losses[single]):.2f} ({single}).\n"
    )


def write(cases: Sequence[Case], record: Record) -> None:
    """Put the table into the document."""
    text = DOCUMENT.read_text()
    before, rest = text.split(_BEGIN)
    after = rest.split(_END)[1]
    DOCUMENT.write_text(
        f"{before}{_BEGIN}\n\n{table(cases, record)}\n{loss_of_int8(cases, record)}\n{_END}{after}"
    )


def _spread(name: str, values: list[float]) -> list[str]:
    mean = sum(values) / len(values)
    square = sum((value - mean) ** 2 for value in values)
    deviation = (square / (len(values) - 1)) ** 0.5 if len(values) > 1 else None
    worst = max(values) if _is_error(name) else min(values)
    form = ".4g" if "mse" in name.split() else ".4f"
    return ["" if value is None else f"{value:{form}}" for value in (mean, deviation, worst)]


def _is_error(name: str) -> bool:
    return any(word in name.split() for word in ("mse", "nats", "alarms"))


def _goals(goals: Sequence[Goal], values: list[float]) -> str:
    """Say what was to be reached, and whether it was."""
    said = []
    for goal in goals:
        bound = f"{'<' if goal.error else '>='} {goal.bound:g}{', worst' if goal.worst else ''}"
        said.append(bound if goal.met(values) else f"**missed:** {bound}")
    return "; ".join(said)
