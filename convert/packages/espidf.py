"""ESP-IDF: the component's manifest and a project of examples; cmake.py has CMakeLists.txt."""

from rnnedge.convert.packages.package import LICENSE, Package, fill
from rnnedge.convert.packages.sensor import places


def files(package: Package) -> dict[str, bytes]:
    """Return what an ESP-IDF component has beside its sources and CMakeLists.txt."""
    return {
        "idf_component.yml": fill(
            "idf_component.yml.in", package, LICENSE=LICENSE, URL=package.url
        ),
        "examples/esp_idf/CMakeLists.txt": fill("idf_project.txt.in", package),
        "examples/esp_idf/main/CMakeLists.txt": fill("idf_main.txt.in", package),
        **{
            f"examples/esp_idf/main/{name}.c": fill(f"idf_{name}.c.in", package, **places(package))
            for name in package.examples
        },
    }
