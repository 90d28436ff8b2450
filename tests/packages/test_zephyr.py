"""Zephyr: module.yml, Kconfig and CMakeLists.txt keep its rules; the module builds.

Zephyr itself is not here. Its zephyr_library commands are stood in for by the few lines of STUB,
as its documentation describes them (all libraries are linked whole), and its headers by those of
HEADERS, as far as the example calls them. Kconfig is read by kconfiglib, as Zephyr does.
"""

import subprocess
from pathlib import Path

import kconfiglib
import pytest
import yaml

from rnnedge.spec import QuantizedModel
from tests.models import float_model, quantized
from tests.packages.helpers import GCC, content, run, write_package
from tests.packages.test_cmake import CMAKE, TWO

STUB = """cmake_minimum_required(VERSION 3.20)
project(stub C)
add_library(zephyr_interface INTERFACE)
set_property(GLOBAL PROPERTY LIBRARIES "")
macro(zephyr_library_named name)
  set(ZEPHYR_CURRENT_LIBRARY ${name})
  add_library(${name} STATIC)
  target_link_libraries(${name} PUBLIC zephyr_interface)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Werror)
  set_property(GLOBAL APPEND PROPERTY LIBRARIES ${name})
endmacro()
function(zephyr_library_sources)
  target_sources(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGN})
endfunction()
function(zephyr_include_directories)
  target_include_directories(zephyr_interface INTERFACE ${ARGN})
endfunction()
foreach(module ${MODULES})
  get_filename_component(name ${module} NAME)
  add_subdirectory(${module}/zephyr ${name})
endforeach()
get_property(libraries GLOBAL PROPERTY LIBRARIES)
add_executable(app main.c)
target_link_libraries(app -Wl,--whole-archive ${libraries} -Wl,--no-whole-archive zephyr_interface)
"""
HEADERS = {
    "zephyr/kernel.h": """#pragma once
#include <stdint.h>
#include <stddef.h>
struct k_timer { int unused; };
typedef struct { int64_t ticks; } k_timeout_t;
#define K_TIMER_DEFINE(name, expiry, stop) struct k_timer name
#define K_USEC(us) ((k_timeout_t){us})
uint32_t k_cycle_get_32(void);
int sys_clock_hw_cycles_per_sec(void);
int32_t k_msleep(int32_t ms);
void k_timer_start(struct k_timer *timer, k_timeout_t duration, k_timeout_t period);
uint32_t k_timer_status_sync(struct k_timer *timer);
""",
    "zephyr/device.h": """#pragma once
struct device { const char *name; };
extern const struct device the_console;
#define DT_CHOSEN(name) name
#define DEVICE_DT_GET(node) (&the_console)
""",
    "zephyr/drivers/uart.h": """#pragma once
int uart_poll_in(const struct device *dev, unsigned char *p_char);
void uart_poll_out(const struct device *dev, unsigned char out_char);
""",
    "zephyr/sys/printk.h": "void printk(const char *format, ...);\n",
}


def module(folder: Path, model: QuantizedModel) -> Path:
    return write_package(folder / f"rnnedge_{model.name}", model, ("zephyr",))


def configure(tmp_path: Path, main: str, modules: list[Path], *options: str) -> None:
    (tmp_path / "CMakeLists.txt").write_text(STUB)
    (tmp_path / "main.c").write_text(main)
    paths = ";".join(map(str, modules))
    run(CMAKE, "-S", tmp_path, "-B", tmp_path / "b", f"-DMODULES={paths}", *options)


def test_module_yml_names_what_is_there() -> None:
    files = content(quantized(float_model(1)), ("zephyr",))
    described = yaml.safe_load(files["zephyr/module.yml"])
    assert described["name"] == "rnnedge_net"
    assert set(described) == {"name", "build"}
    assert f"{described['build']['cmake']}/CMakeLists.txt" in files
    assert described["build"]["kconfig"] in files


def test_kconfig_of_two_modules_is_read_and_indented_with_tabs(tmp_path: Path) -> None:
    one = module(tmp_path, quantized(float_model(1)))
    two = module(tmp_path, quantized(float_model(2), name="other"))
    text = (one / "zephyr/Kconfig").read_text()
    assert not any(line.startswith(" ") for line in text.splitlines())
    sources = "".join(f'source "{folder}/zephyr/Kconfig"\n' for folder in (one, two))
    (tmp_path / "Kconfig").write_text(f'mainmenu "application"\n{sources}')
    (tmp_path / "prj.conf").write_bytes((one / "examples/zephyr/prj.conf").read_bytes())
    read = kconfiglib.Kconfig(str(tmp_path / "Kconfig"), warn_to_stderr=False)
    read.load_config(str(tmp_path / "prj.conf"))
    assert not read.warnings
    assert read.syms["RNNEDGE_NET"].str_value == "y"
    assert read.syms["RNNEDGE_OTHER"].str_value == "n"


def test_two_modules_build_one_runtime_under_a_stub(tmp_path: Path) -> None:
    """STUB stands in for zephyr_library: linked whole, a second runtime would not link."""
    one = module(tmp_path, quantized(float_model(1)))
    two = module(tmp_path, quantized(float_model(2, cells=("lstm",)), name="other"))
    options = ["-DCONFIG_RNNEDGE_NET=y", "-DCONFIG_RNNEDGE_OTHER=y"]
    configure(tmp_path, TWO, [one, two], *options)
    run(CMAKE, "--build", tmp_path / "b")
    run(tmp_path / "b" / "app")


def test_a_module_that_is_not_chosen_adds_nothing(tmp_path: Path) -> None:
    one = module(tmp_path, quantized(float_model(1)))
    configure(tmp_path, "int main(void) { return 0; }\n", [one])
    run(CMAKE, "--build", tmp_path / "b")
    assert not list((tmp_path / "b").rglob("*.a"))


def test_modules_of_different_runtimes_are_told_apart(tmp_path: Path) -> None:
    one = module(tmp_path, quantized(float_model(1)))
    two = module(tmp_path, quantized(float_model(2), name="other"))
    lists = two / "zephyr/CMakeLists.txt"
    lists.write_text(lists.read_text().replace('STREQUAL "', 'STREQUAL "0'))
    (tmp_path / "CMakeLists.txt").write_text(STUB)
    (tmp_path / "main.c").touch()
    words = ["-DCONFIG_RNNEDGE_NET=y", "-DCONFIG_RNNEDGE_OTHER=y", f"-DMODULES={one};{two}"]
    command = [CMAKE, "-S", tmp_path, "-B", tmp_path / "b", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "run rnnedge export again for both" in " ".join(done.stderr.split())


@pytest.mark.parametrize("counts", [None, (100,)])
def test_the_examples_compile_against_stubs_of_their_headers(
    tmp_path: Path, counts: tuple[float, ...] | None
) -> None:
    """HEADERS stand in for Zephyr's, with what the examples call."""
    package = write_package(tmp_path / "p", quantized(float_model(1)), ("zephyr",), counts)
    for name, text in HEADERS.items():
        (tmp_path / "stubs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "stubs" / name).write_text(text)
    examples = sorted((package / "examples/zephyr/src").glob("*.c"))
    assert [path.stem for path in examples] == ["serial", "stream", "verify"]
    for path in examples:
        run("gcc", *GCC, "-fsyntax-only", f"-I{package}/src", f"-I{tmp_path}/stubs", path)
