"""Several trainings of different seeds: the one that is kept, and how far they lie apart."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.errors import ModelError
from rnnedge.output import explained
from rnnedge.run import METRICS_FILE, load_run
from rnnedge.train.checkpoint import Checkpoint, Partial
from rnnedge.train.options import TrainOptions
from rnnedge.train.progress import Progress

_ERRORS = ("rmse", "mse", "mae", "error", "loss", "nats", "false", "perplexity")
_VALIDATION = "validation_loss"
_DOCUMENT = "document.json"

One = Callable[[TrainOptions, Path, Checkpoint], dict[str, Any]]
"""Trains one seed into an empty folder; returns its metrics."""


def each_seed(
    one: One, options: TrainOptions, folder: Path, partial: Partial, progress: Progress
) -> dict[str, Any]:
    """Train every seed on the same parts; keep the run of the least validation loss.

    Args:
        one: trains one seed.
        options: of all; `seeds` says how many.
        folder: of the run that is kept; empty.
        partial: where finished runs wait for the others.
        progress: told of every seed.

    Returns:
        The metrics of the run that is kept; of several seeds with `seeds`, see `summary`.

    Raises:
        RnnedgeError: what `one` raises.
        OutputError: a run cannot be written.
    """
    first, count = options.seed, options.seeds
    if count == 1:
        return one(options, folder, partial.of(first))
    parts_seed = first if options.parts_seed is None else options.parts_seed
    documents: dict[int, dict[str, Any]] = {}
    validation: dict[int, float] = {}
    for seed in range(first, first + count):
        checkpoint = partial.of(seed)
        place = checkpoint.folder / "run"
        if not place.exists():
            progress.note(f"seed {seed}, {seed - first + 1} of {count}")
            board = options.tensorboard and options.tensorboard / f"seed-{seed}"
            own = replace(options, seed=seed, seeds=1, parts_seed=parts_seed, tensorboard=board)
            _train(one, own, place, checkpoint)
        documents[seed] = _finished(place)
        validation[seed] = float(load_run(place).training[_VALIDATION])
    kept = min(validation, key=lambda seed: (validation[seed], seed))
    document = documents[kept] | {"seeds": summary(documents, validation, kept)}
    with explained(folder):
        shutil.copytree(partial.of(kept).folder / "run", folder, dirs_exist_ok=True)
        (folder / _DOCUMENT).unlink()
        metrics = json.loads((folder / METRICS_FILE).read_text()) | {"seeds": document["seeds"]}
        (folder / METRICS_FILE).write_text(json.dumps(metrics, indent=2) + "\n")
    return document


def summary(
    documents: Mapping[int, Mapping[str, Any]], validation: Mapping[int, float], kept: int
) -> dict[str, Any]:
    """Say how far the seeds lie apart on the test part.

    Args:
        documents: metrics of each seed, with "variants".
        validation: validation loss of each seed.
        kept: the seed that is kept.

    Returns:
        ``{"seeds", "kept", "validation_loss", "variants": {"float": {metric: {"mean",
        "deviation" (of the sample), "worst", "values"}}, "int8": ...}}``, of every metric that is
        one number.

    >>> runs = {s: {"variants": {"int8": {"accuracy": a}}} for s, a in ((0, 0.5), (1, 0.75))}
    >>> summary(runs, {0: 1.0, 1: 2.0}, 0)["variants"]["int8"]["accuracy"]["worst"]
    0.5
    """
    seeds = sorted(documents)
    variants: dict[str, Any] = {}
    for variant, metrics in documents[kept]["variants"].items():
        for name, value in metrics.items():
            if type(value) is not float:
                continue
            values = [float(documents[seed]["variants"][variant][name]) for seed in seeds]
            variants.setdefault(variant, {})[name] = _spread(values, name)
    return {
        "seeds": seeds,
        "kept": kept,
        _VALIDATION: [validation[seed] for seed in seeds],
        "variants": variants,
    }


def _spread(values: Sequence[float], name: str) -> dict[str, Any]:
    """Return mean, deviation and worst; of an error the largest is the worst."""
    worst = max if any(word in name for word in _ERRORS) else min
    return {
        "mean": float(np.mean(values)),
        "deviation": float(np.std(values, ddof=1)),
        "worst": worst(values),
        "values": list(values),
    }


def _train(one: One, options: TrainOptions, place: Path, checkpoint: Checkpoint) -> None:
    """Train a seed; its folder has its name only when it is whole."""
    work = place.with_name("unfinished")
    with explained(work):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
    document = one(options, work, checkpoint)
    with explained(work):
        (work / _DOCUMENT).write_text(json.dumps(document) + "\n")
        work.rename(place)


def _finished(place: Path) -> dict[str, Any]:
    """Read what a finished seed left."""
    try:
        document: dict[str, Any] = json.loads((place / _DOCUMENT).read_text())
    except (OSError, ValueError) as error:
        raise ModelError(f"{place}: damaged ({error}); begin again with --force") from None
    return document
