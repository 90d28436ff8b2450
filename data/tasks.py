"""What data is for: one rule by which `rnnedge data` suggests a task and `train` finds it."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from rnnedge.data.readers import Recording, Recordings, read
from rnnedge.data.readers.files import files_of
from rnnedge.data.timeline import GAP, usual_step
from rnnedge.errors import DataError, NoLabelsError
from rnnedge.run import DataFormat

NORMAL = ("normal", "ok", "good", "healthy", "none", "false", "0")
"""Names of the class of rows that are no anomaly."""

_ROWS = re.compile(r" (?:rows|lines) \d+-\d+$")  # how readers name a part of a recording's rows
_COUNTED = re.compile(r"\[\d+\]$")  # how they name one of several sequences


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """Data, read for its task.

    Attributes:
        task: one of rnnedge.spec.TASKS.
        reason: why, for people; "" where the task was asked for.
        how: the keywords of rnnedge.data.readers.read.
        data: the recordings.
    """

    task: str
    reason: str
    how: dict[str, Any]
    data: Recordings


def reading(task: str, form: DataFormat) -> dict[str, Any]:
    """Return how rnnedge.data.readers.read is to read the data of a task."""
    if task == "classify":
        return {}
    return {
        "labelled": task == "label",
        "rows": task in ("label", "anomaly"),
        "keep_targets": task == "forecast" and bool(form.targets),
    }


def read_for(
    task: str | None,
    paths: Sequence[Path],
    form: DataFormat,
    tell: Callable[[float], None] | None = None,
) -> Found:
    """Read the data of a task, or find the task from the data.

    Args:
        task: one of rnnedge.spec.TASKS, or None.
        paths: files and folders.
        form: how they are to be read.
        tell: called with the share that is read, 0 to 1.

    Raises:
        DataError: the data cannot be read, or has no labels and is no series either.
    """
    reason = ""
    if task is None:
        task, reason = asked(form)
    if task:
        how = reading(task, form)
        return Found(task=task, reason=reason, how=how, data=read(paths, form, tell=tell, **how))
    data, missing = read_any(paths, form, tell)
    task, reason = found_task(data, form)
    if task in ("next", "translate"):
        return Found(task=task, reason=reason, how=reading(task, form), data=data)
    how = reading(task, form)
    if how.get("rows") or (how and missing is None):
        data = read(paths, form, tell=tell, **how)
    if missing is not None and max(len(item.values) for item in data.items) < 2:
        raise missing
    return Found(task=task, reason=reason, how=how, data=data)


def read_any(
    paths: Sequence[Path], form: DataFormat, tell: Callable[[float], None] | None = None
) -> tuple[Recordings, NoLabelsError | None]:
    """Read data with its labels or, where it has none, without; then also say what is missing.

    Raises:
        DataError: the data cannot be read.
    """
    try:
        data = read(paths, form, tell=tell)
        missing = _only_a_file(data, paths, form)
        if missing is None:
            return data, None
        bare = tuple(replace(item, label=None) for item in data.items)
        return replace(data, items=bare, classes=()), missing
    except NoLabelsError as error:
        missing = error
    if form.label != DataFormat().label:
        raise missing
    try:
        return read(paths, form, labelled=False, tell=tell), missing
    except DataError as error:
        raise DataError(f"{missing}; nor is it a series of numbers: {error}") from None


def _only_a_file(data: Recordings, paths: Sequence[Path], form: DataFormat) -> NoLabelsError | None:
    """Say that the only class is the name of the only file of a folder, which is none."""
    if len(data.classes) != 1 or data.classes[0].strip().lower() in NORMAL:
        return None
    files = files_of(paths, form)
    if len(files) > 1 or not files[0].stem or files[0].label != data.classes[0]:
        return None
    return NoLabelsError(
        f"{files[0].path}: no label but the name of the only file; name the column with --label, "
        "give one file per class, or say what else to learn, such as --task forecast"
    )


def found_task(data: Recordings, form: DataFormat) -> tuple[str, str]:
    """Return the task of data that was read as if to be classified, and why.

    Args:
        data: the recordings, each of one class if it has any.
        form: how they were read.
    """
    if any(item.reply is not None for item in data.items):
        return "translate", "every sequence has a reply"
    if data.text:
        return "next", f"the data is text, {data.text}"
    wanted = asked(form)
    if wanted[0]:
        return wanted
    if any(item.start is not None for item in data.items):
        return "generate", "recordings have features to start from"
    count = len(data.classes)
    if count > 1:
        changing = labels_change(data, form)
        if changing == "inside":
            return "label", f"{count} classes, which change inside recordings"
        more = "; --task label answers at each row" if changing else ""
        return "classify", f"{count} classes{more}"
    if count == 1:
        return _one_class(data.classes[0])
    return "forecast", "there are no labels"


def labels_change(data: Recordings, form: DataFormat) -> str:
    """Tell whether only labels part recordings that go on: "inside", "perhaps" or "".

    It is "inside" where the recordings are stated, or their clocks run on while the label changes.
    """
    if form.recording_rows:
        return ""
    wholes: dict[tuple[str, str], list[Recording]] = defaultdict(list)
    for item in data.items:
        wholes[(item.file, _ROWS.sub("", item.source))].append(item)
    step = usual_step([item.time for item in data.items if item.time is not None])
    found, inside = 0, 0
    for (_, name), items in wholes.items():
        stated = bool(form.recording or _COUNTED.search(name))
        for before, after in pairwise(items):
            if before.label == after.label or before.group != after.group:
                continue
            found += 1
            inside += stated or _goes_on(before, after, step)
    if found and 2 * inside >= found:
        return "inside"
    return "perhaps" if found >= len(data.classes) else ""


def _goes_on(before: Recording, after: Recording, step: float) -> bool:
    """Tell whether a recording begins one usual step behind another one."""
    if before.time is None or after.time is None or not step:
        return False
    return 0 < float(after.time[0] - before.time[-1]) <= GAP * step


def asked(form: DataFormat) -> tuple[str, str]:
    """Return the task that the roles of columns ask for, and why; or nothing."""
    if form.start:
        return "generate", "--start names columns"
    return ("forecast", "--target names columns") if form.targets else ("", "")


def _one_class(name: str) -> tuple[str, str]:
    """Return the task of data of one class: which it is, only a name can tell."""
    if name.strip().lower() in NORMAL:
        return "anomaly", f"{name!r} is the only class"
    return (
        "classify",
        f"{name!r} is the only class, two are needed; if it is normal: --task anomaly",
    )
