"""Serial ports: which one a board is on."""

import getpass
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

from rnnedge.boards.board import Board
from rnnedge.errors import ToolError

PERMISSION = "add yourself to the port's group (sudo usermod -aG dialout {user}) and log in again"


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialPort:
    """A serial port of this machine.

    Attributes:
        path: such as /dev/ttyUSB0.
        usb: "vendor:product" in hex, or "" if it is not on USB.
        title: what it calls itself.
    """

    path: str
    usb: str
    title: str


def serial_ports() -> list[SerialPort]:
    """Return this machine's serial ports, by name."""
    return [
        SerialPort(
            path=port.device,
            usb="" if port.vid is None else f"{port.vid:04x}:{port.pid:04x}",
            title=port.description or "",
        )
        for port in sorted(list_ports.comports(), key=lambda port: port.device)
    ]


def choose_port(board: Board, given: str | None, ports: Sequence[SerialPort] | None = None) -> str:
    """Return the port of a board: `given`, else the only one that can be its.

    Args:
        board: whose USB numbers are looked for.
        given: a port, or None.
        ports: to choose from; None: this machine's.

    Raises:
        ToolError: not there, no permission, none fits, or several do; lists those that there are.
    """
    if given is not None:
        return _checked(given)
    ports = serial_ports() if ports is None else ports
    fitting = [port for port in ports if port.usb in board.usb]
    if len(fitting) == 1:
        return _checked(fitting[0].path)
    if fitting:
        raise ToolError(
            f"several ports may be that of {board.title}: {_listed(fitting)}; name one with --port"
        )
    there = f"there are {_listed(ports)}" if ports else "there are no serial ports"
    raise ToolError(
        f"no serial port of {board.title} found; connect it, or name its port with --port ({there})"
    )


def _checked(port: str) -> str:
    if not Path(port).exists():
        raise ToolError(f"{port}: no such serial port; is the board connected?")
    if not os.access(port, os.R_OK | os.W_OK):
        raise ToolError(f"{port}: permission denied; {PERMISSION.format(user=getpass.getuser())}")
    return port


def _listed(ports: Sequence[SerialPort]) -> str:
    return ", ".join(
        port.path + (f" ({port.title}, {port.usb})" if port.usb else "") for port in ports
    )
