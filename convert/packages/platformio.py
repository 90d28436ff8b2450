"""PlatformIO: library.json."""

import json

import rnnedge
from rnnedge.convert.packages.package import AUTHOR, LICENSE, Package


def files(package: Package) -> dict[str, bytes]:
    """Return what a PlatformIO library has beside its sources."""
    manifest = {
        "name": package.library,
        "version": rnnedge.__version__,
        "description": f"{package.sentence} {package.paragraph}",
        "keywords": ["rnn", "neural network", "int8", "classification", "sensor"],
        "license": LICENSE,
        "authors": [{"name": AUTHOR}],
        "frameworks": "*",
        "platforms": "*",
        "headers": [f"{package.model.name}.h"],
        "build": {"srcDir": "src", "includeDir": "src", "libArchive": True},
        "export": {"exclude": ["extras", "rnnedge.json"]},
    }
    return {"library.json": (json.dumps(manifest, indent=2) + "\n").encode()}
