"""A run's firmware for a board; if it does not fit, what would."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rnnedge.errors import FitError
from rnnedge.output import write_files
from rnnedge.run import RunSpec
from rnnedge.runwindows import Given
from rnnedge.spec import QuantizedModel

if TYPE_CHECKING:
    from rnnedge.boards import Board
    from rnnedge.boards.build import Firmware


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A run on its way to a board.

    Attributes:
        board: where it goes.
        spec: of the run.
        model: of the run.
        golden: raw windows for the golden vectors, with what they start from.
        optimize: "speed" or "size"; None: speed or, where that does not fit, size.
    """

    board: "Board"
    spec: RunSpec
    model: QuantizedModel
    golden: Given
    optimize: str | None

    def build(self, work: Path, package: Path | None = None) -> "Firmware":
        """Build the firmware.

        Args:
            work: an existing folder.
            package: what it is built of; None: a fresh one, in `work`.

        Raises:
            ToolError: a tool is missing or fails.
            FitError: too large; says which width would fit.
        """
        from rnnedge.boards.build import build_fastest
        from rnnedge.boards.fit import lacking, most_units

        if package is None:
            package = self._package(self.model, work)
        try:
            return build_fastest(self.board, package, work / "build", optimize=self.optimize)
        except FitError as error:
            units = most_units(self.model, lambda model: self._fits(model, work))
            line = f"{self.board.name}: {lacking(error.over)}"
            raise FitError(f"{line}, {self._advice(units)}", error.over) from None

    def _package(self, model: QuantizedModel, work: Path) -> Path:
        from rnnedge.boards.package import firmware_package

        # into one folder: CMake compiles again only what has changed
        package = work / "package"
        files = firmware_package(self.board, model, self.golden)
        old = {path for path in files if _same(package / path, files[path])}
        write_files(package, {path: data for path, data in files.items() if path not in old})
        return package

    def _fits(self, model: QuantizedModel, work: Path) -> bool:
        from rnnedge.boards.build import build

        package = self._package(model, work)
        try:
            build(self.board, package, work / "narrower", optimize=self.optimize or "size")
        except FitError:
            return False
        return True

    def _advice(self, units: int | None) -> str:
        if units is None:
            return "and no number of units would fit; take another board"
        layers = len(self.model.recurrent)
        keeping = f", keeping {layers} layers" if layers > 1 else ""
        if "imported" in self.spec.split:
            return f"it fits with {units} units in the widest layer{keeping}; or take another board"
        return f"try --units {units}{keeping} (rnnedge train), or another board"


def _same(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data
