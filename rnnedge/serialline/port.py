"""A serial port, through pyserial: every way in which it can fail has a line of its own."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import serial
from serial.tools import list_ports

from rnnedge.errors import DeviceError

_POLL_SECONDS = 0.01


class Port(Protocol):
    """What a link needs of a line."""

    @property
    def name(self) -> str:
        """The name to show."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def read(self) -> bytes:
        """Return the bytes that are there; wait a little for the first one."""


class SerialPort:
    """A port of this machine, or a pty, while it is open."""

    def __init__(self, name: str, line: Any) -> None:
        self._name, self._line = name, line

    @property
    def name(self) -> str:
        """The name to show."""
        return self._name

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            DeviceError: the port is gone.
        """
        with _explained(self._name):
            self._line.write(data)

    def read(self) -> bytes:
        """Return the bytes that are there; wait a little for the first one.

        Raises:
            DeviceError: the port is gone.
        """
        with _explained(self._name):
            first: bytes = self._line.read(1)
            if not first:
                return b""
            waiting = self._line.in_waiting
            return first + bytes(self._line.read(waiting)) if waiting else first


@contextmanager
def open_port(name: str, baud: int) -> Iterator[SerialPort]:
    """Open a port for this program alone.

    Raises:
        DeviceError: missing, not permitted, busy, or no serial port.
    """
    try:
        line = serial.Serial(name, baud, timeout=_POLL_SECONDS, write_timeout=10, exclusive=True)
    except (OSError, ValueError) as error:  # SerialException is an OSError
        raise DeviceError(_refusal(name, baud, error)) from None
    try:
        with _explained(name):
            line.reset_input_buffer()
        yield SerialPort(name, line)
    finally:
        line.close()


def _refusal(name: str, baud: int, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        there = ", ".join(sorted(port.device for port in list_ports.comports()))
        found = f"there are {there}" if there else "no serial port is connected"
        return f"port {name}: there is no such port; {found}"
    if number in (errno.EACCES, errno.EPERM):
        return f"port {name}: no permission; sudo usermod -a -G dialout $USER, then log in again"
    if number in (errno.EBUSY, errno.EAGAIN):
        return f"port {name}: busy; another program has it open (a serial monitor?), close that"
    if number in (errno.ENOTTY, errno.EINVAL, errno.EISDIR) or "configure port" in str(error):
        return f"port {name}: not a serial port, or it cannot run at {baud} baud"
    return f"port {name}: cannot be opened ({error})"


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, TypeError):  # pyserial: TypeError if it was closed meanwhile
        raise DeviceError(
            f"port {name}: gone while in use; is the board still connected?"
        ) from None
