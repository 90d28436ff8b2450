"""A run folder as a document."""

from pathlib import Path
from typing import Any

import numpy as np

from rnnedge import run as runs
from rnnedge.arrays import F64
from rnnedge.inspect.estimate import sizes
from rnnedge.modelfile import load_model, model_hash
from rnnedge.run import RunSpec
from rnnedge.spec import (
    BidirectionalLayer,
    DenseLayer,
    EmbeddingLayer,
    InputLayer,
    Layer,
    QuantizedModel,
    RecurrentLayer,
)


def describe(folder: Path) -> dict[str, Any]:
    """Describe a run folder.

    Returns:
        ``layers`` has every layer of the model, of its start and of its encoder, whose rows have a
        ``part``; ``outputs`` says what the scores of a regression are, ``classes`` names them all.

    Raises:
        ModelError: no run folder, or a damaged one.
    """
    run = runs.load_run(folder)
    runs.check_seal(folder, run, runs.QUANTIZED_FILE)
    model = load_model(folder / runs.QUANTIZED_FILE)
    layers = list(_rows(model))
    detector = model.detector
    return {
        "kind": "run",
        "name": model.name,
        "sha256": model_hash(model),
        "rnnedge": run.rnnedge,
        "task": model.task,
        "every": model.every,
        "generates": model.generates,
        "window": model.window,
        "rate": model.rate,
        "channels": [
            {"name": c.name, "unit": c.unit, "mean": c.mean, "std": c.std} for c in run.channels
        ],
        "classes": list(model.classes),
        "outputs": _outputs(run),
        "features": [
            {"name": c.name, "unit": c.unit, "mean": c.mean, "std": c.std} for c in run.features
        ],
        "detector": None if detector is None else {
            "smoothing": detector.smoothing,
            "warmup": detector.warmup,
            "threshold": detector.threshold,
        },
        "input": {"type": "int16", "scale": model.input.limit * 2.0**-15, "zero_point": 0},
        "scores": {"fraction_bits": model.fraction_bits},
        "layers": layers,
        "parameters": sum(layer["parameters"] for layer in layers),
        "state_bytes": 2 * model.state_size,
        "files": {item.name: item.stat().st_size for item in sorted(folder.iterdir())
                  if item.is_file()},
        "findings": [],
        "advice": {"text": "rnnedge export writes"} | sizes(model),
    }  # fmt: skip


def _outputs(run: RunSpec) -> list[dict[str, Any]]:
    """Say what each score of a regression is."""
    horizons = run.horizons or (None,) * len(run.targets)
    return [
        {"name": name, "unit": c.unit, "mean": c.mean, "std": c.std}
        | ({} if ahead is None else {"horizon": ahead})
        for name, c, ahead in zip(run.classes, run.targets, horizons, strict=False)
    ]


def _rows(model: QuantizedModel) -> list[dict[str, Any]]:
    """Return a row for each layer: of the model, then of what its first states come from."""
    rows = _input(model.input) + [row for layer in model.layers for row in _layer(layer)]
    if model.start is not None:
        rows.append({**_dense(model.start.dense), "part": "start"})
    if model.encoder is not None:
        rows += [{**row, "part": "encoder"} for row in _rows(model.encoder)]
    return rows


def _input(layer: InputLayer | EmbeddingLayer) -> list[dict[str, Any]]:
    if not isinstance(layer, EmbeddingLayer):
        return []
    scale = np.full(layer.rows, layer.limit * 2.0**-7)
    return [
        {
            "kind": "embedding",
            "units": layer.channels,
            "inputs": layer.rows,
            "parameters": layer.table.size,
            "weights": _weights(scale),
        }
    ]


def _layer(layer: Layer) -> list[dict[str, Any]]:
    if isinstance(layer, BidirectionalLayer):
        return [
            {**_recurrent(direction), "direction": name}
            for name, direction in (("forward", layer.forward), ("backward", layer.backward))
        ]
    return [_dense(layer) if isinstance(layer, DenseLayer) else _recurrent(layer)]


def _recurrent(layer: RecurrentLayer) -> dict[str, Any]:
    return {
        "kind": layer.kind,
        "units": layer.units,
        "inputs": layer.inputs,
        "return_sequences": layer.return_sequences,
        "parameters": layer.W.size + layer.U.size + layer.bias.size,
        "input_bits": layer.input_bits,
        "weights": _weights(layer.row_scale),
        "state_scale": 2.0 ** (layer.output_shift - 15),
    }


def _dense(layer: DenseLayer) -> dict[str, Any]:
    return {
        "kind": "dense",
        "units": layer.units,
        "inputs": layer.inputs,
        "parameters": layer.W.size + layer.bias.size,
        "input_bits": 16,
        "weights": _weights(layer.row_scale),
    }


def _weights(scale: F64) -> dict[str, Any]:
    return {
        "type": "int8",
        "rows": scale.size,
        "smallest_scale": float(scale.min()),
        "largest_scale": float(scale.max()),
    }
