"""What a data set holds, before any training."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from rnnedge.api.opened import Document
from rnnedge.errors import DataError, OutputError
from rnnedge.output import write_files
from rnnedge.run import DataFormat

_KINDS = (".png", ".svg")


def describe_data(
    data: Sequence[Path],
    form: DataFormat | None = None,
    *,
    plot: Path | None = None,
    tell: Callable[[float], None] | None = None,
) -> Document:
    """Describe data files; nothing is trained, and only the plot is written.

    Args:
        data: what `fit` takes.
        form: how the files are to be read. Missing values are counted, whatever becomes of them.
        plot: a .png or .svg to draw, or None.
        tell: called with the share that is read, 0 to 1.

    Returns:
        What rnnedge.data.describe.describe says; plot: the file drawn, or None.

    Raises:
        RnnedgeError: the data cannot be read, or the plot not be drawn or written.
    """
    from rnnedge.data.describe import describe
    from rnnedge.data.readers import read
    from rnnedge.data.tasks import found_task, read_any, reading

    if plot is not None and plot.suffix.lower() not in _KINDS:
        raise OutputError(
            f"{plot}: a plot is a {' or '.join(_KINDS)}; give it one of these endings"
        )
    form = form or DataFormat()
    holes = replace(form, missing="interpolate") if form.missing == "refuse" else form
    unlabelled = ""
    try:
        recordings, _ = read_any(data, holes, tell)
    except DataError as error:
        unlabelled = str(error)
        recordings = read(data, holes, labelled=False, tell=tell)
    task = found_task(recordings, form)
    if task[0] == "label":  # its recordings do not end where the label changes
        recordings = read(data, holes, tell=tell, **reading("label", holes))
    document = describe(recordings, form, task)
    if unlabelled:
        document["notes"].insert(0, f"read without labels: {unlabelled}")
    if plot is not None:
        from rnnedge.data.plots import picture

        drawn = picture(recordings, plot.suffix.lower()[1:])
        write_files(plot.parent, {plot.name: drawn})
    return {**document, "plot": None if plot is None else str(plot)}
