"""One self-describing, hashed file for a quantised model: .npz without pickle.

The archive holds one array ``spec`` (JSON text as uint8) with every scalar, the contract version
and the hash, and one array for each array field under ``layers/<i>/<field>`` or ``input/<field>``.
"""

import hashlib
import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.archive import DAMAGED, read_npz
from rnnedge.errors import ModelError
from rnnedge.spec import CONTRACT, LAYER_KINDS, InputLayer, QuantizedModel

Arrays = dict[str, Any]


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
    except ModelError as error:
        raise ModelError(f"{path}: {error}; train again") from None


def _flatten(model: QuantizedModel) -> tuple[dict[str, Any], Arrays]:
    arrays: Arrays = {}

    def scalars(item: Any, prefix: str) -> dict[str, Any]:
        found: dict[str, Any] = {} if isinstance(item, InputLayer) else {"kind": item.kind}
        for field in fields(item):
            value = getattr(item, field.name)
            if isinstance(value, np.ndarray):
                arrays[f"{prefix}/{field.name}"] = value
            elif is_dataclass(value):  # a direction of a bidirectional layer
                found[field.name] = scalars(value, f"{prefix}/{field.name}")
            else:
                found[field.name] = value
        return found

    spec: dict[str, Any] = {"contract": CONTRACT}
    for field in fields(model):
        if field.name not in ("input", "layers"):
            value = getattr(model, field.name)
            spec[field.name] = list(value) if isinstance(value, tuple) else value
    spec["input"] = scalars(model.input, "input")
    spec["layers"] = [scalars(layer, f"layers/{index}") for index, layer in enumerate(model.layers)]
    return spec, arrays


def _digest(spec: dict[str, Any], arrays: Arrays) -> str:
    sha = hashlib.sha256(json.dumps(spec, sort_keys=True).encode())
    for key in sorted(arrays):
        array = arrays[key]
        sha.update(f"{key} {array.dtype.str} {array.shape}".encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def _build(spec: dict[str, Any], arrays: Arrays) -> QuantizedModel:
    def under(prefix: str) -> Arrays:
        return {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}

    def layer(scalars: dict[str, Any], prefix: str) -> Any:
        values = {
            name: layer(value, f"{prefix}{name}/") if isinstance(value, dict) else value
            for name, value in scalars.items()
            if name != "kind"
        }
        own = {k: v for k, v in under(prefix).items() if "/" not in k}
        return LAYER_KINDS[scalars["kind"]](**values, **own)

    spec = {k: tuple(v) if k in ("channels", "channel_units", "classes") else v
            for k, v in spec.items() if k != "contract"}  # fmt: skip
    spec["input"] = InputLayer(**spec["input"], **under("input/"))
    spec["layers"] = tuple(
        layer(scalars, f"layers/{index}/") for index, scalars in enumerate(spec["layers"])
    )
    return QuantizedModel(**spec)
