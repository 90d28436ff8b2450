"""Emulated boards that are flashed as the real ones: by a boot loader, or through a drive."""

import shlex
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rnnedge.boards.board import Board, FlashTool
from rnnedge.boards.bridge import Bridge
from rnnedge.boards.emulator import qemu_words
from rnnedge.boards.images import read_image
from rnnedge.boards.tools import COPY
from rnnedge.boards.uno import new_flash, uno_command
from rnnedge.errors import RnnedgeError, ToolError
from rnnedge.output import explained
from rnnedge.plaintext import plain
from rnnedge.targets.board import EXIT_CODES

FAIL_FILE = "FAIL.TXT"
_LOOK_SECONDS = 0.1  # between two looks at the drive
_HEX_END = b":00000001FF"


@contextmanager
def flashable(
    board: Board,
    program: Path | None = None,
    *,
    flash: Path | None = None,
    drive: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Bridge]:
    """Emulate a board that can be flashed, while the block runs.

    Args:
        board: one with an emulator.
        program: ELF or Intel HEX that it holds at first; None: what `flash` has, or nothing.
        flash: of a board with a boot loader: the file that keeps its flash; None: a temporary one.
        drive: of a board that shows a drive: the folder that stands for it.
        say: told, in another thread, why what was copied to the drive does not run.

    Raises:
        ToolError: there is no emulator, it is not installed, or this board has no such thing.
        OutputError: a file or folder cannot be written.
    """
    if board.emulator is None:
        raise ToolError(f"{board.name}: this board has no emulator")
    boot_loader = board.emulator.program == "simavr"
    if flash is not None and not boot_loader:
        raise ToolError(f"{board.name}: has no boot loader here; leave --image out")
    tool = next((tool for tool in board.flash_tools if tool.tool == COPY), None)
    if drive is not None and tool is None:
        raise ToolError(f"{board.name}: shows no drive; leave --drive out")
    with tempfile.TemporaryDirectory(prefix="rnnedge-") as work:
        if boot_loader:
            path = flash or Path(work) / "flash.bin"
            new_flash(board, path, None if program is None else read_image(program))
            command = uno_command(board, path.absolute(), Path(work))
            with Bridge(command, name=_name(board), restart_on_open=True) as bridge:
                yield bridge
        elif drive is not None and tool is not None:
            with _behind_drive(board, tool, program, drive, Path(work), say) as bridge:
                yield bridge
        else:
            if program is None:
                raise ToolError(
                    f"{board.name}: an emulated board of this kind needs a program; "
                    "name one with --elf or --hex"
                )
            launcher = _Launcher(board, Path(work))
            launcher.load(program)
            with Bridge(launcher.command, name=_name(board), exit_codes=EXIT_CODES) as bridge:
                yield bridge


@contextmanager
def _behind_drive(
    board: Board,
    tool: FlashTool,
    program: Path | None,
    drive: Path,
    work: Path,
    say: Callable[[str], None],
) -> Iterator[Bridge]:
    launcher, fail = _Launcher(board, work), _Fail(drive / FAIL_FILE, say)

    def rescue(reason: str) -> bool:
        fail.write(reason)
        return launcher.clear()

    if program is not None:
        launcher.load(program)
    with explained(drive):
        _folder(tool, drive).mkdir(parents=True, exist_ok=True)
    name = _name(board)
    with Bridge(launcher.command, name=name, exit_codes=EXIT_CODES, rescue=rescue) as bridge:
        watch = _Watch(_folder(tool, drive), fail, launcher, bridge)
        watch.start()
        try:
            yield bridge
        finally:
            watch.stop()


def _name(board: Board) -> str:
    return f"emulated {board.name}"


def _folder(tool: FlashTool, drive: Path) -> Path:
    """Return where on a drive the images go."""
    place = Path(tool.command[-1].replace("{drive}", str(drive)))
    return place if place == drive else place.parent


class _Launcher:
    """A command that runs the emulator with the latest program, or waits if there is none yet."""

    def __init__(self, board: Board, work: Path) -> None:
        self._board, self._work = board, work
        self._words = qemu_words(board)
        self._script = work / "launch.sh"
        self.command: list[str | Path] = ["sh", self._script]
        self._loaded = True
        self.clear()

    def clear(self) -> bool:
        """Take the image away; return whether there was one."""
        if not self._loaded:
            return False
        self._script.write_text("cat >/dev/null\nexit 0\n")  # the shell keeps standard output
        self._loaded = False
        return True

    def load(self, program: Path) -> None:
        """Take an image; it runs from the next start on.

        Raises:
            ToolError: no image, or not for this board.
        """
        board, image = self._board, read_image(program)
        last = board.flash.origin + board.flash.size
        if image.start < board.flash.origin or image.end > last:
            raise ToolError(
                f"{program}: takes addresses {image.start:#x} to {image.end:#x}, the flash of "
                f"{board.title} is {board.flash.origin:#x} to {last:#x}"
            )
        loaded = self._work / "flash.hex"
        loaded.write_bytes(image.hex())
        words = [*self._words, "-device", f"loader,file={loaded}"]
        self._script.write_text(f"exec {shlex.join(words)}\n")
        self._loaded = True


class _Fail:
    """The file on a drive that says why an image does not run."""

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self.path, self._say = path, say

    def write(self, reason: str) -> None:
        """Say it; the drive may be full, or gone."""
        line = plain(reason).strip()
        self._say(line)
        try:
            self.path.write_text(f"{line}\n")
        except OSError as error:
            self._say(f"{self.path}: cannot be written ({error.strerror or error})")

    def remove(self) -> None:
        """The image does run; the file stays if it cannot be removed."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


class _Watch(threading.Thread):
    """Looks at a folder and runs what is copied into it."""

    def __init__(self, folder: Path, fail: _Fail, launcher: _Launcher, bridge: Bridge) -> None:
        super().__init__(daemon=True)
        self._folder, self._fail = folder, fail
        self._launcher, self._bridge = launcher, bridge
        self._ending = threading.Event()
        self._known = self._seen()  # what lies there already is no news

    def stop(self) -> None:
        """End; return when it has."""
        self._ending.set()
        self.join()

    def run(self) -> None:
        """Look until told to end."""
        before = self._known
        while not self._ending.wait(_LOOK_SECONDS):
            now = self._seen()
            # what was removed is news when it comes again
            self._known = {path: stamp for path, stamp in self._known.items() if path in now}
            for path, stamp in now.items():
                # a copy is complete when it rests
                if self._known.get(path) != stamp and before.get(path) == stamp:
                    self._known[path] = stamp
                    self._take(path)
            before = now

    def _seen(self) -> dict[Path, tuple[int, int]]:
        found: dict[Path, tuple[int, int]] = {}
        paths: list[Path] = []
        with suppress(OSError):  # the drive may be away
            paths = list(self._folder.iterdir())
        for path in paths:
            with suppress(OSError):  # and a file that was there
                if path.is_file() and path != self._fail.path and not path.name.startswith("."):
                    about = path.stat()
                    found[path] = (about.st_mtime_ns, about.st_size)
        return found

    def _take(self, path: Path) -> None:
        try:
            if path.suffix.lower() == ".hex" and _HEX_END not in path.read_bytes().upper():
                raise ToolError(f"{path}: ends too early")
            self._launcher.load(path)
            self._fail.remove()
            self._bridge.restart()
        except (RnnedgeError, OSError) as error:
            self._fail.write(str(error))
