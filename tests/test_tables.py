"""Tables on a narrow terminal."""

import pytest

from rnnedge.commands.common import table

ROW = ["arduino_uno", "ATmega328P", "cortex-m0plus", "31.5 kB", "copy, pyocd, openocd, west"]
COLUMNS = ["board", "chip", "core", "flash", "flashed by"]


def drawn(width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    table(COLUMNS, [ROW, ["esp32", "ESP32", "xtensa", 1, None]])
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    return out


@pytest.mark.parametrize("width", [68, 72, 80, 120])
def test_words_stay_whole_where_there_is_room(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = drawn(width, monkeypatch, capsys)
    for word in " ".join([*ROW, *COLUMNS, "None"]).split():
        assert word in out


def test_nothing_is_lost_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = drawn(48, monkeypatch, capsys)
    cells = [line.split("│")[1:-1] for line in out.splitlines() if "│" in line]
    assert ROW[2] in "".join(row[2].strip() for row in cells)
    assert "".join(ROW[4].split()) in "".join(row[4].replace(" ", "") for row in cells)
