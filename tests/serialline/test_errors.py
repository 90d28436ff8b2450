"""What can be wrong with a port or a board: each has one line of its own."""

import errno
import os
import pty
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import serial

from rnnedge.errors import DeviceError
from rnnedge.serialline import open_device
from rnnedge.serialline.device import MAX_RESETS, Device
from rnnedge.serialline.frames import Frame, Kind, decode_answer, encode_answer
from rnnedge.serialline.link import Link
from tests.models import float_model, quantized
from tests.serialline.board import Board
from tests.serialline.faults import Direction, clean

MODEL = quantized(float_model(1), name="motor")


@contextmanager
def pseudo_port(answer: Callable[[bytes], bytes], greeting: bytes = b"") -> Iterator[str]:
    """A pty whose other end says `greeting`, then what `answer` makes of what it is sent."""
    master, slave = pty.openpty()
    tty.setraw(slave)

    def run() -> None:
        while True:
            try:
                data = os.read(master, 4096)
            except OSError:
                return
            if data == b"\x04":  # the test is over
                return
            reply = greeting + answer(data)
            if reply:
                os.write(master, reply)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        os.write(slave, b"\x04")
        thread.join()
        os.close(slave)
        os.close(master)


def refusal(port: str, seconds: float = 0.3) -> str:
    with pytest.raises(DeviceError) as caught, open_device(port, boot_seconds=seconds):
        pass
    text = str(caught.value)
    assert "\n" not in text and text.startswith(f"port {port}: ")
    return text


def test_a_port_that_is_not_there() -> None:
    assert "there is no such port" in refusal("/dev/ttyNothing7")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_port_without_permission(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*words: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    assert "dialout" in refusal("/dev/ttyACM0")


def test_a_port_that_another_program_uses() -> None:
    with pseudo_port(lambda data: b"") as port, serial.Serial(port, exclusive=True):
        assert "busy" in refusal(port)


def test_a_port_that_the_system_calls_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object) -> int:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(os, "open", refuse)
    assert "busy" in refusal("/dev/ttyACM0")


def test_a_file_is_no_port(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    assert "not a serial port" in refusal(str(path))
    assert "not a serial port" in refusal("/dev/null")
    assert "port /tmp: " in refusal("/tmp")


def test_a_silent_board() -> None:
    with pseudo_port(lambda data: b"") as port:
        assert "no answer within 0.3 s" in refusal(port)


def test_firmware_that_says_something_else() -> None:
    with pseudo_port(lambda data: b"T=21.5 H=40\r\n") as port:
        text = refusal(port)
    assert "'T=21.5 H=40" in text and "rnnedge flash" in text


def test_firmware_that_ends_no_line() -> None:
    with pseudo_port(lambda data: b"21.5,") as port:
        assert "'21.5," in refusal(port)


def test_another_baud_rate() -> None:
    with pseudo_port(lambda data: b"\xf8\x80\x00\xfe\x1c\xe0" * 5) as port:
        assert "baud rate" in refusal(port)


def test_a_line_that_echoes() -> None:
    with pseudo_port(lambda data: data) as port:
        assert "echo" in refusal(port)


def test_a_board_that_echoes_and_answers_is_fine(server) -> None:
    """Such as one on a two-wire line."""
    board = Board(server, MODEL)
    write, heard = board.write, []

    def echoing(data: bytes) -> None:
        heard.append(data)
        write(data)

    board.write = echoing
    read = board.read
    board.read = lambda: b"".join(heard[-1:]) + read()
    device = Device(Link(board, timeout=0.0, retries=3))
    assert device.info.name == "motor" and device.statistics.echoes > 0


def test_answers_that_are_all_damaged() -> None:
    with pseudo_port(lambda data: b"<8101000000ABCD\n") as port:
        assert "every answer was damaged" in refusal(port)


def changed(function: Callable[[Frame], Frame]) -> Direction:
    """Change whole answers, with a right CRC."""

    def change(line: bytes) -> list[tuple[float, bytes]]:
        frame = decode_answer(line[1:-1])
        assert frame is not None
        return [(0.0, encode_answer(function(frame)))]

    return change


def with_version(version: int) -> Callable[[Frame], Frame]:
    def change(frame: Frame) -> Frame:
        if frame.kind != Kind.HELLO:
            return frame
        payload = bytes([version]) + frame.payload[1:]
        return Frame(kind=1, session=frame.session, number=frame.number, payload=payload)

    return change


def device_of(server, **options) -> Device:
    return Device(Link(Board(server, MODEL, **options), timeout=0.0, retries=5), boot_seconds=0.0)


def test_another_version_of_the_protocol(server) -> None:
    with pytest.raises(DeviceError, match="speaks version 2 of the protocol, not 1"):
        device_of(server, from_board=changed(with_version(2)))


def test_a_model_that_the_board_refuses(server) -> None:
    board = Board(server, MODEL)
    board._runtime.struct.abi = 1
    board.power_on(status=-2)
    with pytest.raises(DeviceError, match="refuses the model"):
        Device(Link(board, timeout=0.0), boot_seconds=0.0)


def test_a_board_that_resets_again_and_again(server) -> None:
    board = Board(server, MODEL, reset=lambda frames: frames > 10 and frames % 4 == 0)
    device = Device(Link(board, timeout=0.0, retries=5))
    with pytest.raises(DeviceError, match=f"started anew {MAX_RESETS + 1} times in one window"):
        device.run_window(np.zeros((16, 3), np.int16))
    assert device.statistics.resets == MAX_RESETS + 1


def test_a_line_that_fails_is_given_up(server) -> None:
    gone: list[int] = []

    def cut_off(line: bytes) -> list[tuple[float, bytes]]:
        return [] if gone else clean(line)

    device = device_of(server, from_board=cut_off)
    gone.append(1)
    with pytest.raises(DeviceError, match="no answer to RESET after 5 retries"):
        device.run_window(np.zeros((16, 3), np.int16))


def test_a_sample_that_is_no_number(server) -> None:
    x = np.zeros((16, 3), np.float32)
    x[3, 1] = np.nan
    with pytest.raises(DeviceError, match="not a number"):
        device_of(server).run_window(x)


@pytest.mark.parametrize("shape", [(0, 3), (16, 4), (16,)])
def test_windows_of_another_shape(server, shape: tuple[int, ...]) -> None:
    with pytest.raises(DeviceError, match="a window is"):
        device_of(server).run_window(np.zeros(shape, np.int16))


def test_a_reset_onto_another_model_is_noticed(server) -> None:
    board = Board(server, MODEL)
    device = Device(Link(board, timeout=0.0, retries=5))
    board._runtime.struct.sha256 = b"x" * 32
    board.power_on()
    with pytest.raises(DeviceError, match="after a reset the board runs another model"):
        device.run_window(np.zeros((16, 3), np.int16))


def test_a_port_that_vanishes_is_named() -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    port = os.ttyname(slave)
    os.close(slave)
    threading.Timer(0.2, os.close, [master]).start()
    assert "gone while in use" in refusal(port, 3.0)
