"""Boards: the same bits, over their serial lines."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnnedge.api.building import Task
from rnnedge.api.opened import GOLDEN_WINDOWS, Document, open_run
from rnnedge.api.proving import check_folder
from rnnedge.errors import DeviceError
from rnnedge.run import RunSpec, Windows
from rnnedge.spec import QuantizedModel

if TYPE_CHECKING:
    from rnnedge.boards import Board

_FRESH_WINDOWS = 8
_PTY = "/dev/pts/"


def verify_boards(
    run: Path,
    boards: Sequence[str],
    *,
    port: str | None = None,
    export_folder: Path | None = None,
    windows: int | None = None,
    optimize: str | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> list[Document]:
    """Run golden and fresh windows on boards over their serial lines, compare every bit.

    Args:
        run: run folder.
        boards: names of rnnedge.boards.BOARDS.
        port: serial port of the board, which runs the run's firmware; None: the firmware is built
            and the board's emulator takes its place.
        export_folder: without a port, the package that the firmware is built of; None: a fresh one.
        windows: number of fresh test windows beside the golden ones; None: 8.
        optimize: without a port, how it is built: "speed" or "size"; None: speed or, where that
            does not fit, size.
        say: told what is done, before it is done.
        progress: told how many of how many windows are done, after each.

    Returns:
        For each board: board, target (the board, too), port (None: emulated), model, sha256,
        compiler and optimize (None with a port), the fields of
        rnnedge.serialline.verification.verify_device, and notes (sentences on what the counts are).

    Raises:
        RnnedgeError: no such run or board, a tool is missing, the firmware does not fit, the port
            or line fails, or the board runs another model.
    """
    from rnnedge.boards import find_board

    if port is not None and len(set(boards)) > 1:
        raise DeviceError(f"port {port}: there is one board behind it; name one --board")
    chosen = [find_board(name) for name in dict.fromkeys(boards)]
    spec, model, kept = open_run(run)
    if port is None:
        for board in chosen:
            if board.emulator is None:
                raise DeviceError(
                    f"board {board.name}: has no emulator; connect it and name its --port"
                )
    task = _BoardTask(
        run=run,
        spec=spec,
        model=model,
        kept=kept,
        windows=windows,
        optimize=optimize,
        say=say,
        progress=progress,
    )
    if port is not None:
        return [task.verify(board, port, emulated=False) for board in chosen]
    return [task.emulate(board, export_folder) for board in chosen]


@dataclass(frozen=True, slots=True, kw_only=True)
class _BoardTask:
    """A run on its way to boards."""

    run: Path
    spec: RunSpec
    model: QuantizedModel
    kept: Windows
    windows: int | None
    optimize: str | None
    say: Callable[[str], None]
    progress: Callable[[int, int], None]

    def emulate(self, board: "Board", folder: Path | None) -> Document:
        """Build the firmware of a board, and verify it in the board's emulator."""
        from rnnedge.boards.emulator import emulated
        from rnnedge.targets.cores import find_core

        with tempfile.TemporaryDirectory(prefix="rnnedge-") as work:
            if folder is not None:
                check_folder(folder, self.model)
            task = Task(
                board=board,
                spec=self.spec,
                model=self.model,
                golden=self.kept.given(GOLDEN_WINDOWS),
                optimize=self.optimize,
            )
            self.say(f"{board.name}: building ...")
            firmware = task.build(Path(work), folder)
            self.say(f"{board.name}: {firmware.choice}")
            with emulated(board, firmware.elf) as port:
                document = self.verify(board, port, emulated=True)
        toolchain = find_core(board.core).toolchain
        document["compiler"] = None if toolchain is None else toolchain.version()
        document["optimize"] = firmware.optimize
        return document

    def verify(self, board: "Board", port: str, *, emulated: bool) -> Document:
        """Verify the board behind a port."""
        from rnnedge.serialline import open_device
        from rnnedge.serialline.verification import Clock, Sensor, check_model, verify_device
        from rnnedge.targets.compare import choose

        hint = f"rnnedge flash {self.run} --board {board.name}"
        clock = Clock(core_hz=board.clock_hz)
        if emulated and board.emulator is not None and board.emulator.ticks_per_instruction:
            per_tick = 1 / board.emulator.ticks_per_instruction
            clock = Clock(unit=board.emulator.unit, per_tick=per_tick, core_hz=board.clock_hz)
        raw = self.kept.X_test
        count = self.windows or _FRESH_WINDOWS
        golden, fresh = raw[:GOLDEN_WINDOWS], choose(raw[GOLDEN_WINDOWS:], count)
        features, encoder = (
            None
            if part is None
            else np.concatenate([part[:GOLDEN_WINDOWS], choose(part[GOLDEN_WINDOWS:], count)])
            for part in (self.kept.start_test, self.kept.encoder_test)
        )
        sensor = Sensor(rate=self.spec.rate, hop=self.spec.hop)
        with open_device(port) as device:
            check_model(device, self.model, hint if emulated else f"{hint} --port {port}")
            self.say(f"{board.name}: running {len(golden) + len(fresh)} windows ...")
            result = verify_device(
                device, self.model, golden, fresh, sensor, clock, self.progress,
                features=features if self.model.start is not None else None,
                encoder=encoder if self.model.encoder is not None else None,
            )  # fmt: skip
            info = device.info
        self.say(f"{board.name}: {result['differences']:,} differences")
        return {
            "board": board.name,
            "target": board.name,
            "port": None if emulated else port,
            "model": info.name,
            "sha256": info.sha256,
            "compiler": None,
            "optimize": None,
            **result,
            "notes": _notes(board, result, None if emulated else port),
        }


def _notes(board: "Board", result: Document, port: str | None) -> list[str]:
    """Return what one has to know of the counts."""
    counting = board.emulator is not None and board.emulator.unit == "instructions"
    notes = []
    if result["unit"] == "instructions":
        notes.append("the emulator counts instructions; latency and headroom are of one a cycle")
    elif result["unit"] and port is not None and counting and _is_pty(port):
        notes.append(f"{port} is no real port: an emulator's counts are ticks, not cycles")
    if result["steady"] is False:
        notes.append("counts differ from step to step: not a steady clock, so no latency")
    return notes


def _is_pty(port: str) -> bool:
    return str(Path(port).resolve()).startswith(_PTY)
