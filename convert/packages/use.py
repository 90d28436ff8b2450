"""How a package is used, for each ecosystem: sections of README.md."""

from collections.abc import Callable

from rnnedge.convert.packages.firmware import firmware_boards
from rnnedge.convert.packages.package import Package

_EXAMPLE_OF = {"stream": "a sensor", "generate": "a sequence"}


def _example(package: Package) -> str:
    name = package.examples[1]
    return f"{name.capitalize()} {'makes a sequence' if name == 'generate' else 'reads a sensor'}"


def _arduino(package: Package) -> str:
    return f"""### Arduino

Sketch > Include Library > Add .ZIP Library takes the zip beside this folder; or put the folder into
`libraries/` as `{package.library}`. File > Examples > {package.library}: Verify runs the golden
vectors and says PASS or FAIL, {_example(package)}, Serial answers `rnnedge verify --board`.
Upload flashes it. Without the IDE, in this folder:

    arduino-cli compile --fqbn arduino:avr:uno --library . examples/Verify

and for `arduino-builder`, put it into `libraries/` and say `-libraries libraries`."""


def _platformio(package: Package) -> str:
    return f"""### PlatformIO

    lib_deps = {package.library}=symlink://path/to/this/folder

or put the folder into `lib/`. `pio run -t upload` flashes your program."""


def _espidf(package: Package) -> str:
    return f"""### ESP-IDF

`examples/esp_idf` is a project around this component ({package.library}). Its EXAMPLE is `verify`
(the golden vectors: PASS or FAIL), `{package.examples[1]}`
({_EXAMPLE_OF[package.examples[1]]}) or `serial` (answers `rnnedge verify`):

    idf.py -C examples/esp_idf set-target esp32
    idf.py -C examples/esp_idf -DEXAMPLE=verify build flash monitor"""


def _zephyr(package: Package) -> str:
    return f"""### Zephyr

In your application: `-DEXTRA_ZEPHYR_MODULES=<this folder>` and
`CONFIG_RNNEDGE_{package.model.name.upper()}=y`. `examples/zephyr` is one, with EXAMPLE as `verify`
(the golden vectors: PASS or FAIL), `{package.examples[1]}`
({_EXAMPLE_OF[package.examples[1]]}) or `serial` (answers `rnnedge verify`):

    west build -b <board> examples/zephyr -- -DEXAMPLE=verify && west flash"""


def _cmake(package: Package) -> str:
    return f"""### CMake, or any C compiler

    cmake -S . -B build && cmake --build build && ctest --test-dir build

In your project `add_subdirectory(<this folder>)` and link `{package.library}`. Without CMake: add
`src/{package.model.name}_model.c`, `src/rnnedge/*/*.c` and `-I src` to your build.

`extras/firmware` builds a whole firmware for a board, which answers `rnnedge verify --board`:

    cmake -S extras/firmware -B build -DBOARD=microbit && cmake --build build

Boards: {", ".join(board.name for board in firmware_boards())}."""


USE: dict[str, Callable[[Package], str]] = {
    "arduino": _arduino,
    "platformio": _platformio,
    "esp-idf": _espidf,
    "zephyr": _zephyr,
    "cmake": _cmake,
}
"""What each format adds, by its name."""
