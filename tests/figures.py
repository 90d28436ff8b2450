"""Recorded figures of every kernel: one file for each compiler version, and the table in the docs.

    python -m tests.figures --write     renew tests/figures/*.json and docs/figures.md
    python -m tests.figures             print the table

Every figure is a row of `rnnedge bench` (rnnedge.api.bench), which anyone can rerun.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from rnnedge import api

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "tests" / "figures"
DOCUMENT = ROOT / "docs" / "figures.md"
START, END = "<!-- figures: make figures -->", "<!-- end of figures -->"

CORES = (
    *("cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"),
    *("cortex-m55", "cortex-m55:clang", "rv32"),
)
SHAPES = [
    *((cell, units, 9, "speed") for cell in ("gru", "lstm", "rnn") for units in (32, 64)),
    ("gru", 32, 9, "size"),
    ("lstm", 32, 9, "size"),
]
AVR_SHAPES = [
    *(("gru", units, 3, optimize) for units in (6, 16) for optimize in ("speed", "size")),
    ("lstm", 6, 3, "speed"),
    ("lstm", 16, 3, "speed"),
    ("rnn", 16, 3, "speed"),
]
COMPARED = ("per_step", "code_bytes", "step_code_bytes", "const_bytes", "ram_bytes", "stack_bytes")
CASES = [(core, shape) for core in CORES for shape in SHAPES]
CASES += [("avr", shape) for shape in AVR_SHAPES]


def measure(core: str, shape: tuple[str, int, int, str]) -> dict[str, Any]:
    """One row of rnnedge bench."""
    cell, units, inputs, optimize = shape
    (row,) = api.bench(None, [core], optimize=optimize, cell=cell, units=units, inputs=inputs)
    return row


def key(row: dict[str, Any]) -> str:
    """What identifies a row in its file."""
    return f"{row['target']} {row['cell']}-{row['units']} x {row['inputs']} {row['optimize']}"


def file_of(row: dict[str, Any]) -> Path:
    """The file of a row's compiler version."""
    return FOLDER / f"{re.sub(r'[^A-Za-z0-9.]+', '-', row['compiler'])}.json"


def recorded(row: dict[str, Any]) -> dict[str, int] | None:
    """The recorded figures that a row is compared with; None: no record of this compiler."""
    path = file_of(row)
    found: dict[str, int] | None = (
        json.loads(path.read_text()).get(key(row)) if path.exists() else None
    )
    return found


def table(rows: list[dict[str, Any]]) -> str:
    """The Markdown table of all rows."""
    columns = ["target", "compiler", "for", "cell, inputs", "per step", "per MAC"]
    columns += ["code", "of a step", "const", "RAM", "stack"]
    cells = [columns, ["---"] * len(columns)]
    for row in rows:
        sizes = ("code_bytes", "step_code_bytes", "const_bytes", "ram_bytes", "stack_bytes")
        unit = " cycles" if row["unit"] == "cycles" else ""
        cells.append(
            [
                row["target"].removesuffix(":clang"),
                row["compiler"],
                row["optimize"],
                f"{row['cell'].upper()}-{row['units']}, {row['inputs']}",
                f"{row['per_step']:,}{unit}",
                f"{row['per_mac']:.2f}",
                *(f"{row[name]:,}" for name in sizes),
            ]
        )
    lines = [f"| {' | '.join(line)} |" for line in cells]
    return "\n".join(lines)


def write(rows: list[dict[str, Any]]) -> None:
    """Renew the records and the table in the docs."""
    FOLDER.mkdir(exist_ok=True)
    files: dict[Path, dict[str, dict[str, int]]] = {}
    for row in rows:
        files.setdefault(file_of(row), {})[key(row)] = {name: row[name] for name in COMPARED}
    for path, content in files.items():
        path.write_text(json.dumps(content, indent=1) + "\n")
    text = DOCUMENT.read_text()
    head, tail = text.split(START)[0], text.split(END)[1]
    DOCUMENT.write_text(f"{head}{START}\n{table(rows)}\n{END}{tail}")


def main(words: list[str]) -> None:
    """Measure everything; print the table or write it."""
    rows = [measure(core, shape) for core, shape in CASES]
    if "--write" in words:
        write(rows)
    print(table(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
