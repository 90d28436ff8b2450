"""rnnedge evaluate."""

from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import (
    DATA,
    confusion,
    json_option,
    left_out,
    report,
    run_argument,
    table,
)
from rnnedge.commands.figures import baseline_notes, figures
from rnnedge.plaintext import counted

_AGREEING = 0.99


@click.command()
@run_argument
@click.argument("data", nargs=-1, type=DATA)
@click.option("--label", help="Label column of DATA. [default: that of the training]")
@click.option(
    "--tflite",
    type=click.Choice(["window", "stream", "all", "none"]),
    default="window",
    show_default=True,
    help="Forms for TensorFlow Lite Micro. All of them, on the 3,000 windows of 128 steps of HAPT, "
    "take some minutes.",
)
@json_option
def evaluate(
    run: Path, data: tuple[Path, ...], label: str | None, tflite: str, as_json: bool
) -> None:
    """Compare float, int8 and TensorFlow Lite Micro.

    On the test part, or on labelled DATA of the same form. Where --label says which rows are
    anomalies: how many of them a detector finds, and its false alarms. Streams also run over
    windows laid end to end, 500 steps without reset; their state is compared with the float
    model's, also with one whose input ends where the quantised one does ("clipped").
    """
    from rnnedge import api

    document = api.evaluate(run, data, label=label, tflite=api.WantedTflite(form=tflite))
    for row in document.get("no_tflite", []):
        click.echo(f"no .tflite {row['variant']}: {row['reason']}", err=True)
    if "kept" in document:
        click.echo(
            f"note: of {document['kept']} of the test part, which the run keeps; name the files to "
            "judge all of them",
            err=True,
        )
    warn(document)
    report(document, as_json, _show)


def warn(document: dict[str, Any]) -> None:
    """Say on standard error what is wrong with a run: int8 far from float, no use.

    Args:
        document: of api.fit or api.evaluate.
    """
    disagreement(document)
    for line in baseline_notes(document):
        click.echo(line, err=True)


def disagreement(document: dict[str, Any]) -> None:
    """Say that int8 and float decide too many windows differently, and the cure."""
    agreement = document["variants"]["int8"].get("agreement")
    if agreement is None or agreement >= _AGREEING:
        return
    cure = "try --input-bits 16"
    if document.get("ids"):
        cure = "its samples are ids, the rest is its int8 weights'"
    elif document["input_bits"] == 16:
        cure = "its input has 16 bits already, the rest is its int8 weights'"
    what = "step" if "steps" in document else "window"
    what = counted(document[f"{what}s"], what)
    click.echo(
        f"note: int8 agrees with float on only {100 * agreement:.1f} % of {what}; {cure}", err=True
    )


def _show(document: dict[str, Any]) -> None:
    if document["task"] != "classify":
        figures(document, f"{document['task']}, {document['steps']:,} steps, the state runs on")
        if "confusion" in document["variants"]["int8"]:
            title = "confusion of int8, in steps"
            confusion(document["variants"]["int8"], document["classes"], title)
        return
    figures(document, f"{document['task']}, {counted(document['windows'], 'window')}")
    _show_files(document["variants"])
    confusion(document["variants"]["int8"], document["classes"], "confusion of int8, in windows")
    left_out(document)


def _show_files(variants: dict[str, Any]) -> None:
    """Print what the .tflite forms take, and how near the state of streams stays to float."""
    rows = [
        [name, f"{variant['tflite_bytes']:,}", f"{variant['arena_bytes']:,}"]
        for name, variant in variants.items()
        if "tflite_bytes" in variant
    ]
    if rows:
        table(["TensorFlow Lite Micro", "bytes", "arena"], rows)
    runs = {
        name: variant["long_run"] for name, variant in variants.items() if "long_run" in variant
    }
    if not runs:
        return
    table(
        [
            "stream without reset",
            "RMS of h",
            "median",
            "agrees",
            "RMS, clipped",
            "median",
            "agrees",
        ],
        [
            [
                name,
                *(
                    text
                    for end in ("", "_clipped")
                    for text in (
                        _rms(run[f"state_rms{end}"]),
                        _rms(run[f"state_rms_median{end}"]),
                        f"{run[f'agreement{end}']:.4f}",
                    )
                ),
            ]
            for name, run in runs.items()
        ],
        "{streams} streams of {steps} steps, against float".format(**next(iter(runs.values()))),
    )


def _rms(value: float | None) -> str:
    return "inside" if value is None else f"{value:.4f}"
