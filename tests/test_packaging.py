"""The wheel, the checkers' view of the tree, and the traps of four folders under one name."""

import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

MAPPING = {top: f"rnnedge/{top}" for top in ("data", "train", "convert", "firmware")}


def tracked() -> list[str]:
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line for line in done.stdout.splitlines() if (ROOT / line).exists()]


def installed_path(path: str) -> str | None:
    """Where a file of the repository lies in the wheel; None: it does not ship."""
    top, _, rest = path.partition("/")
    if not rest or top not in {"rnnedge", *MAPPING}:
        return None
    return f"{MAPPING.get(top, top)}/{rest}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the tree, so that no build folder is left in it."""
    copy = tmp_path_factory.mktemp("tree")
    for path in tracked():
        if not path.startswith("tests/"):
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            (copy / path).write_bytes((ROOT / path).read_bytes())
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", out, copy], check=True, capture_output=True)
    (found,) = out.glob("*.whl")
    return found


def test_the_wheel_carries_every_file_that_ships(wheel: Path) -> None:
    expected = {path for path in map(installed_path, tracked()) if path}
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == expected
    assert {"rnnedge/firmware/src/gru.c", "rnnedge/train/fit.py"} <= packed


def test_the_wheel_works_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    """Installed beside the dependencies but without the checkout, in a folder with traps."""
    environment = tmp_path / "env"
    venv.create(environment, with_pip=False)
    (site,) = environment.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # the dependencies of the running interpreter, behind the wheel, without its editable finder
    running = next(path for path in sys.path if path.endswith("site-packages"))
    (tmp_path / "train.py").write_text("raise SystemExit('the wrong train')")
    program = (
        f"import sys; sys.path.append({running!r})\n"
        "import rnnedge, rnnedge.train.fit, rnnedge.convert.build\n"
        "from rnnedge.convert.c import runtime_files\n"
        "assert 'src/gru.c' in runtime_files(), runtime_files().keys()\n"
        "assert 'tensorflow' not in sys.modules\n"
        f"assert rnnedge.__file__.startswith({str(site)!r}), rnnedge.__file__\n"
        "from rnnedge.cli import main; main(['--version'])\n"
    )
    done = subprocess.run(
        [environment / "bin" / "python", "-c", program],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rnnedge, version")


def test_all_dependencies_have_lower_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [item for items in project["optional-dependencies"].values() for item in items]
    for requirement in [*project["dependencies"], *extras]:
        assert ">=" in requirement or "==" in requirement, requirement


def test_the_package_list_names_every_folder_with_python() -> None:
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {
        str(Path(path).parent)
        for path in map(installed_path, tracked())
        if path and path.endswith("__init__.py")
    }
    assert {package.replace(".", "/") for package in setup["packages"]} == folders


def test_type_checkers_see_every_module() -> None:
    """The checker follows tests/typings; a module that it does not see is never checked."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "-v"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    seen = {word.strip("(),'") for word in done.stderr.split() if "/" in word}
    for path in tracked():
        if path.endswith(".py") and installed_path(path) and not path.startswith("firmware/"):
            shown = path if path.startswith("rnnedge/") else f"tests/typings/rnnedge/{path}"
            assert any(word.endswith(shown) for word in seen), f"mypy does not see {path}"


def test_coverage_counts_every_folder() -> None:
    coverage = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["run"]
    tops = {path.split("/")[0] for path in tracked() if installed_path(path)}
    assert set(coverage["source"]) == tops - {"firmware"}


def test_no_module_is_imported_under_a_second_name() -> None:
    for name in MAPPING:
        module = sys.modules.get(name)
        assert module is None or not str(getattr(module, "__file__", "")).startswith(str(ROOT))


@pytest.mark.parametrize("start", ["--help", "simulate --help", "export --help", "train --help"])
def test_help_answers_without_tensorflow(start: str) -> None:
    program = (
        "import sys\nfrom rnnedge.cli import main\n"
        f"try: main({start.split()!r})\nexcept SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'tflite_micro'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_the_parts_import_in_the_direction_of_the_data_only() -> None:
    for top, other in (
        ("data", "train"), ("data", "convert"), ("train", "convert"), ("convert", "train"),
    ):  # fmt: skip
        for path in tracked():
            if path.startswith(f"{top}/") and path.endswith(".py"):
                assert f"rnnedge.{other}" not in (ROOT / path).read_text(), path


def test_firmware_includes_nothing_but_standard_headers() -> None:
    for path in tracked():
        if path.startswith(("firmware/src", "firmware/include")):
            for line in (ROOT / path).read_text().splitlines():
                if line.startswith("#include <"):
                    assert line in ("#include <stdint.h>", "#include <stddef.h>"), (path, line)


def test_floats_are_in_files_of_their_own() -> None:
    """What an integer firmware does not call brings no float with it, also without sections."""
    found = set()
    for path in tracked():
        if path.startswith("firmware/src/") and path.endswith(".c"):
            code = [line.split("//")[0] for line in (ROOT / path).read_text().splitlines()]
            if any("float" in line or "double" in line for line in code):
                found.add(Path(path).name)
    bits = {"task.c"}  # takes an id's float as bits
    golden = {"selftest.c", "first_features.c", "first_encoded.c"}
    assert found == {"input.c", "step.c", "start.c", "encode.c", "value.c"} | golden | bits
