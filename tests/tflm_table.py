"""Recorded figures of every form for TensorFlow Lite Micro, and the tables in the docs.

    python -m tests.tflm_table --write     renew tests/figures/tflite-micro.json and docs/tflm.md
    python -m tests.tflm_table             print the tables

Sizes, arenas and long runs of random models; accuracy and long runs of models trained on HAPT
(RNNEDGE_DATA); what was trained stays in build/tflm. About ten minutes.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge import api
from rnnedge.api.tflmeval import h_of
from rnnedge.convert.tflite import Variant, as_input, emit, variants
from rnnedge.convert.tflite.stream import states
from rnnedge.spec import QuantizedModel
from rnnedge.targets.tflm import find_arena, run_stream
from tests.cli import rnnedge
from tests.datasets import hapt_npz
from tests.models import float_model, quantized
from tests.tflite.cases import samples

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "tests" / "figures" / "tflite-micro.json"
DOCUMENT = ROOT / "docs" / "tflm.md"
RUNS = ROOT / "build" / "tflm"
CELLS = {
    "gru": ("--cell", "gru"),
    "gru_before": ("--cell", "gru", "--reset-before"),
    "lstm": ("--cell", "lstm"),
    "rnn": ("--cell", "rnn"),
}
NAMES = {"gru": "GRU-32", "gru_before": "GRU-32, reset before", "lstm": "LSTM-32", "rnn": "RNN-32"}
STEPS = 500
SEEDS = (1, 2, 3)
AMPLE = 1 << 20
Row = dict[str, Any]


def model_of(cell: str, seed: int = SEEDS[0]) -> QuantizedModel:
    """A random model: 32 units, 64 steps of 3 channels, 4 classes."""
    source = float_model(seed, units=32, channels=3, spread=0.6, cells=(cell,))
    return quantized(source, window=64, input_bits=16)


def size(model: QuantizedModel, variant: Variant) -> int:
    """Bytes without metadata."""
    return len(emit(model, variant, metadata=False))


def streamed(cell: str, variant: Variant, seed: int) -> tuple[float, float]:
    """RMS of h over 500 steps against the float model, and the agreement of the classes."""
    source = float_model(seed, units=32, channels=3, spread=0.6, cells=(cell,))
    model = model_of(cell, seed)
    x = samples(model, 2, steps=STEPS)[:1]
    real, _ = source.recurrent[0].run(x * (model.input.limit / 2**15))
    scores = real @ source.dense[0].W + source.dense[0].bias
    found = run_stream(emit(model, variant), as_input(x, variant), AMPLE)
    h = h_of(found.states, [(s.name, s.units, s.scale) for s in states(model)])
    agreement = (found.scores.argmax(axis=2) == scores.argmax(axis=2)).mean()
    return float(np.sqrt(np.mean((h - real) ** 2))), float(agreement)


def random_rows() -> dict[str, Row]:
    """Figures of random models, by cell and form."""
    rows = {}
    for cell in CELLS:
        model = model_of(cell)
        for variant in variants(model):
            row: Row = {
                "bytes": size(model, variant),
                "arena": find_arena(emit(model, variant)),
                "rms": None,
                "agreement": None,
            }
            if variant.form == "stream" and variant.state == "io":
                runs = [streamed(cell, variant, seed) for seed in SEEDS]
                row["rms"] = max(rms for rms, _ in runs)
                row["agreement"] = float(np.mean([same for _, same in runs]))
            rows[f"{cell} {variant.name}"] = row
    return rows


def trained(cell: str) -> Path:
    """The run of a cell of 32 units on HAPT, trained with default options if it is not there."""
    run = RUNS / cell
    if not run.exists():
        RUNS.mkdir(parents=True, exist_ok=True)
        data = Path(os.environ.get("RNNEDGE_DATA") or ROOT.parent / "shared" / "data")
        windows = hapt_npz(data, RUNS / "hapt.npz")
        done = rnnedge("train", windows, *CELLS[cell], "--units", 32, "--out", run)
        if done.code != 0:
            sys.exit(done.err)
    return run


def hapt_rows() -> dict[str, Row]:
    """Figures of models trained on HAPT, by cell and form; float, too."""
    rows = {}
    for cell in CELLS:
        document = api.evaluate(trained(cell), tflite=api.WantedTflite(form="all"))
        for name, variant in document["variants"].items():
            row: Row = {key: variant.get(key) for key in ("accuracy", "macro_f1", "agreement")}
            row |= {"bytes": variant.get("tflite_bytes"), "arena": variant.get("arena_bytes")}
            row["long_run"] = variant.get("long_run")
            rows[f"{cell} {variant.get('variant', name)}"] = row
    return rows


def tables(record: Row) -> dict[str, str]:
    """The Markdown tables, by the word that marks their place."""
    columns = ["cell", "form", "bytes", "arena", f"RMS of h, {STEPS} steps", "agreement"]
    sizes = [
        [
            *_names(key),
            f"{row['bytes']:,}",
            f"{row['arena']:,}",
            _number(row["rms"]),
            _number(row["agreement"]),
        ]
        for key, row in record["random"].items()
    ]
    more = ["cell", "form", "accuracy", "macro F1", "agreement", "file", "arena"]
    more += ["RMS of h", "median stream", "agreement"]
    more += [f"{column}, clipped" for column in more[-3:]]
    ends = [
        f"{name}{end}"
        for end in ("", "_clipped")
        for name in ("state_rms", "state_rms_median", "agreement")
    ]
    trained_rows = [
        [
            *_names(key),
            *(_number(row[name]) for name in ("accuracy", "macro_f1", "agreement")),
            *("" if row[name] is None else f"{row[name]:,}" for name in ("bytes", "arena")),
            *(_number((row["long_run"] or {}).get(name)) for name in ends),
        ]
        for key, row in record["hapt"].items()
    ]
    return {"sizes": _table(columns, sizes), "hapt": _table(more, trained_rows)}


def _names(key: str) -> list[str]:
    cell, form = key.split()
    return [NAMES[cell], form]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def filled(text: str, record: Row) -> str:
    """The document with its tables renewed."""
    for word, table in tables(record).items():
        start, end = f"<!-- {word}: make tflm -->", f"<!-- end of {word} -->"
        text = f"{text.split(start)[0]}{start}\n{table}\n{end}{text.split(end)[1]}"
    return text


def main(words: list[str]) -> None:
    """Measure everything; print the tables or write them."""
    record = {"random": random_rows(), "hapt": hapt_rows()}
    if "--write" in words:
        RECORD.write_text(json.dumps(record, indent=1) + "\n")
        DOCUMENT.write_text(filled(DOCUMENT.read_text(), record))
    for table in tables(record).values():
        print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
