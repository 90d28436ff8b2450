"""rnnedge train."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import DATA, json_option, report, table
from rnnedge.commands.dataoptions import data_options, taken_form
from rnnedge.commands.evaluate import warn
from rnnedge.commands.trainoptions import train_options
from rnnedge.errors import OutputError
from rnnedge.plaintext import counted

_SPREAD = ("mean", "deviation", "worst")
_BESIDE = ("agreement",)


class _Greedy(click.Command):
    """Let --test take every word up to the next option: no test file may end up in DATA."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write `--test a b` and `--test=a b` as `--test a --test b`."""
        spread: list[str] = []
        testing = False
        for word, following in zip(args, [*args[1:], "--"], strict=True):
            if word == "--test":
                testing = True
                if following.startswith("-"):
                    raise click.UsageError("--test names no file; name the test data", ctx)
            elif word.startswith("-") and word != "-":
                testing = word.startswith("--test=")
                spread.append(word)
            else:
                spread += ["--test", word] if testing else [word]
        return super().parse_args(ctx, spread)


@click.command(cls=_Greedy)
@click.argument("data", nargs=-1, required=True, type=DATA)
@click.option("--test", multiple=True, type=DATA, metavar="DATA...", help="Separate test data.")
@data_options
@click.option(
    "--split",
    type=click.Choice(["auto", "recording", "group", "time"]),
    help="What the parts are divided by. [default: group, else recording, else time]",
)
@train_options
@json_option
def train(
    data: tuple[Path, ...], test: tuple[Path, ...], out: Path, as_json: bool, **chosen: Any
) -> None:
    """Train a model on sensor data, series or text, and quantise it.

    DATA is one CSV with a label column, a CSV per class (or a folder of them), an .npz of windows
    (X, y, or X_train, y_train, X_test, y_test), or any other format that docs/data.md lists.

    Ctrl-C keeps what was trained in OUT.partial; the same command with --resume goes on with it.
    """
    from rnnedge import api
    from rnnedge.naming import check_name, default_name
    from rnnedge.train.options import TrainOptions
    from rnnedge.train.progress import ProgressBar, Silent

    form = taken_form(chosen)
    name, bits = chosen.pop("name"), chosen.pop("input_bits")
    force, resume, quiet = (chosen.pop(key) for key in ("force", "resume", "quiet"))
    options = TrainOptions(
        name=check_name(name) if name is not None else default_name(out.resolve().name),
        channel_units=chosen.pop("units_of_measure"),
        **{key: value for key, value in chosen.items() if value is not None},
    )
    with _interrupted(out), Silent() if quiet else ProgressBar() as progress:
        document = api.fit(
            data,
            out,
            options=options,
            form=form,
            test=test,
            input_bits=int(bits) if bits else None,
            progress=progress,
            force=force,
            resume=resume,
        )
    warn(document)
    report(document, as_json, _show)


@contextmanager
def _interrupted(out: Path) -> Iterator[None]:
    """End an interrupted training, or one on a full disk, with a line that says how it goes on."""
    from rnnedge.train.checkpoint import partial_folder

    try:
        yield
    except OutputError as error:
        if "cannot be written" not in str(error) or not partial_folder(out).exists():
            raise
        raise OutputError(f"{error}, then go on with the same command and --resume") from None
    except (KeyboardInterrupt, SystemExit) as stop:
        code = 128 + signal.SIGINT if isinstance(stop, KeyboardInterrupt) else stop.code
        folder = partial_folder(out)
        click.echo(
            f"interrupted; what was trained is in {folder}: go on with the same command and "
            "--resume"
            if folder.exists()
            else "interrupted before the end of an epoch; nothing was kept",
            err=True,
        )
        raise SystemExit(code) from None


def _show(document: dict[str, Any]) -> None:
    variants = document["variants"]
    names = list(dict.fromkeys(name for v in variants.values() for name in _figures(v)))
    rows = [
        [variant, *(f"{figures[name]:.4f}" if name in figures else "" for name in names)]
        for variant, figures in ((v, _figures(found)) for v, found in variants.items())
    ]
    table(
        ["test part", *(_spoken(name) for name in names)],
        rows,
        counted(document["windows"], "test window" if "steps" not in document else "test sequence"),
    )
    if "seeds" in document:
        _show_seeds(document["seeds"])
    click.echo(f"input: {document['input']['reason']}")
    click.echo(f"run folder {document['run']}, model {document['name']}")


def _show_seeds(seeds: dict[str, Any]) -> None:
    """Print how far the seeds lie apart."""
    rows = [
        [f"{variant} {_spoken(name)}", *(f"{spread[key]:.4f}" for key in _SPREAD)]
        for variant, figures in seeds["variants"].items()
        for name, spread in figures.items()
        if name not in _BESIDE
    ]
    table(
        ["test part", *_SPREAD],
        rows,
        f"{len(seeds['seeds'])} seeds; kept {seeds['kept']}, the best on the validation part",
    )


def _figures(variant: dict[str, Any]) -> dict[str, float]:
    """Return the metrics that are one number."""
    return {k: v for k, v in variant.items() if type(v) is float and k not in _BESIDE}


def _spoken(name: str) -> str:
    return name.replace("macro_f1", "macro F1").replace("_", " ")
