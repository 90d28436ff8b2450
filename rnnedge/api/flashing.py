"""Boards: what they are, and a run's firmware on them."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnedge.api.building import Task
from rnnedge.api.opened import GOLDEN_WINDOWS, Document, open_run
from rnnedge.errors import ToolError
from rnnedge.output import write_file, write_files

if TYPE_CHECKING:
    from rnnedge.boards import Board, FlashTool
    from rnnedge.boards.build import Firmware
    from rnnedge.boards.fit import Fit


def boards() -> list[Document]:
    """Return what is known of every board.

    Returns:
        For each: board, title, chip, core, clock_hz, flash_bytes and ram_bytes (what a program may
        take), stack_bytes, optimize, emulator (or None), measured ("cycles" or "instructions" under
        emulation; None: only built), flash_tools, usb and remarks.
    """
    from rnnedge.boards import BOARDS

    return [
        {
            "board": board.name,
            "title": board.title,
            "chip": board.chip,
            "core": board.core,
            "clock_hz": board.clock_hz,
            "flash_bytes": board.flash.size,
            "ram_bytes": board.ram.size,
            "stack_bytes": board.stack,
            "optimize": board.optimize,
            "emulator": None if board.emulator is None else board.emulator.program,
            "measured": None if board.emulator is None else board.emulator.unit,
            "flash_tools": [tool.tool for tool in board.flash_tools],
            "usb": list(board.usb),
            "remarks": list(board.remarks),
        }
        for board in BOARDS
    ]


def flash(
    run: Path,
    board: str,
    *,
    tool: str | None = None,
    port: str | None = None,
    drive: Path | None = None,
    dry_run: bool = False,
    optimize: str | None = None,
    out: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    listen: Callable[[str], None] | None = None,
) -> Document:
    """Build the firmware of a run for a board, see that it fits, and let a flash tool write it.

    Args:
        run: run folder.
        board: name of one of rnnedge.boards.BOARDS.
        tool: name of one of its flash tools; None: the first that is installed.
        port: serial port; None: the only one whose USB numbers are those of the board.
        drive: the drive that the board shows; None: the one with its name.
        dry_run: do all but call the tool; it may then be missing, and the board, too.
        optimize: "speed" or "size"; None: speed or, where that does not fit, size.
        out: folder that gets the image; None: it is not kept.
        say: told what is done, before it is done.
        listen: gets every line that the tool writes.

    Returns:
        board, name, tool, before (what builds a project of another build system, or nothing) and
        command (lists of words), image and project (the path of the one that there is, None if it
        is not kept), image_bytes, port, flashed, optimize, and of Fit flash_bytes, flash_size,
        ram_bytes, ram_size and stack_bytes (these six None if another build system builds the
        program).

    Raises:
        RnnedgeError: no such run or board, the program does not fit (says which width would), no
            port or several, a tool is missing or fails, optimize for another build system.
    """
    from rnnedge.boards import find_board
    from rnnedge.boards.tools import choose, require_installed, shown, words, write

    found = find_board(board)
    chosen = choose(found, tool, drive=drive is not None)
    if chosen.project and optimize is not None:
        raise ToolError(f"{found.name}: {chosen.tool} builds as its project says; no --optimize")
    spec, model, windows = open_run(run)
    if not dry_run:
        require_installed(found, chosen)
    places = _places(found, chosen, port, drive, dry_run=dry_run)
    kept = out is not None or not dry_run  # the command names no path that will be gone
    golden = windows.given(GOLDEN_WINDOWS)
    task = Task(board=found, spec=spec, model=model, golden=golden, optimize=optimize)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rnnedge-")))
        room: Fit | None = None
        built = None
        if chosen.project:
            image, size = None, 0
            folder = work if out is None else out
            project = _project(task, folder, chosen)
            places["project"] = project if kept else project.relative_to(folder)
        else:
            firmware = task.build(work)
            room, content = _image(firmware, chosen)
            image = (out or work) / f"{model.name}-{found.name}.{chosen.image}"
            write_file(image, content)
            size, built = len(content), firmware.optimize
            say(firmware.choice)
            say(str(room))
            places["image"] = image if kept else image.name
        before, command = words(chosen.build, places), words(chosen.command, places)
        for line in (before, command):
            if line:
                say(shown(line))
        if chosen.remark:
            say(chosen.remark)
        if not dry_run:
            port_name = str(places["port"])
            if before:
                write(found, chosen, before, port=port_name, listen=listen)
            place = Path(places["project"]) / "build" if before else None
            write(found, chosen, command, port=port_name, folder=place, listen=listen)
    fields = ("flash_bytes", "flash_size", "ram_bytes", "ram_size", "stack_bytes")
    return {
        "board": found.name,
        "name": model.name,
        "tool": chosen.tool,
        "before": before,
        "command": command,
        "image": None if out is None or image is None else str(image),
        "project": None if out is None or image is not None else str(places["project"]),
        "image_bytes": size,
        "port": port if not chosen.needs_port else str(places["port"]),
        "flashed": not dry_run,
        "optimize": built,
        **(dict.fromkeys(fields) if room is None else asdict(room)),
    }


def _places(
    board: "Board", tool: "FlashTool", port: str | None, drive: Path | None, *, dry_run: bool
) -> dict[str, Any]:
    """Return port and drive for a command; in a dry run words that stand for what is missing."""
    from rnnedge.boards.drives import choose_drive
    from rnnedge.boards.ports import choose_port
    from rnnedge.boards.tools import COPY

    places: dict[str, Any] = {"port": port or "PORT", "drive": drive or "DRIVE"}
    wanted: list[tuple[str, Callable[[], object]]] = []
    if tool.needs_port:
        wanted.append(("port", lambda: choose_port(board, port)))
    if tool.tool == COPY:
        wanted.append(("drive", lambda: choose_drive(drive, tool.drive, tool.connect)))
    for name, look in wanted:
        try:
            places[name] = look()
        except ToolError:
            if not dry_run:
                raise
    return places


def _image(firmware: "Firmware", tool: "FlashTool") -> "tuple[Fit, bytes]":
    """Return what a program takes, and the image that a tool wants."""
    from rnnedge.boards.fit import fit
    from rnnedge.boards.images import read_image

    board = firmware.board
    room = fit(board, flash_bytes=firmware.flash_bytes, ram_bytes=firmware.ram_bytes)
    if tool.image == "elf":
        return room, firmware.elf.read_bytes()
    image = read_image(firmware.elf)
    makers = {"hex": image.hex, "bin": image.bin, "uf2": image.uf2}
    return room, makers[tool.image]()


def _project(task: Task, folder: Path, tool: "FlashTool") -> Path:
    """Write the project that a tool builds with another build system; return its folder."""
    from rnnedge.boards.package import firmware_package

    write_files(folder, firmware_package(task.board, task.model, task.golden, tool.project))
    return folder / "examples" / tool.project
