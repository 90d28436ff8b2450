"""Models of every task through instances on emulated cores, constants in flash, self-test first."""

import re
from pathlib import Path

import numpy as np
import pytest

from rnnedge.convert.c import export_c
from rnnedge.errors import ToolError
from rnnedge.output import write_files
from rnnedge.runwindows import Given
from rnnedge.simulator import detect, quantize, run_free, step_scores
from rnnedge.targets import build, find_targets
from rnnedge.targets.elf import read_elf
from rnnedge.targets.exported import Exported, open_exported
from rnnedge.targets.stream import Request
from tests.taskmodels import KINDS, TaskData, task_data, task_model

APP = Path(__file__).with_name("sequences.c")
SHIPPED = build.firmware
ON_AVR = ("anomaly", "start", "reply", "next")
CASES = [("cortex-m4", kind) for kind in KINDS] + [("avr", kind) for kind in ON_AVR]
CASES += [("host", "translate"), ("rv32", "reply")]


def exported_kind(folder: Path, kind: str) -> tuple[TaskData, Exported]:
    """Data for a small model of a kind, and its exported folder."""
    model = task_model(9, kind, units=5)
    data = task_data(model, 9, 2, 7)
    given = Given(raw=data.raw, features=data.features, encoder=data.encoder)
    write_files(folder, export_c(model, given))
    return data, open_exported(folder)


@pytest.fixture
def instances(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs answer through an instance."""
    monkeypatch.setattr(
        build, "firmware", lambda path: APP if path == "app/verify.c" else SHIPPED(path)
    )


@pytest.mark.usefixtures("instances")
@pytest.mark.parametrize(("target", "kind"), CASES)
def test_an_instance_gives_the_simulators_sequences(tmp_path: Path, target: str, kind: str) -> None:
    model = task_model(9, kind, units=5)
    data, exported = exported_kind(tmp_path / "export", kind)
    (core,) = find_targets([target])
    (tmp_path / "work").mkdir()
    program = core.build(exported, tmp_path / "work", "size")
    if target == "avr":  # tables, maps and golden windows stay in flash
        elf = read_elf(program)
        own = ("ram", "sensor", "saved", "raw", "features", "encode", "back")
        assert elf.ram_bytes == sum(elf.symbols[name].size for name in own if name in elf.symbols)
    back = 5 if model.generates else 0
    asked = Request(
        x=data.raw,
        free=exported.generates,
        features=data.features,
        encoder=data.encoder,
        back=back,
    )
    got = core.run(program, asked).trace
    x = quantize(model.input, data.raw)
    if not exported.generates:
        assert np.array_equal(got.scores, step_scores(model, x)[:, -1])
        return
    expected = run_free(model, back, x=x, features=data.features, encoder_raw=data.encoder)
    scores = expected.scores.copy()
    if model.detector is not None:
        found = detect(model, x)
        scores[:, 0, 0] = found.levels[:, -1] + (found.labels[:, -1].astype(np.int32) << 30)
    assert np.array_equal(got.states, expected.states)
    assert np.array_equal(got.scores, scores)


def increased(text: str, table: str, line: int) -> str:
    """The text with the first number in a line of a table one larger or smaller."""
    head, found, tail = text.partition(table)
    assert found
    lines = tail.splitlines()
    number = re.search(r"-?[0-9]{2,}", lines[line])
    assert number is not None
    changed = str(int(number[0]) ^ 1)
    lines[line] = lines[line].replace(number[0], changed, 1)
    return head + found + "\n".join(lines) + "\n"


@pytest.mark.usefixtures("instances")
@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("free", "next"),
        ("table", "next"),
        ("feedback", "generate"),
        ("before", "start"),
        ("before", "translate"),
        ("before", "reply"),
        ("start_dense_w", "start"),
        ("encoder_table", "reply"),
    ],
)
def test_the_selftest_notices_a_changed_part(tmp_path: Path, part: str, kind: str) -> None:
    """A CRC of free steps, a row of a table, a map of the feedback, a start: each on its own."""
    data, exported = exported_kind(tmp_path / "export", kind)
    golden = exported.folder / "src" / "net" / "net_golden.c"
    path = golden if part in ("free", "before") else exported.model_source
    text = path.read_text()
    if part == "free":
        text = increased(text, "golden_free[2]", 1)
    elif part == "before":  # of the first window
        head, found, tail = text.partition("golden_before[")
        assert found
        lines = tail.splitlines()
        lines[1] = (
            f"    {0.0 if kind != 'reply' or lines[1].split('.')[0].strip() != '0' else 1.0}f,"
        )
        text = head + found + "\n".join(lines) + "\n"
    elif part == "start_dense_w":
        text = increased(text, "net_start_dense_w[", 1)
    elif part == "encoder_table":
        assert data.encoder is not None
        text = increased(text, "net_encoder_table[", 1 + int(data.encoder[0, 0, 0]))
    elif part == "table":  # of the first sample's id
        text = increased(text, "int8_t net_table[", 1 + int(data.raw[0, 0, 0]))
    else:
        head, found, tail = text.partition(
            "net_feedback[3] RNNEDGE_FLASH = {\n    {.offset = INT64_C("
        )
        assert found
        text = head + found + str(2**60) + tail[tail.index(")") :]
    assert text != path.read_text()
    (core,) = find_targets(["host"])
    (tmp_path / "work").mkdir()
    asked = Request(x=data.raw, free=True)
    core.run(core.build(exported, tmp_path / "work", "size"), asked)
    path.write_text(text)
    program = core.build(exported, tmp_path / "work", "size")
    with pytest.raises(ToolError):
        core.run(program, asked)
