"""Progress of training: what is reported, and a bar on stderr that shows it."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Protocol, Self

from rich import progress as rich_progress
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn

Tell = Callable[[float], None]
"""Takes the share that is done, 0 to 1."""


class Progress(Protocol):
    """Whoever wants to follow the training."""

    def note(self, text: str) -> None:
        """Tell something about the data or the training, in one line."""

    def stage(self, name: str, /) -> AbstractContextManager[Tell]:
        """Announce work that may take long, such as "reading"; it may tell how far it is."""

    def start(self, total: int) -> None:
        """Announce the largest number of epochs."""

    def update(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Report the end of an epoch, counted from 1, with its figures (`History.epochs`)."""


class Silent:
    """A listener that ignores everything; a context manager as `ProgressBar` is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def note(self, text: str) -> None:
        """Ignore a remark."""

    @contextmanager
    def stage(self, _: str, /) -> Iterator[Tell]:
        """Ignore a stage."""
        yield lambda _: None

    def start(self, total: int) -> None:
        """Ignore the start."""

    def update(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Ignore an epoch."""


class ProgressBar:
    """A listener on stderr; a context manager.

    It draws a bar where stderr is a terminal, and writes about ten lines elsewhere.
    """

    def __init__(self) -> None:
        self._console = console = Console(file=sys.stderr, soft_wrap=True, highlight=False)
        self._total = 0
        self._bar = rich_progress.Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
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

    def note(self, text: str) -> None:
        """Write a line."""
        self._console.print(text, markup=False)

    @contextmanager
    def stage(self, name: str, /) -> Iterator[Tell]:
        """Show a bar while the block runs; it moves only where its share is told."""
        task = self._bar.add_task(name, total=None, figures="")

        def tell(share: float) -> None:
            self._bar.update(task, total=1.0, completed=share, figures=f"{100 * share:.0f} %")

        try:
            yield tell
        finally:
            self._bar.remove_task(task)

    def refresh(self) -> None:
        """Draw at once what is otherwise drawn ten times a second."""
        self._bar.refresh()

    def start(self, total: int) -> None:
        """Show an empty bar."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._total = total
        self._task = self._bar.add_task("training", total=total, figures="compiling")

    def update(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Advance the bar and show the figures of the epoch."""
        text = f"epoch {epoch}/{self._total}  {shown(figures)}"
        if self._task is not None:
            self._bar.update(self._task, completed=epoch, figures=text)
        if (
            not self._console.is_terminal
            and epoch * 10 // self._total > (epoch - 1) * 10 // self._total
        ):
            self.note(text)


def shown(figures: Mapping[str, float]) -> str:
    """Write the figures of an epoch: the loss, and what is measured beside it in both parts.

    >>> shown({"loss": 0.25, "accuracy": 0.9, "validation_loss": 0.3, "validation_accuracy": 0.8})
    'loss 0.250  accuracy 0.900  validation 0.800'
    >>> shown({"loss": 0.25, "validation_loss": 0.3})
    'loss 0.250  validation 0.300'
    """
    beside = [name for name in figures if f"validation_{name}" in figures and name != "loss"][:1]
    last = f"validation_{beside[0] if beside else 'loss'}"
    texts = [f"{name} {figures[name]:.3f}" for name in ("loss", *beside) if name in figures]
    return "  ".join([*texts, f"validation {figures[last]:.3f}"])
