"""Train on every data set, measure, renew tests/figures/accuracy.json and docs/accuracy.md.

    python -m tests.accuracy                 everything that is not recorded yet for these options
    python -m tests.accuracy hapt fsdd       only these data sets
    python -m tests.accuracy --again         forget what is recorded
    python -m tests.accuracy --seeds 1       at most so many trainings each
    python -m tests.accuracy --table         only the table

What was trained stays in build/accuracy. The recordings are found by RNNEDGE_DATA.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import rnnedge
from rnnedge import api
from rnnedge.train.options import TrainOptions
from tests.accuracy import (
    basic_motions,
    etth1,
    fsdd,
    hapt,
    japanese_vowels,
    magic_wand,
    melbourne_temps,
    nab_machine_temp,
    occupancy,
    texts,
)
from tests.accuracy.case import Case, constants, model_of
from tests.accuracy.record import ROOT, Record, keep, load, write

RUNS = ROOT / "build" / "accuracy"
CASES = tuple(
    case
    for module in (
        hapt, japanese_vowels, fsdd, basic_motions, magic_wand, occupancy, etth1, melbourne_temps,
        nab_machine_temp, texts,
    )
    for case in module.CASES
)  # fmt: skip


def _options(case: Case) -> dict[str, Any]:
    """What decides the result, as it is recorded."""
    return json.loads(json.dumps({**case.options, "form": asdict(case.form)}))  # type: ignore[no-any-return]


def _train(case: Case, data: Path, record: Record, seeds: int) -> None:
    """Train the seeds that are not recorded yet."""
    row = record.get(case.key)
    if row is not None and row["options"] != _options(case):
        row = record.pop(case.key)
        row = None
    done = [] if row is None else row["seeds"]
    missing = [seed for seed in range(min(case.seeds, seeds)) if seed not in done]
    if not missing:
        return
    folder = RUNS / "".join(c if c.isalnum() else "_" for c in case.key)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    file = folder / f"data{case.suffix}"
    case.write(data / case.data, file)
    for seed in missing:
        begin = time.monotonic()
        figures, about = _measured(case, file, folder / f"seed-{seed}", seed)
        keep(record, case, seed, figures, {**about, "options": _options(case)})
        said = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
        print(f"{case.key}, seed {seed}: {said} ({time.monotonic() - begin:.0f} s)", flush=True)


def _measured(
    case: Case, file: Path, run: Path, seed: int
) -> tuple[Mapping[str, float], dict[str, Any]]:
    """Train one seed; every seed has the same parts."""
    options = TrainOptions(seed=seed, parts_seed=0, **case.options)
    test = [path for path in [file.with_name(f"test{case.suffix}")] if path.exists()]
    document = api.fit([file], run, options=options, form=case.form, test=test)
    about = {"bytes": constants(model_of(run)), "rnnedge": rnnedge.__version__}
    return case.measure(run, document), about


def main() -> None:
    """Train what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.accuracy")
    parser.add_argument("sets", nargs="*", help="data sets; none: all")
    parser.add_argument("--again", action="store_true", help="forget what is recorded")
    parser.add_argument("--seeds", type=int, default=sys.maxsize, help="at most, of each")
    parser.add_argument("--table", action="store_true", help="only write the table")
    given = parser.parse_args()
    data = Path(os.environ.get("RNNEDGE_DATA") or ROOT.parent / "shared" / "data")
    unknown = set(given.sets) - {case.data for case in CASES}
    if unknown or not data.is_dir():
        sys.exit(f"no such data: {', '.join(sorted(unknown)) or data}; RNNEDGE_DATA names it")
    chosen = [case for case in CASES if case.data in given.sets or not given.sets]
    record = load()
    if given.again:
        for case in chosen:
            record.pop(case.key, None)
    if not given.table:
        for case in chosen:
            _train(case, data, record, given.seeds)
    write(CASES, record)


main()
