"""One self-describing, hashed file for a quantised model: .npz without pickle.

The archive holds one array ``spec`` (JSON text as uint8) with every scalar, the contract version
and the hash, and one array for each array field, under its path: ``input/<field>``,
``layers/<i>/<field>``, ``encoder/layers/<i>/<field>``.
"""

import hashlib
import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.archive import DAMAGED, read_npz
from rnnedge.errors import ModelError
from rnnedge.spec import (
    CONTRACT,
    LAYER_KINDS,
    Detector,
    EmbeddingLayer,
    FeedbackLayer,
    InputLayer,
    OutputLayer,
    QuantizedModel,
    StartLayer,
)

Arrays = dict[str, Any]

_PARTS = (InputLayer, EmbeddingLayer, OutputLayer, FeedbackLayer, Detector, StartLayer)
_KINDS: dict[str, Any] = {
    part.__name__: part for part in (QuantizedModel, *LAYER_KINDS.values(), *_PARTS)
}
_ARRAY = object()  # in place of an array, which is kept apart


def model_hash(model: QuantizedModel) -> str:
    """Return the model's SHA-256 as 64 hex digits: over every field, name and bit."""
    spec, arrays = _flatten(model)
    return _digest(spec, arrays)


def save_model(model: QuantizedModel, path: Path) -> str:
    """Write `model` to `path` (.npz) and return its hash."""
    spec, arrays = _flatten(model)
    digest = _digest(spec, arrays)
    text = json.dumps({**spec, "sha256": digest}, indent=1)
    np.savez_compressed(
        path, allow_pickle=False, spec=np.frombuffer(text.encode(), np.uint8), **arrays
    )
    return digest


def load_model(path: Path) -> QuantizedModel:
    """Read a quantised model.

    Raises:
        ModelError: the file is missing, damaged, changed by hand or of another contract.
    """
    try:
        arrays: Arrays = read_npz(path)
        spec = json.loads(arrays.pop("spec").tobytes())
        digest, contract = spec.pop("sha256"), spec["contract"]
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file; is this a run folder of rnnedge train?") from None
    except DAMAGED as error:
        raise ModelError(f"{path}: not a readable quantised model ({error}); train again") from None
    if contract != CONTRACT:
        raise ModelError(
            f"{path}: number formats of contract {contract}, this rnnedge has {CONTRACT}; "
            "train again"
        )
    if _digest(spec, arrays) != digest:
        raise ModelError(f"{path}: content does not match its hash; the file is damaged")
    try:
        return _build(spec, arrays)
    except (ModelError, *DAMAGED) as error:
        raise ModelError(f"{path}: {error}; train again") from None


def _flatten(model: QuantizedModel) -> tuple[dict[str, Any], Arrays]:
    arrays: Arrays = {}

    def plain(value: Any, path: str) -> Any:
        if isinstance(value, np.ndarray):
            arrays[path] = value
            return _ARRAY
        if isinstance(value, tuple):
            return [plain(item, f"{path}/{index}") for index, item in enumerate(value)]
        if is_dataclass(value):
            parts = {
                field.name: plain(getattr(value, field.name), f"{path}/{field.name}".lstrip("/"))
                for field in fields(value)
            }
            return {"kind": type(value).__name__, **_without_arrays(parts)}
        return value

    spec: dict[str, Any] = plain(model, "")
    return {"contract": CONTRACT, **spec}, arrays


def _without_arrays(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if value is not _ARRAY}


def _digest(spec: dict[str, Any], arrays: Arrays) -> str:
    sha = hashlib.sha256(json.dumps(spec, sort_keys=True).encode())
    for key in sorted(arrays):
        array = arrays[key]
        sha.update(f"{key} {array.dtype.str} {array.shape}".encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def _build(spec: dict[str, Any], arrays: Arrays) -> QuantizedModel:
    def made(value: Any, path: str) -> Any:
        if isinstance(value, list):
            return tuple(made(item, f"{path}/{index}") for index, item in enumerate(value))
        if not isinstance(value, dict):
            return value
        start = f"{path}/".lstrip("/")
        parts = {
            name: made(part, f"{start}{name}") for name, part in value.items() if name != "kind"
        }
        names = {key: key.removeprefix(start) for key in arrays if key.startswith(start)}
        own = {name: arrays[key] for key, name in names.items() if "/" not in name}
        return _KINDS[value["kind"]](**parts, **own)

    model = made({key: value for key, value in spec.items() if key != "contract"}, "")
    if not isinstance(model, QuantizedModel):
        raise ModelError("what it holds is no model")
    return model
