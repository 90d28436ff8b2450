"""The drive of an emulated board: bad images, and a drive that cannot be written or is away."""

import shutil
import time
from pathlib import Path

import pytest

from rnnedge.boards import find_board
from rnnedge.boards.flashable import flashable
from rnnedge.boards.images import read_image
from rnnedge.errors import ToolError
from rnnedge.serialline import open_device
from tests.boards.test_flash import waiting
from tests.cli import rnnedge
from tests.runs import make_run

MICROBIT = find_board("microbit")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("image")
    run = folder / "motor"
    make_run(run, name="motor", units=4)
    options = ("--board", "microbit", "--tool", "openocd", "--dry-run", "--out", folder)
    assert rnnedge("flash", run, *options).code == 0
    path = folder / "motor-microbit.hex"
    assert read_image(path).segments
    return path.read_bytes()


def answers(port: str) -> bool:
    with open_device(port, boot_seconds=20) as device:
        return device.info.name == "motor"


def test_a_fail_file_that_cannot_be_written_is_said(image: bytes, tmp_path: Path) -> None:
    said: list[str] = []
    with flashable(MICROBIT, drive=tmp_path, say=said.append) as bridge:
        (tmp_path / "FAIL.TXT").mkdir()
        (tmp_path / "bad.hex").write_bytes(b"bad")
        waiting(lambda: len(said) == 2)
        assert "bad.hex: ends too early" in said[0]
        assert "FAIL.TXT: cannot be written" in said[1]
        (tmp_path / "good.hex").write_bytes(image)
        assert answers(bridge.port)


def test_a_drive_may_go_away_and_come_back(image: bytes, tmp_path: Path) -> None:
    drive = tmp_path / "MICROBIT"
    with flashable(MICROBIT, drive=drive) as bridge:
        for _ in range(2):
            shutil.rmtree(drive)
            time.sleep(0.5)
            drive.mkdir()
            (drive / "dangling").symlink_to("/nonexistent")
            (drive / "good.hex").write_bytes(image)
            assert answers(bridge.port)


def test_a_program_that_locks_the_chip_up_leaves_the_board_to_the_next(
    image: bytes, tmp_path: Path
) -> None:
    said: list[str] = []
    fail = tmp_path / "FAIL.TXT"
    with flashable(MICROBIT, drive=tmp_path, say=said.append) as bridge:
        for _ in range(2):
            (tmp_path / "zeros.hex").write_text(f":10000000{'00' * 16}F0\n:00000001FF\n")
            waiting(lambda: fail.is_file() and fail.read_text() != "")
            assert "emulated microbit: qemu: fatal: Lockup" in fail.read_text()
            assert bridge.running
            (tmp_path / "zeros.hex").unlink()
            (tmp_path / "good.hex").write_bytes(image)
            waiting(lambda: not fail.exists())
            assert answers(bridge.port)
            (tmp_path / "good.hex").unlink()
            time.sleep(0.3)
    assert len(said) == 2


def test_a_missing_emulator_is_named_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with (
        pytest.raises(ToolError, match="^qemu-system-arm: not found, needed to emulate microbit"),
        flashable(MICROBIT, drive=tmp_path / "MICROBIT"),
    ):
        pass
    assert not (tmp_path / "MICROBIT").exists()
