"""Which columns are channels, targets and starts, whatever the file format."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rnnedge.data.readers.recordings import pick_channels
from rnnedge.data.readers.request import Request
from rnnedge.errors import DataError
from rnnedge.run import DataFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Positions of columns.

    Attributes:
        channels: the inputs, in order.
        targets: what is forecast or mapped to, in order.
        start: what a series starts from, in order.
    """

    channels: tuple[int, ...]
    targets: tuple[int, ...]
    start: tuple[int, ...]


def roles(
    names: Sequence[str], want: Request, where: str, *, taken: Collection[int] = (), start: bool
) -> Roles:
    """Divide columns by their role.

    Args:
        names: names of all columns.
        want: channels, targets and starts by name.
        where: file name for messages.
        taken: columns that are no channels: label, group, recording, time, row number.
        start: whether the starts are columns here (not in a manifest).

    Raises:
        DataError: a named column does not exist, a channel has no name, or no channel is left.
    """
    form = want.form
    present = [name for name in form.targets if want.labelled or name in names]
    targets = pick_channels(names, present, where)
    starts = pick_channels(names, form.start, where) if start else []
    wanted = want.channels or form.channels
    if wanted:
        channels = pick_channels(names, wanted, where)
        return Roles(channels=tuple(channels), targets=tuple(targets), start=tuple(starts))
    ignored = pick_channels(names, form.ignore, where)
    out = {*taken, *ignored, *starts, *(() if want.keep_targets else targets)}
    channels = [index for index in range(len(names)) if index not in out]
    for index in channels:
        if not names[index]:
            raise DataError(
                f"{where}: column {index + 1} has no name; name it, drop it, or choose the "
                "others with --channels"
            )
    if not channels:
        raise DataError(f"{where}: no channel is left among {', '.join(names)}{_taken(form)}")
    return Roles(channels=tuple(channels), targets=tuple(targets), start=tuple(starts))


def _taken(form: DataFormat) -> str:
    """Say which options took columns, and which of them may be in vain."""
    options = {
        "--target": form.targets,
        "--start": form.start,
        "--recording": (form.recording,) if form.recording else (),
        "--group": (form.group,) if form.group else (),
        "--ignore": form.ignore,
    }
    took = [f"{option} took {', '.join(names)}" for option, names in options.items() if names]
    cure = "; generate needs no --target" if form.start and form.targets else ""
    return f": {', '.join(took)}{cure}" if took else ""
