"""Arduino: library.properties and sketches; a zip that the IDE takes."""

import io
import zipfile
from collections.abc import Mapping

import rnnedge
from rnnedge.convert.packages.package import AUTHOR, Package, fill
from rnnedge.convert.packages.sensor import places

_MIDNIGHT = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644


def files(package: Package) -> dict[str, bytes]:
    """Return what an Arduino library has beside its sources."""
    sketches = [name.capitalize() for name in package.examples]
    return {
        "library.properties": _properties(package),
        **{
            f"examples/{name}/{name}.ino": fill(f"{name}.ino.in", package, **places(package))
            for name in sketches
        },
    }


def zipped(package: Package, content: Mapping[str, bytes]) -> bytes:
    """Return a library as a zip with one top folder; the same bytes for the same content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(content):
            entry = zipfile.ZipInfo(f"{package.library}/{path}", _MIDNIGHT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # whatever system writes it
            entry.external_attr = _MODE << 16
            archive.writestr(entry, content[path])
    return buffer.getvalue()


def _properties(package: Package) -> bytes:
    """Return library.properties.

    Libraries are archives (dot_a_linkage): of the runtime in several of them, one is linked.
    """
    fields = {
        "name": package.library,
        "version": rnnedge.__version__,
        "author": AUTHOR,
        "maintainer": AUTHOR,
        "sentence": package.sentence,
        "paragraph": package.paragraph,
        "category": "Data Processing",
        "url": package.url,
        "architectures": "*",
        "includes": f"{package.model.name}.h",
        "dot_a_linkage": "true",
    }
    return "".join(f"{key}={value}\n" for key, value in fields.items()).encode()
