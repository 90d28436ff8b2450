"""Names of models: what is taken compiles, what would not is refused."""

import pytest

from rnnedge.errors import ModelError
from rnnedge.naming import check_name, default_name
from rnnedge.targets.host import Host
from tests.runs import make_export, make_run


@pytest.mark.parametrize(
    "name",
    [
        "int",
        "double",
        "class",
        "3x",
        "a-b",
        "très",
        "_x",
        "printf",
        "main",
        "sinf",
        "cexp",
        "stdint",
        "port",
        "NULL",
        "EOF",
        "INT16_MAX",
        "int8_t",
        "rnnedge_x",
        "Rnnedge",
        "app_state",
        "snprintf",
        "toupper",
        "log10",
        "fixed",
        "setup",
        "loop",
        "Serial",
        "delay",
        "bit",
        "wire",  # Wire.h where case makes no difference
        "Eeprom",
        "stream",
        "my_arduino",
        "read_sensor",
        "board_cycles",
        "start",
        "Reset_Handler",
        "",
        "x" * 41,
    ],
)
def test_names_that_c_has_taken_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match="cannot name a model"):
        check_name(name)
    assert check_name(default_name(name))


@pytest.mark.parametrize(
    "name", ["model", "status", "state", "scratch", "x", "window", "request", "step", "run", "test"]
)
def test_words_of_our_own_programs_are_fine(tmp_path, name: str) -> None:
    exported = make_export(tmp_path / "e", make_run(tmp_path / "r", name=check_name(name)))
    (tmp_path / "w").mkdir()
    Host().build(exported, tmp_path / "w")
