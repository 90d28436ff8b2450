"""Flash tools: the one to take, its command, what its complaints mean."""

import getpass
import os
import re
import select
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from rnnedge.boards.board import Board, FlashTool
from rnnedge.boards.drives import copy_image, find_drives
from rnnedge.boards.ports import PERMISSION
from rnnedge.errors import ToolError
from rnnedge.plaintext import plain
from rnnedge.targets.processes import end, started
from rnnedge.targets.tools import ended, find, install_hint

COPY = "copy"
"""The tool that needs no program: the board shows a drive."""

_GIVE_UP = re.compile(r"attempt 3 of \d+: not in sync")  # it goes on for minutes
_SILENCE_SECONDS = 300.0  # a tool that says nothing for so long hangs; a build may take its time
_LOOK_MS = 200
_CHUNK = 1 << 16
_TCL_PLAIN = re.compile(r"[\w./+:@%=,-]+")  # needs no quotes
_BUSY = "is in use by another program (a serial monitor?); close that"
_NO_PROBE = "no debug probe found; connect the board's debug port, see that no other program has it"
# what a tool says -> what is wrong with {port} and {board}, and what to do
_COMPLAINTS = (
    (
        r"not in sync|programmer is not responding|stk500_recv|stk500_getsync",
        "{port}: no answer from a boot loader of {board}; is it this board, with its boot loader, "
        "on this port? press reset and try again",
    ),
    (
        r"[Ee]xpected signature for|signature.*doesn't match",
        "{port}: the chip there is not that of {board}; name the right board",
    ),
    (
        r"This chip is [^,]+, not|wrong --chip argument",
        "{port}: the chip there is not that of {board}; name the right board",
    ),
    (
        r"Failed to connect to ESP|No serial data received",
        "{port}: no answer from {board}; hold its BOOT button while flashing starts",
    ),
    (r"[Pp]ermission denied|Errno 13", "{port}: " + "permission denied; {permission}"),
    (r"[Dd]evice or resource busy|could not exclusively lock|Errno 16", "{port}: " + _BUSY),
    (
        r"(cannot|could not|can't) open (port|device)",
        "{port}: cannot be opened; is the board connected?",
    ),
    (r"LIBUSB_ERROR_ACCESS|insufficient permissions", "no access to the USB device; {udev}"),
    (
        r"unable to find a matching CMSIS-DAP|no device found|unable to open ftdi|open failed"
        r"|[Nn]o connected debug probes|No target device available|No J-Link device found",
        _NO_PROBE,
    ),
    (
        r"Target type \S+ not recognized",
        "pyocd does not know the chip yet; install its support: pyocd pack install {chip}",
    ),
    (
        r"No accessible RP\S* devices",
        "no {board} in BOOTSEL mode; hold BOOTSEL while you connect it",
    ),
)
_UDEV = "install the tool's udev rules, or run it as root"
_TELLING = re.compile(r"\berror\b|fail|cannot|unable", re.I)


def installed(tool: FlashTool) -> bool:
    """Return whether a tool can be called; a drive is there if the board shows it."""
    if tool.tool == COPY:
        return bool(find_drives(tool.drive))
    return absent(tool) is None


def absent(tool: FlashTool) -> str | None:
    """Return the first program that a tool needs and that is not there."""
    programs = [command[0] for command in (tool.build, tool.command) if command]
    return next((program for program in programs if find(program) is None), None)


def choose(board: Board, wanted: str | None, *, drive: bool = False) -> FlashTool:
    """Return the tool for a board: the wanted one, else the first that is installed.

    Args:
        board: whose tools.
        wanted: a tool's name, or None.
        drive: whether a drive is given: only copying to it makes sense then.

    Raises:
        ToolError: the board is not flashed by that tool; lists those that it has.
    """
    tools = {tool.tool: tool for tool in board.flash_tools}
    wanted = COPY if drive and wanted is None else wanted
    if wanted is not None:
        if wanted not in tools:
            raise ToolError(f"{board.name}: is not flashed by {wanted}, but by {', '.join(tools)}")
        return tools[wanted]
    ready = [tool for tool in board.flash_tools if installed(tool)]
    return (ready or list(board.flash_tools))[0]


def require_installed(board: Board, tool: FlashTool) -> None:
    """Check that a tool is there.

    Raises:
        ToolError: it is not; says how to install it, and what other tools the board has.
    """
    program = None if tool.tool == COPY else absent(tool)
    if program is None:
        return
    others = [
        other.tool
        for other in board.flash_tools
        if program not in (*other.build[:1], *other.command[:1])
    ]
    also = f"; {board.name} is also flashed by {', '.join(others)} (--tool)" if others else ""
    name = tool.tool if program == tool.command[0] else program
    raise ToolError(
        f"{program}: not found, needed to flash {board.name}; install it: "
        f"{install_hint(name)}{also}"
    )


def words(template: Sequence[str], values: Mapping[str, object]) -> list[str]:
    """Return a command with {image}, {port}, {drive} and {project} replaced.

    OpenOCD's words are Tcl.
    """
    quoted = _tcl_path if template and template[0] == "openocd" else str
    texts = {f"{{{name}}}": quoted(value) for name, value in values.items()}
    if not texts:
        return list(template)
    places = re.compile("|".join(map(re.escape, texts)))
    return [places.sub(lambda place: texts[place[0]], word) for word in template]


def _tcl_path(path: object) -> str:
    """Return a Tcl word that is a path.

    OpenOCD's `program` evaluates its argument again: what Tcl might take for more than text is left
    to `cd`, which answers nothing.
    """
    text = str(path)
    if _TCL_PLAIN.fullmatch(text):
        return text
    folder, name = os.path.split(text)
    return f"[cd {_tcl(folder or os.curdir)}]{_tcl(name)}"


def _tcl(text: str) -> str:
    """Return a Tcl word that is `text`."""
    escaped = re.sub(r"[^\w./-]", lambda found: f"\\{found[0]}", text)
    return escaped.replace("\n", "n")  # a backslash is before it


def shown(command: Sequence[str]) -> str:
    """Return a command as one would type it."""
    return shlex.join(command)


def write(
    board: Board,
    tool: FlashTool,
    command: Sequence[str],
    *,
    port: str | None,
    folder: Path | None = None,
    listen: Callable[[str], None] | None = None,
) -> None:
    """Call a tool.

    Args:
        board: what is flashed.
        tool: by what.
        command: its words, from `words`.
        port: for messages.
        folder: where it runs; None: here.
        listen: gets every line that the tool writes.

    Raises:
        ToolError: it fails; says in one line why.
    """
    if tool.tool == COPY:
        drive = command[-1].removesuffix(tool.command[-1].removeprefix("{drive}"))
        copy_image(Path(command[-2]), Path(command[-1]), Path(drive))
        return
    program = find(command[0]) or command[0]
    said: list[str] = []
    try:
        with started(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
        ) as process:
            output = process.stdout.fileno() if process.stdout else -1  # it is a pipe
            for line in _lines(process, output):
                said.append(line)
                if listen is not None:
                    listen(line)
                if _GIVE_UP.search(line):
                    end(process)
    except subprocess.TimeoutExpired:
        raise ToolError(
            f"{tool.tool}: hangs, it said nothing for {_SILENCE_SECONDS:g} s and was ended; "
            f"see that {board.title} is connected, press its reset and try again"
            f"{'' if listen else ' (--verbose shows what it says)'}"
        ) from None
    except OSError as error:
        raise ToolError(f"{program}: cannot be started ({error.strerror})") from None
    if process.returncode != 0:
        raise ToolError(explain(board, tool, said, port=port, code=process.returncode))


def _lines(process: "subprocess.Popen[bytes]", output: int) -> Iterator[str]:
    """Give the lines that a program writes to a pipe (file descriptor), until it has ended.

    Raises:
        subprocess.TimeoutExpired: it writes nothing for a long time.
    """
    poll = select.poll()
    poll.register(output, select.POLLIN)
    line, heard, more = bytearray(), time.monotonic(), True
    while more:
        if poll.poll(_LOOK_MS):
            said = os.read(output, _CHUNK)
            more, heard = bool(said), time.monotonic()
            first, *others = said.split(b"\n")
            line += first
            for other in others:
                yield from _texts(line)
                line = bytearray(other)
        elif process.poll() is not None:
            more = False  # what it has started may go on, with the same output
        elif time.monotonic() - heard > _SILENCE_SECONDS:
            raise subprocess.TimeoutExpired(process.args, _SILENCE_SECONDS)
    if line:
        yield from _texts(line)
    process.wait(_SILENCE_SECONDS)


def _texts(line: bytearray) -> list[str]:
    """Return what is on a line: several, if it writes itself over."""
    return [text.rstrip() for text in plain(line.decode(errors="replace")).split("\n")]


def explain(
    board: Board, tool: FlashTool, said: Sequence[str], *, port: str | None, code: int
) -> str:
    """Return one line that says why a tool failed: what its complaint means, else the complaint."""
    text = "\n".join(said)
    for pattern, meaning in _COMPLAINTS:
        found = re.search(pattern, text)
        if found is not None:
            line = meaning.format(
                port=port or "the port",
                board=board.title,
                chip=board.chip,
                permission=PERMISSION.format(user=getpass.getuser()),
                udev=_UDEV,
            )
            return f"{tool.tool}: {line}{_nor_drive(board) if meaning is _NO_PROBE else ''}"
    telling = [line.strip() for line in said if _TELLING.search(line)]
    last = [line.strip() for line in said if line.strip()]
    why = (telling or last[-1:] or [ended(code)])[0]
    return f"{tool.tool}: failed to flash {board.name}: {why}"


def _nor_drive(board: Board) -> str:
    """Say that a board, which shows a drive, does not."""
    for tool in board.flash_tools:
        if tool.tool == COPY and not find_drives(tool.drive):
            connect = f" ({tool.connect})" if tool.connect else ""
            return f"; no drive {tool.drive} is mounted either{connect}"
    return ""
