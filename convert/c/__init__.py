"""C arrays: the exported folder as {relative path: bytes}."""

import json
from importlib import resources

import rnnedge
from rnnedge.arrays import I16
from rnnedge.convert.c.golden import golden
from rnnedge.convert.c.model import const_bytes, header, scratch_size, source
from rnnedge.modelfile import model_hash
from rnnedge.simulator import simulate
from rnnedge.spec import QuantizedModel
from rnnedge.targets.exported import MANIFEST, RUNTIME_FOLDER

__all__ = ["const_bytes", "export_c", "runtime_files", "scratch_size"]


def runtime_files() -> dict[str, bytes]:
    """Return the runtime that ships with every export, by path below rnnedge/."""
    firmware = resources.files("rnnedge.firmware")
    return {
        f"{folder}/{item.name}": item.read_bytes()
        for folder in ("include", "src")
        for item in sorted(firmware.joinpath(folder).iterdir(), key=lambda item: item.name)
        if item.name.endswith((".c", ".h"))
    }


def export_c(model: QuantizedModel, golden_x: I16) -> dict[str, bytes]:
    """Return every file of an exported folder but the TFLite model.

    Args:
        model: the quantised model.
        golden_x: int16 (windows, steps, channels), inputs of the golden vectors.
    """
    runtime = {f"{RUNTIME_FOLDER}/{path}": data for path, data in runtime_files().items()}
    golden_h, golden_c = golden(model, golden_x, simulate(model, golden_x))
    sources = [f"  {path}" for path in runtime if path.endswith(".c")]
    manifest = {
        "rnnedge": rnnedge.__version__,
        "name": model.name,
        "sha256": model_hash(model),
        "layers": [layer.kind for layer in model.layers],
        "const_bytes": const_bytes(model),
        "state_bytes": 2 * model.state_size,
        "scratch_bytes": 2 * scratch_size(model),
    }
    texts = {
        f"{model.name}.h": header(model),
        f"{model.name}.c": source(model),
        f"{model.name}_golden.h": golden_h,
        f"{model.name}_golden.c": golden_c,
        "selftest.c": _template("selftest.c.in", model),
        "CMakeLists.txt": _template("CMakeLists.txt.in", model).replace(
            "@RUNTIME@", "\n".join(sources)
        ),
        MANIFEST: json.dumps(manifest, indent=2) + "\n",
    }
    return {**{path: text.encode() for path, text in texts.items()}, **runtime}


def _template(name: str, model: QuantizedModel) -> str:
    text = resources.files("rnnedge.convert.c").joinpath(name).read_text()
    return (
        text.replace("@NAME@", model.name)
        .replace("@PREFIX@", model.name.upper())
        .replace("@VERSION@", rnnedge.__version__)
    )
