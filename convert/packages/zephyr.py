"""Zephyr: a module and an application of examples."""

from rnnedge.convert.packages.package import Package, fill
from rnnedge.convert.packages.sensor import places


def files(package: Package) -> dict[str, bytes]:
    """Return what a Zephyr module has beside its sources."""
    sources = "\n".join(
        f"      ${{rnnedge_src}}/{path.removeprefix('src/')}" for path in package.sources
    )
    return {
        "zephyr/module.yml": fill("module.yml.in", package),
        "zephyr/Kconfig": fill("Kconfig.in", package),
        "zephyr/CMakeLists.txt": fill(
            "zephyr.txt.in", package, RUNTIME=sources, RUNTIME_HASH=package.runtime_hash
        ),
        "examples/zephyr/CMakeLists.txt": fill("zephyr_app.txt.in", package),
        "examples/zephyr/prj.conf": fill("prj.conf.in", package),
        **{
            f"examples/zephyr/src/{name}.c": fill(f"zephyr_{name}.c.in", package, **places(package))
            for name in package.examples
        },
    }
