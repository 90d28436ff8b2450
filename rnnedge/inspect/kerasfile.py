"""A .keras file as a document."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

from rnnedge.archive import DAMAGED
from rnnedge.convert.extract import extract
from rnnedge.errors import ModelError, RangeError, UnsupportedLayerError
from rnnedge.inspect.estimate import quantised, sizes
from rnnedge.kerasbackend import load_keras
from rnnedge.run import ENCODER_FILE, KERAS_FILE, RUN_JSON, START_FILE

_WINDOW = 64  # where the model takes any
_REFUSED = "rnnedge cannot take it"
_CONFIG, _METADATA = "config.json", "metadata.json"
_LARGEST_CONFIG = 1 << 24
_PARTS = {
    KERAS_FILE: "the model",
    START_FILE: "the start, which makes the first states of features",
    ENCODER_FILE: "the encoder, whose last states the model begins with",
}
_RECURRENT = ("GRU", "LSTM", "SimpleRNN")
_OPTIONS = (
    "units", "activation", "recurrent_activation", "reset_after", "return_sequences",
    "go_backwards", "unroll", "use_bias", "merge_mode", "rate", "axis",
)  # fmt: skip


def describe(path: Path) -> dict[str, Any]:
    """Describe a .keras file.

    Layers are read from its configuration, so that a model with classes of one's own is described,
    too. Parameters and what rnnedge would make of it need Keras.

    Raises:
        ModelError: no .keras file, or a damaged one.
        ToolError: Keras or TensorFlow cannot be imported.
    """
    config, metadata = _json(path, _CONFIG), _json(path, _METADATA)
    layers = list(_layers(config))
    document: dict[str, Any] = {
        "kind": "keras",
        "bytes": path.stat().st_size,
        "model": str(config.get("class_name", "")),
        "keras": str(metadata.get("keras_version", "")),
        "layers": layers,
    }
    kinds = {layer["class"] for layer in layers} | {layer.get("of", "") for layer in layers}
    document["findings"] = [
        {"level": level, "text": text} for level, text in _findings(layers, kinds)
    ]
    own = [layer for layer in layers if layer["own"]]
    if own:  # not known to Keras here
        problem = (
            f"layer {own[0]['name']!r} is a class of your own ({own[0]['class']}), which has no "
            "integer form; build the model of Keras' layers"
        )
        return document | {"advice": {"text": _REFUSED, "problem": problem}}
    model = load_keras(path)
    _add_parameters(document, model)
    document["input_shape"] = _shape(getattr(model, "input_shape", None))
    document["output_shape"] = _shape(getattr(model, "output_shape", None))
    return document | {"advice": _advice(path)}


def _json(path: Path, name: str) -> dict[str, Any]:
    """Read one of the archive's JSON files."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(name).file_size > _LARGEST_CONFIG:
                raise ValueError(f"{name} of {archive.getinfo(name).file_size} bytes")
            found = json.loads(archive.read(name))
    except DAMAGED as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise ModelError(
            f"{path}: damaged or no Keras 3 model ({reason}); train or save it again"
        ) from None
    if not isinstance(found, dict):
        raise ModelError(f"{path}: damaged or no Keras 3 model ({name}); train or save it again")
    return found


def _layers(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the layers of a Sequential or Functional model, models inside it one row each."""
    inner = config.get("config")
    listed = inner.get("layers", []) if isinstance(inner, dict) else []
    rows = []
    for layer in listed if isinstance(listed, list) else []:
        if not isinstance(layer, dict) or not isinstance(layer.get("config"), dict):
            continue
        options = layer["config"]
        row: dict[str, Any] = {
            "name": str(options.get("name", "")),
            "class": str(layer.get("class_name", "")),
            "own": not str(layer.get("module", "keras")).startswith("keras"),
        }
        wrapped = options.get("layer")
        if isinstance(wrapped, dict) and isinstance(wrapped.get("config"), dict):
            row["of"] = str(wrapped.get("class_name", ""))
            options = wrapped["config"] | {
                key: options[key] for key in ("merge_mode",) if key in options
            }
        row["options"] = {
            key: options[key]
            for key in _OPTIONS
            if isinstance(options.get(key), str | int | float | bool)
        }
        rows.append(row)
    return rows


def _findings(layers: list[dict[str, Any]], kinds: set[str]) -> list[tuple[str, str]]:
    """Say what TensorFlow's converter would make of the recurrent layers."""
    found = []
    if kinds & set(_RECURRENT):
        found.append(
            (
                "risk",
                "TensorFlow's converter writes the recurrent layers as a float WHILE loop"
                + (" (Keras 3's LSTM is not fused)" if "LSTM" in kinds else "")
                + ", or as TensorList operators, which TFLM lacks, if the batch is open; "
                "calibrating the loop to int8 or 16x8 crashes it",
            )
        )
    for layer in layers:
        if layer["options"].get("unroll"):
            found.append(
                (
                    "risk",
                    f"layer {layer['name']!r} has unroll=True: the converter writes its step again "
                    "for each sample; rnnedge does not mind",
                )
            )
    return found


def _add_parameters(document: dict[str, Any], model: Any) -> None:
    counts = {layer.name: int(layer.count_params()) for layer in model.layers if layer.built}
    for row in document["layers"]:
        row["parameters"] = counts.get(row["name"], 0)
    document["parameters"] = int(model.count_params())
    document["float_bytes"] = 4 * document["parameters"]


def _shape(shape: Any) -> list[Any] | None:
    return list(shape) if isinstance(shape, tuple) else None


def _advice(path: Path) -> dict[str, Any]:
    """Say whether rnnedge takes the model, and how large what it writes would be."""
    part = _PARTS.get(path.name) if (path.parent / RUN_JSON).is_file() else None
    if part is not None:
        folder = path.parent
        return {
            "text": f"it is {part}: a part of the run {folder}, which rnnedge export takes as a "
            f"whole; rnnedge inspect {folder} says what becomes of it"
        }
    try:
        model = extract(path)
        if model.embedding is not None:
            problem = "ids need their names: rnnedge takes an Embedding in a run of rnnedge train"
            return {"text": _REFUSED, "problem": problem}
        window = model.window or _WINDOW
        text = f"rnnedge takes it: rnnedge export {path} --calibrate DATA --out FOLDER writes"
        name = re.sub(r"\W", "_", path.stem, flags=re.ASCII)
        return {"text": text, "window": window, **sizes(quantised(model, window, name))}
    except (ModelError, RangeError, UnsupportedLayerError) as error:
        return {"text": _REFUSED, "problem": str(error)}
