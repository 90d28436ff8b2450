"""rnnedge train."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import DATA, FOLDER, json_option, report, table
from rnnedge.commands.dataoptions import data_options, taken_form
from rnnedge.commands.evaluate import disagreement


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


def _pairs(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(item.partition("=")[::2] for item in value)
    if not all(name and unit for name, unit in pairs.items()):
        raise click.BadParameter("expected CHANNEL=UNIT, such as ax=g")
    return pairs


@click.command(cls=_Greedy)
@click.argument("data", nargs=-1, required=True, type=DATA)
@click.option("--test", multiple=True, type=DATA, metavar="DATA...", help="Separate test data.")
@click.option("--out", required=True, type=FOLDER, help="Run folder to make.")
@click.option("--cell", default="gru", show_default=True, help="Recurrent cell: gru, lstm or rnn.")
@click.option("--units", default=32, show_default=True, type=click.IntRange(1, 4096))
@click.option(
    "--layers", default=1, show_default=True, type=click.IntRange(1, 8), help="Recurrent layers."
)
@click.option("--reset-after/--reset-before", default=True, show_default=True, help="GRU form.")
@click.option(
    "--window",
    type=click.IntRange(1, 65535),
    help="Time steps of a window. [default: a recording's]",
)
@click.option(
    "--hop", type=click.IntRange(min=1), help="Steps between windows. [default: half a window]"
)
@data_options
@click.option(
    "--split",
    type=click.Choice(["auto", "recording", "group", "time"]),
    help="What the parts are divided by. [default: group, else recording, else time]",
)
@click.option("--rate", type=float, help="Samples per second, for the export's documentation.")
@click.option(
    "--unit", "units_of_measure", multiple=True, callback=_pairs, metavar="CHANNEL=UNIT",
    help="Unit of measure of a channel; may be repeated.",
)  # fmt: skip
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1))
@click.option("--epochs", type=click.IntRange(1, 10**6), help="[default: by the data]")
@click.option(
    "--batch-size", type=click.IntRange(1, 10**6), help="[default: by the amount of data]"
)
@click.option(
    "--learning-rate",
    type=float,
    help="Of Adam at the start; decays along a cosine. [default: 0.005]",
)
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    help="Epochs without improvement before stopping. [default: a third of all]",
)
@click.option(
    "--dropout", type=float, help="Share of the cell's inputs dropped in training. [default: 0]"
)
@click.option(
    "--test-fraction", type=float, help="Share held out where there is no --test. [default: 0.2]"
)
@click.option(
    "--validation-fraction",
    type=float,
    help="Share of the rest for early stopping. [default: 0.15]",
)
@click.option(
    "--input-bits",
    type=click.Choice(["8", "16"]),
    help="Of the first layer. [default: 16 where 8 lose calibration windows]",
)
@click.option("--name", help="Name of the model in C. [default: of the run folder]")
@click.option("--force", is_flag=True, help="Replace an existing run.")
@json_option
def train(
    data: tuple[Path, ...], test: tuple[Path, ...], out: Path, as_json: bool, **chosen: Any
) -> None:
    """Train a model on sensor data and quantise it.

    DATA is one CSV with a label column, a CSV per class (or a folder of them), or an .npz of
    windows (X, y, or X_train, y_train, X_test, y_test).
    """
    from rnnedge import api
    from rnnedge.naming import check_name, default_name
    from rnnedge.train.options import TrainOptions
    from rnnedge.train.progress import ProgressBar

    form = taken_form(chosen)
    name, bits, force = (chosen.pop(key) for key in ("name", "input_bits", "force"))
    options = TrainOptions(
        name=check_name(name) if name is not None else default_name(out.resolve().name),
        channel_units=chosen.pop("units_of_measure"),
        **{key: value for key, value in chosen.items() if value is not None},
    )
    with ProgressBar() as bar:
        document = api.fit(
            data,
            out,
            options=options,
            form=form,
            test=test,
            input_bits=int(bits) if bits else None,
            progress=bar,
            force=force,
        )
    disagreement(document)
    report(document, as_json, _show)


def _show(document: dict[str, Any]) -> None:
    rows = [
        [name, f"{variant['accuracy']:.4f}", f"{variant['macro_f1']:.4f}"]
        for name, variant in document["variants"].items()
    ]
    table(["test part", "accuracy", "macro F1"], rows, f"{document['windows']} test windows")
    click.echo(f"input: {document['input']['reason']}")
    click.echo(f"run folder {document['run']}, model {document['name']}")
