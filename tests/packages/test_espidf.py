"""ESP-IDF: its component manager packs it; CMakeLists.txt registers a component that builds.

ESP-IDF itself is not here. Its `idf_component_register` is stood in for by the few lines of STUB,
and its headers by those of HEADERS, as far as the example calls them.
"""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.models import float_model, quantized
from tests.packages.helpers import GCC, content, run, write_package
from tests.packages.test_cmake import CMAKE

COMPOTE = Path(sys.executable).parent / "compote"

STUB = """cmake_minimum_required(VERSION 3.16)
project(stub C)
set(ESP_PLATFORM 1)
function(idf_component_register)
  cmake_parse_arguments(IDF "" "" "SRCS;INCLUDE_DIRS;REQUIRES;PRIV_REQUIRES" ${{ARGN}})
  if(IDF_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${{IDF_UNPARSED_ARGUMENTS}}")
  endif()
  get_filename_component(name ${{CMAKE_CURRENT_LIST_DIR}} NAME)
  add_library(component_${{name}} STATIC ${{IDF_SRCS}})
  target_include_directories(component_${{name}} PUBLIC ${{IDF_INCLUDE_DIRS}})
  target_compile_options(component_${{name}} PRIVATE -Wall -Wextra -Werror)
endfunction()
add_subdirectory({0} component)
"""
HEADERS = {
    "esp_timer.h": """#pragma once
#include <stdint.h>
#define ESP_ERROR_CHECK(x) do { if ((x) != 0) { return; } } while (0)
typedef int esp_err_t;
typedef void *esp_timer_handle_t;
typedef struct { void (*callback)(void *); void *arg; const char *name; } esp_timer_create_args_t;
esp_err_t esp_timer_create(const esp_timer_create_args_t *args, esp_timer_handle_t *out);
esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer, uint64_t period_us);
""",
    "freertos/FreeRTOS.h": """#pragma once
#include <stdint.h>
typedef uint32_t TickType_t;
typedef int BaseType_t;
#define pdFALSE 0
#define portMAX_DELAY 0xffffffffu
#define pdMS_TO_TICKS(ms) ((TickType_t)(ms) / 10)
""",
    "driver/uart.h": """#pragma once
#include <stddef.h>
#include <stdint.h>
#define ESP_ERROR_CHECK(x) do { if ((x) != 0) { return; } } while (0)
typedef enum { UART_NUM_0, UART_NUM_1 } uart_port_t;
typedef enum { UART_DATA_8_BITS = 3 } uart_word_length_t;
typedef enum { UART_PARITY_DISABLE } uart_parity_t;
typedef enum { UART_STOP_BITS_1 = 1 } uart_stop_bits_t;
typedef enum { UART_HW_FLOWCTRL_DISABLE } uart_hw_flowcontrol_t;
typedef enum { UART_SCLK_DEFAULT = 4 } uart_sclk_t;
typedef struct {
    int baud_rate;
    uart_word_length_t data_bits;
    uart_parity_t parity;
    uart_stop_bits_t stop_bits;
    uart_hw_flowcontrol_t flow_ctrl;
    uint8_t rx_flow_ctrl_thresh;
    uart_sclk_t source_clk;
} uart_config_t;
int uart_driver_install(uart_port_t n, int rx, int tx, int queue_size, void *queue, int flags);
int uart_param_config(uart_port_t n, const uart_config_t *config);
int uart_read_bytes(uart_port_t n, void *buffer, uint32_t length, uint32_t ticks);
int uart_write_bytes(uart_port_t n, const void *source, size_t size);
""",
    "esp_cpu.h": "#include <stdint.h>\nuint32_t esp_cpu_get_cycle_count(void);\n",
    "esp_log.h": "typedef enum { ESP_LOG_NONE } esp_log_level_t;\n"
    "void esp_log_level_set(const char *tag, esp_log_level_t level);\n",
    "esp_rom_sys.h": "#include <stdint.h>\nuint32_t esp_rom_get_cpu_ticks_per_us(void);\n",
    "freertos/task.h": """#pragma once
typedef struct task *TaskHandle_t;
TaskHandle_t xTaskGetCurrentTaskHandle(void);
void xTaskNotifyGive(TaskHandle_t task);
void vTaskDelay(TickType_t ticks);
uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks);
""",
}


@pytest.mark.parametrize("formats", [("esp-idf",), ("arduino", "esp-idf", "zephyr", "cmake")])
def test_compote_packs_it(tmp_path: Path, formats: tuple[str, ...]) -> None:
    package = write_package(tmp_path / "rnnedge_net", quantized(float_model(1)), formats)
    packed = tmp_path / "packed"
    words = ["component", "pack", "--name", "rnnedge_net", "--dest-dir", packed]
    run(COMPOTE, *words, cwd=package)
    (archive,) = packed.glob("*.tgz")
    assert archive.name == "rnnedge_net_0.1.0.tgz"
    with tarfile.open(archive) as content_of:
        names = {name.removeprefix("./") for name in content_of.getnames()}
    assert {
        "idf_component.yml",
        "CMakeLists.txt",
        "src/net_model.c",
        "LICENSE",
        "README.md",
    } <= names


def test_compote_refuses_a_damaged_manifest(tmp_path: Path) -> None:
    package = write_package(tmp_path / "rnnedge_net", quantized(float_model(1)), ("esp-idf",))
    manifest = package / "idf_component.yml"
    manifest.write_text(manifest.read_text().replace('version: "', 'version: "v'))
    words = [COMPOTE, "component", "pack", "--name", "rnnedge_net", "--dest-dir", tmp_path / "p"]
    done = subprocess.run(words, cwd=package, capture_output=True, text=True, check=False)
    assert done.returncode != 0


def test_the_manifest_has_what_an_upload_needs() -> None:
    files = content(quantized(float_model(1)), ("esp-idf",))
    manifest = yaml.safe_load(files["idf_component.yml"])
    assert set(manifest) == {"version", "description", "url", "license", "dependencies"}
    assert manifest["version"] == "0.1.0"
    assert manifest["license"] == "Apache-2.0"
    assert manifest["dependencies"] == {"idf": ">=5.0"}


@pytest.mark.parametrize("formats", [("esp-idf",), ("esp-idf", "cmake")])
def test_the_component_builds_under_a_stub_of_the_build_system(
    tmp_path: Path, formats: tuple[str, ...]
) -> None:
    """STUB's idf_component_register is a stand-in for ESP-IDF's: it makes a library of SRCS."""
    package = write_package(tmp_path / "rnnedge_net", quantized(float_model(1)), formats)
    (tmp_path / "CMakeLists.txt").write_text(STUB.format(package))
    run(CMAKE, "-S", tmp_path, "-B", tmp_path / "b")
    run(CMAKE, "--build", tmp_path / "b")
    (library,) = (tmp_path / "b").rglob("*.a")
    assert library.name == "libcomponent_rnnedge_net.a"
    symbols = run("nm", library)
    for symbol in ("net", "net_golden", "rnnedge_init", "rnnedge_selftest"):
        assert any(line.split()[-1:] == [symbol] for line in symbols.splitlines()), symbol


@pytest.mark.parametrize("counts", [None, (100,)])
def test_the_examples_compile_against_stubs_of_their_headers(
    tmp_path: Path, counts: tuple[float, ...] | None
) -> None:
    """HEADERS stand in for those of ESP-IDF 5, with what the examples call."""
    package = write_package(tmp_path / "p", quantized(float_model(1)), ("esp-idf",), counts)
    for name, text in HEADERS.items():
        (tmp_path / "stubs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "stubs" / name).write_text(text)
    flags = [flag for flag in GCC if flag != "-Wmissing-prototypes"]  # of app_main
    examples = sorted((package / "examples/esp_idf/main").glob("*.c"))
    assert [path.stem for path in examples] == ["serial", "stream", "verify"]
    for path in examples:
        run("gcc", *flags, "-fsyntax-only", f"-I{package}/src", f"-I{tmp_path}/stubs", path)


def test_the_project_takes_the_folder_as_a_component(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", quantized(float_model(1)), ("esp-idf",))
    project = package / "examples/esp_idf/CMakeLists.txt"
    (tmp_path / "tools/cmake").mkdir(parents=True)
    (tmp_path / "tools/cmake/project.cmake").write_text(
        "foreach(folder ${EXTRA_COMPONENT_DIRS})\n"
        "  if(NOT EXISTS ${folder}/idf_component.yml)\n"
        '    message(FATAL_ERROR "${folder}")\n'
        "  endif()\nendforeach()\n"
    )
    environment = {"IDF_PATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    run(CMAKE, "-S", project.parent, "-B", tmp_path / "b", env=environment)


@pytest.mark.parametrize("example", ["", "verify", "stream", "serial"])
def test_one_of_three_examples_is_built(tmp_path: Path, example: str) -> None:
    """Without a choice serial: the firmware that rnnedge flash builds for the esp32."""
    package = write_package(tmp_path / "p", quantized(float_model(1)), ("esp-idf",))
    main = package / "examples/esp_idf/main"
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(stub NONE)\n"
        'function(idf_component_register)\n  message(STATUS "registered ${ARGN}")\n'
        f"endfunction()\nadd_subdirectory({main} main)\n"
    )
    chosen = [f"-DEXAMPLE={example}"] if example else []
    said = run(CMAKE, "-S", tmp_path, "-B", tmp_path / "b", *chosen)
    name = f"{example or 'serial'}.c"
    assert f"registered SRCS;{name};INCLUDE_DIRS;." in said and (main / name).is_file()
