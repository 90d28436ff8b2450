"""Targets: the same bits, and what they cost."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnedge.api.opened import GOLDEN_WINDOWS, Document, open_run
from rnnedge.arrays import F32
from rnnedge.errors import DeviceError, ModelError
from rnnedge.modelfile import model_hash
from rnnedge.output import write_files
from rnnedge.run import RunSpec
from rnnedge.spec import QuantizedModel

if TYPE_CHECKING:
    from rnnedge.boards import Board
    from rnnedge.targets.exported import Exported

_FRESH_WINDOWS = 8


def verify(
    run: Path,
    targets: Sequence[str],
    *,
    export_folder: Path | None = None,
    windows: int | None = None,
) -> list[Document]:
    """Compile the exported C, run real windows on each target, compare every bit.

    Args:
        run: run folder.
        targets: names of rnnedge.targets.TARGETS.
        export_folder: exported folder, taken as it stands; None: a fresh export.
        windows: number of test windows; None: the target's default.

    Returns:
        For each target: target, windows, values_compared (states_compared + scores_compared),
        differences, first_difference (a sentence, or None).

    Raises:
        RnnedgeError: no such run, a compiler or emulator is missing, or the folder was exported
            from another model.
    """
    from rnnedge.targets import find_targets
    from rnnedge.targets.compare import compare

    chosen = find_targets(targets)
    _, model, kept = open_run(run)
    raw = kept.X_test
    with _exported(model, raw, export_folder) as exported:
        return [compare(target, exported, model, raw, windows) for target in chosen]


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
        from rnnedge.targets.cores import find_core

        with tempfile.TemporaryDirectory(prefix="rnnedge-") as work:
            package = self._package(board, Path(work) / "package") if folder is None else folder
            _check_folder(package, self.model)
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

    def _package(self, board: "Board", folder: Path) -> Path:
        """Write what the firmware of a board is built of."""
        from rnnedge.convert.c import export_c, kernels_of
        from rnnedge.convert.packages import make_package
        from rnnedge.convert.packages.firmware import firmware_files

        files = export_c(self.model, self.raw[:GOLDEN_WINDOWS], kernels_of([board.core]))
        write_files(folder, files | firmware_files(make_package(self.model, files, {}, None)))
        return folder


def bench(
    run: Path | None,
    targets: Sequence[str],
    *,
    optimize: str = "speed",
    keep: Path | None = None,
    **shape: Any,
) -> list[Document]:
    """Count instructions per step and read sizes, on emulated targets.

    Args:
        run: run folder, or None for a model with random weights.
        targets: names of rnnedge.targets.COUNTING, or "all".
        optimize: "speed" or "size".
        keep: folder that gets the linked programs, with their marker functions.
        shape: cell, units, inputs, layers, reset_after of rnnedge.benchmark.random_model.

    Returns:
        For each target: target, compiler, cell, units (of the first layer), layers, inputs, steps,
        per_step and per_step_min (equal, unless a step depends on data), per_mac, unit
        ("instructions" or "cycles"), optimize, code_bytes (runtime with head and input),
        step_code_bytes (the functions that a step runs), const_bytes (table and model), ram_bytes
        (state and scratch), stack_bytes (of a step), program_flash_bytes and program_ram_bytes
        (the whole verify program on the emulated board).

    Raises:
        RnnedgeError: no such run, a tool is missing, or the target cannot count.
    """
    from rnnedge.benchmark import random_model
    from rnnedge.targets import find_counting_targets
    from rnnedge.targets.compare import measure

    chosen = find_counting_targets(targets)
    if run is None:
        model, raw = random_model(**shape)
    else:
        _, model, kept = open_run(run)
        raw = kept.X_test
    with _exported(model, raw, None) as exported:
        return [measure(target, exported, model, raw, optimize, keep) for target in chosen]


@contextmanager
def _exported(model: QuantizedModel, raw: F32, folder: Path | None) -> Iterator["Exported"]:
    """Give the exported folder of `model`: `folder` as it stands, or a fresh temporary one."""
    from rnnedge.convert.c import export_c
    from rnnedge.targets.exported import open_exported

    if folder is not None:
        _check_folder(folder, model)
        yield open_exported(folder)
        return
    with tempfile.TemporaryDirectory(prefix="rnnedge-") as work:
        write_files(Path(work) / model.name, export_c(model, raw[:GOLDEN_WINDOWS]))
        yield open_exported(Path(work) / model.name)


def _check_folder(folder: Path, model: QuantizedModel) -> None:
    """Refuse an exported folder of another model."""
    from rnnedge.targets.exported import open_exported

    found = open_exported(folder).sha256
    if found != model_hash(model):
        raise ModelError(
            f"{folder}: exported from another model ({found[:12]}) than the run's "
            f"({model_hash(model)[:12]}); run rnnedge export again"
        )
