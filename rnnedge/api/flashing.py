"""Boards: what they are, and a run's firmware on them."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnedge.api.opened import GOLDEN_WINDOWS, Document, open_run
from rnnedge.arrays import F32
from rnnedge.errors import FitError, ToolError
from rnnedge.output import write_file, write_files
from rnnedge.run import RunSpec
from rnnedge.spec import QuantizedModel

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
        out: folder that gets the image; None: it is not kept.
        say: told what is done, before it is done.
        listen: gets every line that the tool writes.

    Returns:
        board, name, tool, before (what builds a project of another build system, or nothing) and
        command (lists of words), image and project (the path of the one that there is, None if it
        is not kept), image_bytes, port, flashed, and of Fit flash_bytes, flash_size, ram_bytes,
        ram_size and stack_bytes (all None if another build system builds the program).

    Raises:
        RnnedgeError: no such run or board, the program does not fit (says which width would), no
            port or several, a tool is missing or fails.
    """
    from rnnedge.boards import find_board
    from rnnedge.boards.tools import choose, require_installed, shown, words, write

    found = find_board(board)
    chosen = choose(found, tool, drive=drive is not None)
    spec, model, windows = open_run(run)
    if not dry_run:
        require_installed(found, chosen)
    places = _places(found, chosen, port, drive, dry_run=dry_run)
    task = _Task(board=found, spec=spec, model=model, golden=windows.X_test[:GOLDEN_WINDOWS])
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rnnedge-")))
        room: Fit | None = None
        if chosen.project:
            image, size = None, 0
            places["project"] = task.project(work if out is None else out, chosen)
        else:
            room, content = task.image(work, chosen)
            image = (out or work) / f"{model.name}-{found.name}.{chosen.image}"
            write_file(image, content)
            size = len(content)
            say(str(room))
            places["image"] = image
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
            folder = Path(places["project"]) / "build" if before else None
            write(found, chosen, command, port=port_name, folder=folder, listen=listen)
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
        wanted.append(("drive", lambda: choose_drive(drive, tool.drive)))
    for name, look in wanted:
        try:
            places[name] = look()
        except ToolError:
            if not dry_run:
                raise
    return places


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A run on its way to a board."""

    board: "Board"
    spec: RunSpec
    model: QuantizedModel
    golden: F32

    def image(self, work: Path, tool: "FlashTool") -> "tuple[Fit, bytes]":
        """Build the firmware; return what it takes, and the image that a tool wants."""
        from rnnedge.boards.fit import fit
        from rnnedge.boards.images import read_image

        firmware = self._firmware(work)
        room = fit(self.board, flash_bytes=firmware.flash_bytes, ram_bytes=firmware.ram_bytes)
        if tool.image == "elf":
            return room, firmware.elf.read_bytes()
        image = read_image(firmware.elf)
        makers = {"hex": image.hex, "bin": image.bin, "uf2": image.uf2}
        return room, makers[tool.image]()

    def project(self, folder: Path, tool: "FlashTool") -> Path:
        """Write the project that a tool builds with another build system; return its folder."""
        from rnnedge.boards.package import firmware_package

        write_files(folder, firmware_package(self.board, self.model, self.golden, tool.project))
        return folder / "examples" / tool.project

    def _firmware(self, work: Path) -> "Firmware":
        from rnnedge.boards.fit import lacking, most_units

        try:
            return self._build(self.model, work)
        except FitError as error:
            units = most_units(self.model, lambda model: self._fits(model, work))
            line = f"{self.board.name}: {lacking(error.over)}"
            raise FitError(f"{line}, {self._advice(units)}", error.over) from None

    def _build(self, model: QuantizedModel, work: Path) -> "Firmware":
        from rnnedge.boards.build import build
        from rnnedge.boards.package import firmware_package

        # into one folder: CMake compiles again only what has changed
        package = work / "package"
        files = firmware_package(self.board, model, self.golden)
        old = {path for path in files if _same(package / path, files[path])}
        write_files(package, {path: data for path, data in files.items() if path not in old})
        return build(self.board, package, work / "build")

    def _fits(self, model: QuantizedModel, work: Path) -> bool:
        try:
            self._build(model, work)
        except FitError:
            return False
        return True

    def _advice(self, units: int | None) -> str:
        if units is None:
            return "and no number of units would fit; take another board"
        if "imported" in self.spec.split:
            return f"it fits with {units} units in the widest layer; or take another board"
        return f"try --units {units} (rnnedge train), or another board"


def _same(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data
