"""What is asked of a reader: the files, with what is known of them, and how they are to be read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rnnedge.run import DataFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file and what its folder, its name or a manifest says of it.

    Attributes:
        path: the file.
        label: name of the class of what is in it, or None.
        stem: whether `label` is only the name of the file.
        group: the unit that must never be divided between the parts, or None.
        part: "train", "test" or None.
        start: what a generated series starts from, raw units; empty: nothing.
    """

    path: Path
    label: str | None = None
    stem: bool = False
    group: str | None = None
    part: str | None = None
    start: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How files are to be read, the same for all of them.

    Attributes:
        form: names of the columns, how recordings are told apart, what becomes of gaps.
        labelled: whether a label is required; without, labels that are there are left out where
            they would divide recordings.
        channels: the channels to take, in order; empty: those of `form`, or all that are left.
        rows: whether each row keeps its class (`Recording.row_labels`); else a recording ends
            where the label changes.
        keep_targets: whether the columns of `form.targets` stay channels, too.
        vocabulary: of text, the words or characters in the order of their ids; empty: those found.
        reply_vocabulary: the same of replies.
        tell: called with the share that is read, 0 to 1, or None.
    """

    form: DataFormat
    labelled: bool = True
    channels: tuple[str, ...] = ()
    rows: bool = False
    keep_targets: bool = False
    vocabulary: tuple[str, ...] = ()
    reply_vocabulary: tuple[str, ...] = ()
    tell: Callable[[float], None] | None = None

    @property
    def takes_labels(self) -> bool:
        """Whether labels that are there are kept: required, or those of single rows."""
        return self.labelled or self.rows

    @property
    def holes(self) -> bool:
        """Whether missing values may stay in the recordings, as NaN."""
        return self.form.missing != "refuse"

    def progress(self, share: float) -> None:
        """Tell the share that is read, 0 to 1."""
        if self.tell is not None:
            self.tell(min(1.0, share))
