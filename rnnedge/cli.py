"""The command line: the group, and the one place that turns an error into a line and a code."""

import errno
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

import rnnedge
from rnnedge.commands.bench import bench
from rnnedge.commands.boards import boards
from rnnedge.commands.data import data
from rnnedge.commands.demo import demo
from rnnedge.commands.doctor import doctor
from rnnedge.commands.emulate import emulate
from rnnedge.commands.evaluate import evaluate
from rnnedge.commands.export import export
from rnnedge.commands.flash import flash
from rnnedge.commands.generate import generate
from rnnedge.commands.inspect import inspect
from rnnedge.commands.sensor import sensor
from rnnedge.commands.simulate import simulate
from rnnedge.commands.train import train
from rnnedge.commands.verify import verify
from rnnedge.errors import RnnedgeError
from rnnedge.plaintext import plain

_LONGEST_LINE = 1000


class _Group(click.Group):
    """A group whose commands report expected errors in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of use."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an RnnedgeError becomes one line and exit code 1."""
        try:
            with _ended_by_signals():
                return super().invoke(ctx)
        except RnnedgeError as error:
            raise click.ClickException(_line(str(error))) from None
        except MemoryError:
            raise click.ClickException("out of memory; use a smaller model or less data") from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            what = error.filename or "standard output or a temporary folder"
            raise click.ClickException(_line(f"{what}: {error.strerror or error}")) from None


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does: end child processes, remove temporary folders."""

    def unwind(number: int, _: FrameType | None) -> None:
        for other in before:
            signal.signal(other, lambda *_: None)  # once is enough
        raise SystemExit(128 + number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:  # nohup has it ignored
                before[number] = signal.signal(number, unwind)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _line(text: str) -> str:
    """Return `text` as one line of bearable length."""
    line = " ".join(plain(text).split())
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} ..."


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(rnnedge.__version__, prog_name="rnnedge")
def main() -> None:
    """Small recurrent networks on microcontrollers, bit for bit.

    train a model on sensor data, export it as C and TensorFlow Lite Micro, and verify that the
    device computes the same bits as this PC.
    """


for _command in (
    *(data, train, evaluate, export, verify, simulate, generate, bench, inspect),
    *(boards, flash, emulate, doctor, sensor, demo),
):
    main.add_command(_command)
