"""The package that a board's firmware is built of: nothing but what that needs."""

from rnnedge.arrays import F32
from rnnedge.boards.board import Board
from rnnedge.spec import QuantizedModel
from rnnedge.targets.cores import find_core


def firmware_package(
    board: Board, model: QuantizedModel, golden: F32, project: str = ""
) -> dict[str, bytes]:
    """Return the files of a package with a model and the firmware of a board.

    Args:
        board: decides the kernel.
        model: the quantised model.
        golden: float32 (windows, steps, channels), raw units, for the golden vectors.
        project: "esp_idf" or "zephyr": what that builds, not the firmware; in examples/ of this
            name.
    """
    from rnnedge.convert.c import export_c
    from rnnedge.convert.packages import cmake, espidf, make_package, zephyr
    from rnnedge.convert.packages.firmware import firmware_files

    files = export_c(model, golden, [find_core(board.core).kernel])
    package = make_package(model, files, {}, None)
    if project == "zephyr":
        return {**files, **zephyr.files(package)}
    if project == "esp_idf":
        lists = cmake.lists(package, plain=False, idf=True)
        return {**files, **espidf.files(package), "CMakeLists.txt": lists}
    return files | firmware_files(package)
