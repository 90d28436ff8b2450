"""A run folder as a document."""

from pathlib import Path
from typing import Any

from rnnedge import run as runs
from rnnedge.inspect.estimate import sizes
from rnnedge.modelfile import load_model, model_hash
from rnnedge.spec import BidirectionalLayer, DenseLayer, Layer, RecurrentLayer


def describe(folder: Path) -> dict[str, Any]:
    """Describe a run folder.

    Raises:
        ModelError: no run folder, or a damaged one.
    """
    run = runs.load_run(folder)
    runs.check_seal(folder, run, runs.QUANTIZED_FILE)
    model = load_model(folder / runs.QUANTIZED_FILE)
    layers = [row for layer in model.layers for row in _layer(layer)]
    return {
        "kind": "run",
        "name": model.name,
        "sha256": model_hash(model),
        "rnnedge": run.rnnedge,
        "window": model.window,
        "rate": model.rate,
        "channels": [
            {"name": c.name, "unit": c.unit, "mean": c.mean, "std": c.std} for c in run.channels
        ],
        "classes": list(model.classes),
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


def _layer(layer: Layer) -> list[dict[str, Any]]:
    if isinstance(layer, BidirectionalLayer):
        return [
            {**_recurrent(direction), "direction": name}
            for name, direction in (("forward", layer.forward), ("backward", layer.backward))
        ]
    return [_dense(layer) if isinstance(layer, DenseLayer) else _recurrent(layer)]


def _recurrent(layer: RecurrentLayer) -> dict[str, Any]:
    scale = layer.row_scale
    return {
        "kind": layer.kind,
        "units": layer.units,
        "inputs": layer.inputs,
        "return_sequences": layer.return_sequences,
        "parameters": layer.W.size + layer.U.size + layer.bias.size,
        "input_bits": layer.input_bits,
        "weights": {
            "type": "int8",
            "rows": scale.size,
            "smallest_scale": float(scale.min()),
            "largest_scale": float(scale.max()),
        },
        "state_scale": 2.0 ** (layer.output_shift - 15),
    }


def _dense(layer: DenseLayer) -> dict[str, Any]:
    return {
        "kind": "dense",
        "units": layer.units,
        "inputs": layer.inputs,
        "parameters": layer.W.size + layer.bias.size,
        "weights": {
            "type": "int8",
            "rows": layer.row_scale.size,
            "smallest_scale": float(layer.row_scale.min()),
            "largest_scale": float(layer.row_scale.max()),
        },
    }
