"""Next character: names, and Shakespeare."""

import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnedge.run import DataFormat
from tests.accuracy.case import Case, Figures, Goal


def names(folder: Path, file: Path) -> None:
    """Write the names, one a line."""
    file.write_bytes((folder / "names.txt").read_bytes())


def shakespeare(folder: Path, file: Path) -> None:
    """Write the text."""
    file.write_bytes(lzma.decompress((folder / "input.txt.xz").read_bytes()))


def nats(_: Path, document: Mapping[str, Any]) -> Figures:
    """Nats a character, float and int8, and by how much int8 is worse."""
    variants = document["variants"]
    found = {f"{name} nats": float(variants[name]["nats"]) for name in ("float", "int8")}
    return found | {"int8 - float nats": found["int8 nats"] - found["float nats"]}


def _case(data: str, name: str, units: int, others: str) -> Case:
    return Case(
        data=data,
        name=name,
        write=names if data == "names_makemore" else shakespeare,
        form=DataFormat(text="characters"),
        options={"task": "next", "units": units},
        measure=nats,
        goals=(Goal(figure="int8 - float nats", bound=0.01, error=True, worst=True),),
        others=others,
        suffix=".txt",
        seeds=1,
    )


CASES = (
    _case("names_makemore", "next letter of a name, GRU-64", 64, "bigrams about 2.45"),
    _case("tinyshakespeare", "next character, GRU-64", 64, "a larger LSTM about 1.5"),
)
