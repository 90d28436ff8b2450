"""Emulated boards behind lines with faults: real UARTs, that lose what comes while they compute."""

from pathlib import Path

import numpy as np
import pytest

from rnnedge.boards import find_board
from rnnedge.boards.build import build
from rnnedge.boards.emulator import _qemu, _simavr, emulated_board
from rnnedge.convert.c import export_c
from rnnedge.convert.packages import make_package
from rnnedge.convert.packages.firmware import firmware_files
from rnnedge.output import write_files
from rnnedge.serialline import open_device
from rnnedge.serialline.device import Device
from rnnedge.serialline.link import Link
from rnnedge.serialline.port import open_port
from rnnedge.simulator import quantize, simulate
from tests.models import float_model, quantized, raw_windows
from tests.serialline.faults import Faults
from tests.serialline.line import Line

SOURCE = float_model(4, units=9, channels=3, cells=("gru", "lstm"))
MODEL = quantized(SOURCE, name="motor", window=8)
RAW = raw_windows(SOURCE, 1, 6, 8)
EXPECTED = simulate(MODEL, quantize(MODEL.input, RAW))


@pytest.fixture(scope="module", params=["microbit", "arduino_uno"])
def firmware(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    work = tmp_path_factory.mktemp(request.param)
    files = export_c(MODEL, RAW[:2])
    write_files(work / "package", files | firmware_files(make_package(MODEL, files, {}, None)))
    return build(find_board(request.param), work / "package", work / "build")


def run_all(device: Device) -> None:
    for index, window in enumerate(RAW):
        got = device.run_window(window)
        assert np.array_equal(got.states, EXPECTED.states[index])
        assert np.array_equal(got.scores, EXPECTED.scores[index])


def test_a_board_that_is_restarted_in_the_middle_goes_on(firmware) -> None:
    with emulated_board(firmware.board, firmware.elf) as bridge, open_device(bridge.port) as device:
        link, request = device._link, device._link.request
        sent: list[int] = []

        def restarting(*words) -> bytes:
            sent.append(1)
            if len(sent) in (5, 30):
                bridge.restart()
            return request(*words)

        link.request = restarting
        run_all(device)
        assert device.statistics.resets == 2
        assert 50 < device.stack_bytes() < 1000


def test_faults_between_a_board_and_the_pc(firmware, tmp_path: Path) -> None:
    board, elf = firmware.board, firmware.elf
    uno = board.name == "arduino_uno"
    command = _simavr(board, elf, tmp_path) if uno else _qemu(board, elf)
    line = Line(command, to_board=Faults(1, 0.1), from_board=Faults(2, 0.1), seconds=0.05)
    with line, open_port(line.port, 115200) as port:
        device = Device(Link(port, timeout=0.1, retries=40), boot_seconds=10)
        run_all(device)
        seen = device.statistics
    assert seen.retries > 0 and seen.damaged > 0 and seen.resets == 0
