"""CMakeLists.txt for ESP-IDF and for every other project, and examples in plain C."""

from rnnedge.convert.packages.package import Package, fill
from rnnedge.convert.packages.sensor import places

_PLAIN = """#
#   cmake -S . -B build && cmake --build build && ctest --test-dir build
#
# As a part of a firmware: add_subdirectory(this folder), link {library}. It needs neither Python
# nor network."""
_IDF = """#
# As a component of ESP-IDF: put this folder into components/, or into EXTRA_COMPONENT_DIRS."""


def files(package: Package) -> dict[str, bytes]:
    """Return examples in plain C."""
    name = package.examples[1]
    return {
        "examples/c/selftest.c": fill("selftest.c.in", package),
        f"examples/c/{name}.c": fill(f"{name}.c.in", package, **places(package)),
    }


def lists(package: Package, *, plain: bool, idf: bool) -> bytes:
    """Return CMakeLists.txt.

    Args:
        package: what is built.
        plain: for projects of CMake; the examples in plain C are there.
        idf: for ESP-IDF.
    """
    how = [_PLAIN.format(library=package.library)] * plain + [_IDF] * idf
    as_component = fill("cmake_idf.txt.in", package).decode()
    as_target = fill("cmake_plain.txt.in", package, RUNTIME_HASH=package.runtime_hash).decode()
    if plain and idf:
        as_component = f"if(ESP_PLATFORM)\n{as_component}  return()\nendif()\n\n"
    elif idf:
        as_component = "\n".join(line.removeprefix("  ") for line in as_component.split("\n"))
    return fill(
        "CMakeLists.txt.in",
        package,
        HOW="\n".join(how),
        RUNTIME="\n".join(f"  {path}" for path in package.sources),
        BODY=("\n" + as_component * idf + as_target * plain).rstrip("\n"),
    )
