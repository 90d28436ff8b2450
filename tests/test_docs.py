"""Examples in documentation are run: docstrings, the header, the README."""

import ctypes
import doctest
import importlib
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.runs import make_export, make_run
from tests.test_packaging import installed_path, tracked

MODULES = sorted(
    path.removesuffix(".py").replace("/", ".")
    for path in map(installed_path, tracked())
    if path and path.endswith(".py") and not path.endswith(("__init__.py", "__main__.py"))
)
HEADER = (ROOT / "firmware" / "include" / "rnnedge.h").read_text()
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_some_docstrings_have_examples() -> None:
    shipped = [path for path in tracked() if installed_path(path) and path.endswith(".py")]
    assert sum(">>> " in (ROOT / path).read_text() for path in shipped) >= 4


def compile_c(tmp_path: Path, text: str, name: str) -> None:
    exported = make_export(tmp_path / "export", make_run(tmp_path / "run", name=name))
    (tmp_path / "main.c").write_text(text)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    includes = [f"-I{folder}" for folder in exported.include_dirs]
    sources = [*exported.runtime_sources, exported.model_source]
    command = ["cc", *flags, *includes, tmp_path / "main.c", *sources, "-o", tmp_path / "main"]
    subprocess.run(command, check=True)


def test_the_ten_lines_of_the_header_compile(tmp_path: Path) -> None:
    block = re.search(r"ten lines use it:\n \*\n(.*?)\n \*\n", HEADER, re.DOTALL)
    assert block
    lines = [line.removeprefix(" *     ") for line in block[1].splitlines()]
    assert len(lines) == 10
    around = [
        "void read_sensor(float raw[]);",
        "void use(int16_t label, uint16_t probability);",
        "void read_sensor(float raw[]) { raw[0] = 0; }",
        "void use(int16_t label, uint16_t probability) { (void)label; (void)probability; }",
        "int main(void) { float raw[MOTOR_INPUTS] = {0};",
    ]
    compile_c(tmp_path, "\n".join([*lines[:3], *around, *lines[3:], "}\n"]), "motor")


def test_c_in_the_readme_compiles_also_as_cpp_and_gives_a_result_a_window(tmp_path: Path) -> None:
    (block,) = re.findall(r"```c\n(.*?)```", README, re.DOTALL)
    around = """
static int results, named;
void on_result(const char *name) {
    results++;
    named += name[0] != 0;
}
int main(void) {
    const float raw[MOTOR_INPUTS] = {0};
    start();
    for (int i = 0; i < 3 * MOTOR_WINDOW; i++) {
        on_sample(raw);
    }
    return results == 3 && named == 3 ? 0 : 1;
}
"""
    compile_c(tmp_path, block + around, "motor")
    assert subprocess.run([tmp_path / "main"], check=False).returncode == 0
    cpp = ["-x", "c++", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", tmp_path / "main.c"]
    for compiler in (["g++", "-std=c++11"], ["avr-g++", "-std=gnu++11", "-mmcu=atmega328p"]):
        subprocess.run([*compiler, f"-I{tmp_path / 'export/src'}", *cpp], check=True)


def test_commands_in_the_readme_exist() -> None:
    """Every command and option that the README names is one of the command line's."""
    from rnnedge.cli import main

    for line in re.findall(r"^\s*\$? ?rnnedge (.+)$", README, re.MULTILINE):
        words = line.split()
        command = main.commands[words[0]]
        options = {
            name for param in command.params for name in (*param.opts, *param.secondary_opts)
        }
        for word in words[1:]:
            if word.startswith("--"):
                assert word.split("=")[0] in options, line
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in re.findall(r"make ([a-z]+)", README):
        assert target in targets, target


def test_the_header_declares_just_what_the_runtime_defines(library: ctypes.CDLL) -> None:
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", library._name], capture_output=True, text=True, check=True
    )
    defined = {line.split()[2] for line in symbols.stdout.splitlines() if " T " in line}
    code = re.sub(r"//[^\n]*|/\*.*?\*/", "", HEADER, flags=re.DOTALL)
    types = set(re.findall(r"typedef [^;]*?\b(rnnedge_\w+_fn)\(", code))
    declared = set(re.findall(r"\b(rnnedge_\w+)\(", code)) - types
    declared |= set(re.findall(r"rnnedge_\w+_fn (rnnedge_\w+);", code))
    internal = {
        *("rnnedge_dense_all", "rnnedge_quantize_channels", "rnnedge_quantize_counts"),
        *("rnnedge_advance", "rnnedge_sample", "rnnedge_last_scores", "rnnedge_period"),
        *("rnnedge_check_rules", "rnnedge_check_layers", "rnnedge_forget", "rnnedge_move"),
        *("rnnedge_crc32", "rnnedge_crc_values", "rnnedge_start_state"),
    }
    assert declared - internal == {n for n in defined if n.startswith("rnnedge_")} - internal
    assert len(declared) > 8
