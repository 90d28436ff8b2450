"""An export replaces what the last one wrote, and never loses a file of the user's."""

import json
from pathlib import Path

import pytest

from rnnedge import api
from rnnedge.api.opened import Document
from rnnedge.errors import OutputError
from tests.cli import rnnedge
from tests.packages.test_command import QUIET, files_of
from tests.runs import make_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of random weights: wand and gate."""
    folder = tmp_path_factory.mktemp("runs")
    for seed, name in enumerate(("wand", "gate")):
        make_run(folder / name, name=name, seed=seed, windows=4)
    return folder


def export(run: Path, out: Path, form: str = "arduino", *, force: bool = False) -> Document:
    wanted = api.Wanted(format=form, measure=("none",), tflite=api.WantedTflite(form="none"))
    return api.export(run, out, wanted, force=force)


@pytest.mark.parametrize(
    "name", ["README.md", "LICENSE", "src/wand.h", "rnnedge.json", "examples/Stream/Stream.ino"]
)
def test_a_file_of_the_users_is_not_lost(runs: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "e"
    (out / name).parent.mkdir(parents=True)
    (out / name).write_text("mine")
    with pytest.raises(OutputError, match=f"{name}.*--force .*--out"):
        export(runs / "wand", out)
    assert files_of(tmp_path) == {f"e/{name}": b"mine"}
    assert export(runs / "wand", out, force=True)["kept"] == []
    assert (out / name).read_text() != "mine"
    export(runs / "gate", out)  # now it is the export's own


def test_a_zip_of_the_users_is_not_lost(runs: Path, tmp_path: Path) -> None:
    out, zipped = tmp_path / "e", tmp_path / "e.zip"
    zipped.write_text("mine")
    with pytest.raises(OutputError, match=r"e\.zip.*--force"):
        export(runs / "wand", out)
    assert files_of(tmp_path) == {"e.zip": b"mine"}
    export(runs / "wand", out, force=True)
    assert zipped.read_bytes()[:2] == b"PK"


def test_a_changed_file_is_refused_and_the_command_says_so(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "e"
    export(runs / "wand", out, "cmake")
    names = ["CMakeLists.txt", "LICENSE", "README.md", "src/wand.h"]
    for name in names:
        (out / name).write_text("mine")
    before = files_of(tmp_path)
    command = ("export", runs / "wand", "--out", out, "--format", "cmake", *QUIET)
    rnnedge(*command).refused("and 1 more", "changed since", "--force", "--out")
    assert files_of(tmp_path) == before
    assert rnnedge(*command, "--force").code == 0
    assert not any((out / name).read_text() == "mine" for name in names)


def test_a_filled_in_example_stays_through_every_export(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "e"
    name = "examples/Stream/Stream.ino"
    export(runs / "wand", out, "all")
    (out / name).write_text("// my sensor")
    command = ("export", runs / "wand", "--out", out, "--format", "arduino", *QUIET)
    assert rnnedge(*command).err.startswith(f"{name}: kept, because it was changed")
    # also through one that has no such file
    for form in ("cmake", "cmake", "arduino", "all"):
        assert export(runs / "wand", out, form)["kept"] == [name], form
        assert (out / name).read_text() == "// my sensor"
    assert export(runs / "wand", out, force=True)["kept"] == []
    assert "rnnedge_step" in (out / name).read_text()


def test_a_link_in_the_folder_is_the_users(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "e"
    export(runs / "wand", out, "cmake")
    (out / "README.md").rename(tmp_path / "README.md")
    (out / "README.md").symlink_to(tmp_path / "README.md")
    with pytest.raises(OutputError, match=r"README\.md"):
        export(runs / "wand", out, "cmake")
    (out / "README.md").unlink()
    (out / "src").rename(tmp_path / "src")
    (out / "src").symlink_to(tmp_path / "src")
    before = files_of(tmp_path)
    with pytest.raises(OutputError, match="link"):
        export(runs / "gate", out, "cmake", force=True)
    assert files_of(tmp_path) == before


def test_the_zip_of_another_model_goes_unless_it_was_changed(runs: Path, tmp_path: Path) -> None:
    out, zipped = tmp_path / "e", tmp_path / "e.zip"
    export(runs / "wand", out)
    assert export(runs / "gate", out, "cmake")["kept"] == []
    assert not zipped.exists()
    export(runs / "wand", out)
    zipped.write_text("mine")
    for _ in range(2):
        assert export(runs / "gate", out, "cmake")["kept"] == [str(zipped)]
    assert zipped.read_text() == "mine"
    # of a copy of the folder it is nobody's
    export(runs / "wand", tmp_path / "f")
    (tmp_path / "f").rename(tmp_path / "g")
    export(runs / "gate", tmp_path / "g", "cmake")
    assert (tmp_path / "f.zip").exists()


@pytest.mark.parametrize("name", ["a\0b", "n" * 5000, "", ".", "..", "src", "\ud800", "a/" * 3000])
def test_a_name_in_the_manifest_that_is_none_is_ignored(
    runs: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "e"
    export(runs / "wand", out, "cmake")
    path = out / "rnnedge.json"
    manifest = json.loads(path.read_text())
    for key in ("files", "kept"):
        path.write_text(json.dumps(manifest | {key: manifest["files"] | {name: "x"}}))
        export(runs / "gate", out, "cmake")
    assert (out / "src/gate.h").exists()


def test_the_same_file_by_another_name_is_not_removed(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "e"
    export(runs / "wand", out, "cmake")
    path = out / "rnnedge.json"
    manifest = json.loads(path.read_text())
    manifest["files"]["src/../LICENSE"] = manifest["files"]["LICENSE"]
    path.write_text(json.dumps(manifest))
    export(runs / "wand", out, "cmake")
    assert (out / "LICENSE").exists()


@pytest.mark.parametrize("name", ["README.md", "examples/c/stream.c"])
def test_a_folder_in_the_way_is_named_and_nothing_changes(
    runs: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "e"
    export(runs / "wand", out)
    (out / name).unlink(missing_ok=True)
    (out / name).mkdir(parents=True)
    (out / name / "x").write_text("mine")
    before = files_of(tmp_path)
    with pytest.raises(OutputError, match=f"{name}: is a folder"):
        export(runs / "gate", out, "all", force=True)
    assert files_of(tmp_path) == before


@pytest.mark.parametrize(
    ("run", "out"), [("e", "e"), ("r", "r/e"), ("e/r", "e"), ("r", "r/../r/e"), ("e.zip", "e")]
)
def test_a_run_and_an_export_in_each_other_are_refused_first(
    tmp_path: Path, run: str, out: str
) -> None:
    """Before the model is read, which is not there."""
    with pytest.raises(OutputError, match="--run"):
        api.export_keras(
            tmp_path / "no.keras", [], tmp_path / out, keep_run=tmp_path / run, name="x"
        )
    assert not list(tmp_path.iterdir())
