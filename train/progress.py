"""Progress of training: what is reported, and a bar on stderr that shows it."""

import sys
from types import TracebackType
from typing import Protocol, Self

from rich import progress as rich_progress
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn


class Progress(Protocol):
    """Whoever wants to follow the training."""

    def start(self, total: int) -> None:
        """Announce the largest number of epochs."""

    def update(self, epoch: int, loss: float, accuracy: float, val_accuracy: float) -> None:
        """Report the end of an epoch, counted from 1."""


class Silent:
    """A listener that ignores everything."""

    def start(self, total: int) -> None:
        """Ignore the start."""

    def update(self, epoch: int, loss: float, accuracy: float, val_accuracy: float) -> None:
        """Ignore an epoch."""


class ProgressBar:
    """A listener that draws a bar on stderr where stderr is a terminal; a context manager."""

    def __init__(self) -> None:
        console = Console(file=sys.stderr)
        self._bar = rich_progress.Progress(
            TextColumn("training"),
            BarColumn(),
            TextColumn("epoch {task.completed}/{task.total}  {task.description}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def start(self, total: int) -> None:
        """Show an empty bar."""
        self._task = self._bar.add_task("compiling", total=total)

    def update(self, epoch: int, loss: float, accuracy: float, val_accuracy: float) -> None:
        """Advance the bar and show the figures of the epoch."""
        if self._task is not None:
            self._bar.update(
                self._task,
                completed=epoch,
                description=f"loss {loss:.3f}  accuracy {accuracy:.3f}  "
                f"validation {val_accuracy:.3f}",
            )
