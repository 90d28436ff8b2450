"""The package that a board's firmware is built of: nothing but what that needs."""

from rnnedge.boards.board import Board
from rnnedge.runwindows import Given
from rnnedge.spec import QuantizedModel
from rnnedge.targets.cores import find_core


def firmware_package(
    board: Board, model: QuantizedModel, golden: Given, project: str = ""
) -> dict[str, bytes]:
    """Return the files of a package with a model and the firmware of a board.

    Args:
        board: decides the kernel.
        model: the quantised model.
        golden: raw windows for the golden vectors, with what they start from.
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
