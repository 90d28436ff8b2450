"""What a data set holds, before any training."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rnnedge.api.opened import Document
from rnnedge.errors import DataError, OutputError
from rnnedge.output import write_files
from rnnedge.run import DataFormat

if TYPE_CHECKING:
    from rnnedge.data.readers import Recordings

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
        What rnnedge.data.describe.describe says; plot: the file drawn, or None; window: own tells
        whether training takes it by itself; recording_rows: None or {"rows", "reason"} where files
        are to be cut into recordings; refused: why it could not be trained as suggested, or "".

    Raises:
        RnnedgeError: the data cannot be read, or the plot not be drawn or written.
    """
    from rnnedge.data.describe import describe
    from rnnedge.data.readers import read
    from rnnedge.data.tasks import asked, found_task, read_any, reading

    if plot is not None and plot.suffix.lower() not in _KINDS:
        raise OutputError(
            f"{plot}: a plot is a {' or '.join(_KINDS)}; give it one of these endings"
        )
    form = form or DataFormat()
    holes = replace(form, missing="interpolate") if form.missing == "refuse" else form
    unlabelled = ""
    wanted = asked(form)[0]
    try:
        if wanted:
            recordings = read(data, holes, tell=tell, **reading(wanted, holes))
        else:
            recordings, _ = read_any(data, holes, tell)
    except DataError as error:
        unlabelled = str(error)
        recordings = read(data, holes, labelled=False, tell=tell)
    task = found_task(recordings, form)
    if task[0] == "label":  # its recordings do not end where the label changes
        recordings = read(data, holes, tell=tell, **reading("label", holes))
    document = describe(recordings, form, task)
    document |= {"recording_rows": None, "refused": ""}
    if document["window"] is not None:
        document |= _tried(data, recordings, form, document)
    if unlabelled:
        document["notes"].insert(0, f"read without labels: {unlabelled}")
    if plot is not None:
        from rnnedge.data.plots import picture

        drawn = picture(recordings, plot.suffix.lower()[1:])
        write_files(plot.parent, {plot.name: drawn})
    return {**document, "plot": None if plot is None else str(plot)}


def _tried(
    paths: Sequence[Path], data: "Recordings", form: DataFormat, document: Document
) -> Document:
    """Return window, recording_rows and refused, after a training was tried up to its parts."""
    from rnnedge.api.planning import planned, trial
    from rnnedge.data.hints import common_rows
    from rnnedge.data.readers import read

    task, window = document["task"]["name"], document["window"]
    taken = planned(document, form)
    tried, cut = trial(data, taken, task, window["rows"]), None
    rows = common_rows(data, form) if task == "classify" and tried.refused else 0
    if rows:
        parted = replace(taken, recording_rows=rows)
        again = trial(read(paths, parted), parted, task, window["rows"])
        if not again.refused:
            tried = again
            cut = {"rows": rows, "reason": "every file has a whole number of them"}
    return {
        "window": {"rows": tried.window, "reason": tried.why or window["reason"], "own": tried.own},
        "recording_rows": cut,
        "refused": tried.refused,
    }
