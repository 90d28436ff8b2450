"""Boards: the same bits, over their serial lines."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rnnedge.api.opened import GOLDEN_WINDOWS, Document, open_run
from rnnedge.api.proving import check_folder
from rnnedge.arrays import F32
from rnnedge.errors import DeviceError
from rnnedge.output import write_files
from rnnedge.run import RunSpec
from rnnedge.spec import QuantizedModel

if TYPE_CHECKING:
    from rnnedge.boards import Board

_FRESH_WINDOWS = 8


def verify_boards(
    run: Path,
    boards: Sequence[str],
    *,
    port: str | None = None,
    export_folder: Path | None = None,
    windows: int | None = None,
) -> list[Document]:
    """Run golden and fresh windows on boards over their serial lines, compare every bit.

    Args:
        run: run folder.
        boards: names of rnnedge.boards.BOARDS.
        port: serial port of the board, which runs the run's firmware; None: the firmware is built
            and the board's emulator takes its place.
        export_folder: without a port, the package that the firmware is built of; None: a fresh one.
        windows: number of fresh test windows beside the golden ones; None: 8.

    Returns:
        For each board: board, target (the board, too), port (None: emulated), model, sha256,
        compiler (None with a port), and the fields of
        rnnedge.serialline.verification.verify_device.

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
    task = _BoardTask(run=run, spec=spec, model=model, raw=kept.X_test, windows=windows)
    if port is not None:
        return [task.verify(board, port, emulated=False) for board in chosen]
    return [task.emulate(board, export_folder) for board in chosen]


@dataclass(frozen=True, slots=True, kw_only=True)
class _BoardTask:
    """A run on its way to boards."""

    run: Path
    spec: RunSpec
    model: QuantizedModel
    raw: F32
    windows: int | None

    def emulate(self, board: "Board", folder: Path | None) -> Document:
        """Build the firmware of a board, and verify it in the board's emulator."""
        from rnnedge.boards.build import build
        from rnnedge.boards.emulator import emulated
        from rnnedge.boards.package import firmware_package
        from rnnedge.targets.cores import find_core

        with tempfile.TemporaryDirectory(prefix="rnnedge-") as work:
            package = Path(work) / "package" if folder is None else folder
            if folder is None:
                golden = self.raw[:GOLDEN_WINDOWS]
                write_files(package, firmware_package(board, self.model, golden))
            check_folder(package, self.model)
            firmware = build(board, package, Path(work) / "build")
            with emulated(board, firmware.elf) as port:
                document = self.verify(board, port, emulated=True)
        toolchain = find_core(board.core).toolchain
        document["compiler"] = None if toolchain is None else toolchain.version()
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
        golden, others = self.raw[:GOLDEN_WINDOWS], self.raw[GOLDEN_WINDOWS:]
        fresh = choose(others, self.windows or _FRESH_WINDOWS)
        sensor = Sensor(rate=self.spec.rate, hop=self.spec.hop)
        with open_device(port) as device:
            check_model(device, self.model, hint if emulated else f"{hint} --port {port}")
            result = verify_device(device, self.model, golden, fresh, sensor, clock)
            info = device.info
        return {
            "board": board.name,
            "target": board.name,
            "port": None if emulated else port,
            "model": info.name,
            "sha256": info.sha256,
            "compiler": None,
            **result,
        }
