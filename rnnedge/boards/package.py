"""The package that a board's firmware is built of: nothing but what that board needs."""

from rnnedge.arrays import F32
from rnnedge.boards.board import Board
from rnnedge.spec import QuantizedModel
from rnnedge.targets.cores import find_core


def firmware_package(board: Board, model: QuantizedModel, golden: F32) -> dict[str, bytes]:
    """Return the files of a package with a model and the firmware of a board.

    Args:
        board: decides the kernel; of a board that another build system builds, the project for that
            is there.
        model: the quantised model.
        golden: float32 (windows, steps, channels), raw units, for the golden vectors.
    """
    from rnnedge.convert.c import export_c
    from rnnedge.convert.packages import cmake, espidf, make_package
    from rnnedge.convert.packages.firmware import firmware_files

    core = find_core(board.core)
    files = export_c(model, golden, [core.kernel])
    package = make_package(model, files, {}, None)
    if core.toolchain is not None:
        return files | firmware_files(package)
    lists = cmake.lists(package, plain=False, idf=True)
    return {**files, **espidf.files(package), "CMakeLists.txt": lists}
