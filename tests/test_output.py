"""Folders and files appear whole or not at all, and nothing of somebody else's is lost."""

import resource
from pathlib import Path

import pytest

from rnnedge.errors import OutputError
from rnnedge.output import exchange_files, new_folder, write_file, write_files


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_new_folder_appears_only_in_the_end(tmp_path: Path) -> None:
    with new_folder(tmp_path / "a" / "run") as work:
        (work / "x").write_text("1")
        assert not (tmp_path / "a" / "run").exists()
    assert names(tmp_path) == ["a", "a/run", "a/run/x"]


def test_a_failure_leaves_neither_folder_nor_new_parents(tmp_path: Path) -> None:
    with pytest.raises(KeyError), new_folder(tmp_path / "a" / "b" / "run") as work:
        (work / "x").write_text("1")
        raise KeyError
    assert names(tmp_path) == []


def test_an_empty_folder_is_filled_in_place(tmp_path: Path) -> None:
    """It may be a mount point, which can be neither renamed nor replaced."""
    run = tmp_path / "run"
    run.mkdir()
    inode = run.stat().st_ino
    with new_folder(run) as work:
        assert work.parent == run
        (work / "x").write_text("1")
        (work / "deep").mkdir()
    assert names(run) == ["deep", "x"]
    assert run.stat().st_ino == inode


def test_what_others_write_in_the_meantime_is_kept(tmp_path: Path) -> None:
    for made_before in (False, True):
        run = tmp_path / f"run{made_before}"
        if made_before:
            run.mkdir()
        with pytest.raises(OutputError, match="run"), new_folder(run) as work:
            (work / "x").write_text("1")
            run.mkdir(exist_ok=True)
            (run / "precious").write_text("mine")
        assert names(run) == ["precious"]


def test_only_a_folder_with_the_marker_is_replaced(tmp_path: Path) -> None:
    run = tmp_path / "run"
    write_files(run, {"run.json": b"old", "extra/x": b"old"})
    with pytest.raises(OutputError, match="--force"), new_folder(run, marker="run.json"):
        pass
    with new_folder(run, replace=True, marker="run.json") as work:
        (work / "run.json").write_text("new")
    assert names(run) == ["run.json"]
    write_files(tmp_path / "other", {"notes": b"mine"})
    other = new_folder(tmp_path / "other", replace=True, marker="run.json")
    with pytest.raises(OutputError, match="not empty"), other:
        pass


def test_a_loop_of_links_and_a_file_in_the_way_are_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").touch()
    for path in (tmp_path / "loop", tmp_path / "file" / "x"):
        with pytest.raises(OutputError):
            write_files(path, {"a": b""})
    with pytest.raises(OutputError, match="is a folder"):
        write_file(tmp_path, b"")


def test_a_write_that_the_system_refuses_leaves_the_old_files(tmp_path: Path) -> None:
    """A limit on the size of files, as any user may set it, stands in for a full disk."""
    write_files(tmp_path / "e", {"a": b"old"})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(OutputError, match=r"cannot be written \(File too large\)"):
            write_files(tmp_path / "e", {"a": b"new", "b": b"x" * 2_000_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == ["e", "e/a"]
    assert (tmp_path / "e" / "a").read_text() == "old"


@pytest.mark.parametrize("error", [OSError(13, "Permission denied"), KeyboardInterrupt()])
def test_an_error_in_the_middle_of_the_moves_brings_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Whichever move it is that fails, or is interrupted."""
    folder = tmp_path / "e"
    write_files(folder, {"a": b"old", "b/c": b"old", "d": b"old"})
    (tmp_path / "z").write_text("old")
    new = {folder / "a": b"new", folder / "n" / "m": b"new", tmp_path / "z": b"new"}
    plain, left = Path.rename, 0

    def rename(self: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if left == 0:
            raise error
        return plain(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    for number in range(1, 7):  # three old files aside, three new ones in
        left = number
        with pytest.raises((OutputError, KeyboardInterrupt)):
            exchange_files(folder, new, [folder / "b" / "c"])
        assert names(tmp_path) == ["e", "e/a", "e/b", "e/b/c", "e/d", "z"]
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert {path.read_text() for path in files} == {"old"}
    left = 7
    exchange_files(folder, new, [folder / "b" / "c"])
    assert names(tmp_path) == ["e", "e/a", "e/d", "e/n", "e/n/m", "z"]


def test_a_folder_or_file_in_the_way_is_named_before_anything_is_written(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": b"old", "b/c": b"old"})
    for name in ("b", "a/x"):
        with pytest.raises(OutputError, match="remove it|no folder can be made in it"):
            write_files(tmp_path, {"a": b"new", name: b"new"} if name == "b" else {name: b"new"})
    assert names(tmp_path) == ["a", "b", "b/c"]
    assert (tmp_path / "a").read_text() == "old"
