"""C arrays: the exported folder as {relative path: bytes}."""

import json
from collections.abc import Sequence
from importlib import resources

import rnnedge
from rnnedge.arrays import F32
from rnnedge.convert.c.golden import golden
from rnnedge.convert.c.model import (
    const_bytes,
    header,
    ram_bytes,
    scratch_size,
    source,
    weights,
)
from rnnedge.convert.c.packing import PACKINGS, kernels_of
from rnnedge.counts import counts_map
from rnnedge.modelfile import model_hash
from rnnedge.runwindows import Given
from rnnedge.spec import QuantizedModel
from rnnedge.targets.exported import MANIFEST, RUNTIME_FOLDER, SOURCE_FOLDER
from rnnedge.targets.stream import has_phases

__all__ = [
    "PACKINGS",
    "const_bytes",
    "export_c",
    "kernels_of",
    "ram_bytes",
    "runtime_files",
    "scratch_size",
]


def runtime_files() -> dict[str, bytes]:
    """Return the runtime that ships with every export, by path below rnnedge/."""
    firmware = resources.files("rnnedge.firmware")
    return {
        f"{folder}/{item.name}": item.read_bytes()
        for folder in ("include", "src", "kernels", "serial")
        for item in sorted(firmware.joinpath(folder).iterdir(), key=lambda item: item.name)
        if item.name.endswith((".c", ".h", ".S"))
    }


def export_c(
    model: QuantizedModel,
    golden_raw: F32 | Given,
    kernels: Sequence[str] | None = None,
    counts_per_unit: Sequence[float] | None = None,
) -> dict[str, bytes]:
    """Return sources and manifest of an exported folder; rnnedge.convert.packages has the rest.

    Args:
        model: the quantised model.
        golden_raw: raw windows for the golden vectors, alone float32 (windows, steps, channels).
        kernels: keys of PACKINGS, whose weights are written; None: all.
        counts_per_unit: of a sensor's integers, for each channel or one for all; None: counts are
            what the training data has.

    Raises:
        RangeError: counts of a channel cannot be resolved.
    """
    kernels = list(PACKINGS) if kernels is None else kernels
    runtime = {
        f"{SOURCE_FOLDER}/{RUNTIME_FOLDER}/{path}": data for path, data in runtime_files().items()
    }
    counts = counts_map(model.input, model.channels, counts_per_unit)
    golden_h, golden_c = golden(model, golden_raw)
    manifest = {
        "rnnedge": rnnedge.__version__,
        "name": model.name,
        "sha256": model_hash(model),
        "bidirectional": model.bidirectional,
        "generates": has_phases(model),
        "layers": [layer.kind for layer in model.layers],
        "counts_per_unit": counts.counts_per_unit,
        "const_bytes": const_bytes(model),
        "state_bytes": 2 * model.state_size,
        "scratch_bytes": {kernel: 4 * scratch_size(model, kernel) for kernel in kernels},
    }
    own = f"{SOURCE_FOLDER}/{model.name}"
    # no two objects of a package have one name, whatever the model is called: an archive may keep
    # only one of them
    texts = {
        f"{SOURCE_FOLDER}/{model.name}.h": header(model, kernels, counts),
        f"{SOURCE_FOLDER}/{model.name}_model.c": source(model, kernels, counts),
        **{f"{own}/weights_{kernel}.h": weights(model, kernel) for kernel in kernels},
        f"{own}/golden.h": golden_h,
        f"{own}/{model.name}_golden.c": golden_c,
        MANIFEST: json.dumps(manifest, indent=2) + "\n",
    }
    return {**{path: text.encode() for path, text in texts.items()}, **runtime}
