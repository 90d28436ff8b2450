"""rnnedge export."""

from pathlib import Path
from textwrap import shorten
from typing import Any

import click

from rnnedge.commands.common import (
    CORES,
    DATA,
    FOLDER,
    json_option,
    names,
    numbers,
    report,
    target_option,
)

_OPTIONS = {"speed": "-O3", "size": "-Os"}


@click.command()
@click.argument("run", type=FOLDER, metavar="RUN|MODEL.keras")
@click.option("--out", required=True, type=FOLDER, help="Folder to write into.")
@click.option(
    "--format",
    "form",
    default="all",
    show_default=True,
    metavar="FORMAT",
    help="arduino, platformio, esp-idf, zephyr, cmake, or all: one folder for all of them.",
)
@target_option("all", f"Cores whose weights are wanted: host, {CORES}")
@click.option(
    "--measure",
    multiple=True,
    metavar="TARGET",
    help=f"Cores on which the README's figures are measured: {CORES}, all or none; may be "
    "repeated. [default: cortex-m4]",
)
@click.option(
    "--counts-per-unit",
    callback=numbers,
    metavar="N[,N...]",
    help="Raw int16 counts of the sensor per unit of the training data, for each channel or one "
    "for all: samples in counts need no floats.",
)
@click.option(
    "--tflite",
    type=click.Choice(["window", "stream", "all", "none"]),
    default="window",
    show_default=True,
    help="For TensorFlow Lite Micro: a whole window at once, one step at a time, every form that "
    "the model can have, or nothing.",
)
@click.option(
    "--state",
    type=click.Choice(["io", "variables"]),
    help="Of a stream: the state goes in and out of the graph, or stays inside. [default: io]",
)
@click.option(
    "--precision",
    type=click.Choice(["16x8", "8x8"]),
    help="Activations int16, or int8 where the operators allow; weights int8. [default: 16x8]",
)
@click.option(
    "--calibrate", multiple=True, type=DATA, metavar="DATA", help="For a .keras file; repeatable."
)
@click.option("--window", type=click.IntRange(1, 65535), help="Time steps. [default: the model's]")
@click.option("--classes", callback=names, help="Names of the outputs, by comma.")
@click.option("--channels", callback=names, help="Channel columns of DATA, by comma.")
@click.option("--ignore", callback=names, help="Columns of DATA that are no channels, by comma.")
@click.option("--label", default="label", show_default=True, help="Label column of DATA, if any.")
@click.option("--recording", help="Column of DATA that numbers the recordings.")
@click.option("--recording-rows", type=click.IntRange(min=1), help="Rows of a recording in DATA.")
@click.option("--rate", type=float, help="Samples per second, for the documentation.")
@click.option("--input-bits", type=click.Choice(["8", "16"]), help="[default: by calibration]")
@click.option("--name", help="Name of the model in C. [default: of the file]")
@click.option("--run", "keep_run", type=FOLDER, help="Also leave a run folder, to verify it.")
@click.option(
    "--force", is_flag=True, help="Replace that run folder, and files of yours in the way."
)
@json_option
def export(
    run: Path,
    out: Path,
    form: str,
    targets: tuple[str, ...],
    measure: tuple[str, ...],
    counts_per_unit: tuple[float, ...] | None,
    tflite: str,
    state: str | None,
    precision: str | None,
    calibrate: tuple[Path, ...],
    force: bool,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Write a run, or a Keras model, as a package for firmware.

    One folder that Arduino (also as a zip beside it), PlatformIO, ESP-IDF, Zephyr and CMake take as
    it stands: model, runtime, golden vectors, examples, a README with measured figures, and in
    extras/tflite the model for TensorFlow Lite Micro. Files of an earlier export are replaced, or
    removed if they are no longer part of it. Examples that you have filled in stay as they are;
    any other file of yours in the way is named, and nothing is written.

    A Keras model of your own needs --calibrate: data that looks like its input, labels or not.
    """
    from rnnedge import api

    if state is not None and tflite in ("window", "none"):
        raise click.UsageError("--state is for --tflite stream or all")
    if precision is not None and tflite == "none":
        raise click.UsageError("--precision is for a .tflite; --tflite none writes none")
    wanted = api.Wanted(
        targets=targets,
        format=form,
        measure=measure or None,
        counts_per_unit=counts_per_unit,
        tflite=api.WantedTflite(form=tflite, state=state, precision=precision),
    )
    if run.suffix.lower() == ".keras":
        if not calibrate:
            raise click.UsageError(f"{run}: a Keras model needs --calibrate DATA")
        document = api.export_keras(
            run, calibrate, out, wanted, force=force, **_options(run, chosen)
        )
    else:
        keras_only = [
            name for name, value in chosen.items() if value and (name, value) != ("label", "label")
        ]
        if calibrate or keras_only:
            raise click.UsageError(
                f"{run}: a run needs no options but --out, --format, --target, --measure, "
                "--counts-per-unit, --tflite, --state, --precision and --force"
            )
        document = api.export(run, out, wanted, force=force)
    _remark(document)
    report(document, as_json, _show)


def _remark(document: dict[str, Any]) -> None:
    """Say on standard error what is missing or was replaced."""
    if document["replaced"] is not None:
        click.echo(f"{document['out']}: replaces model {document['replaced']}", err=True)
    if document["without_unit"]:
        channels = shorten(", ".join(document["without_unit"]), 60, placeholder=" ...")
        click.echo(
            f"units not known ({channels}): write `ax [g]` in the CSV's header, or train with "
            "--unit ax=g",
            err=True,
        )
    for row in document["not_measured"]:
        click.echo(f"{row['target']}: not measured: {row['reason']}", err=True)
    for row in document["no_tflite"]:
        click.echo(f"no .tflite {row['variant']}: {row['reason']}", err=True)
    for path in document["kept"]:
        if path in document["files"]:
            click.echo(f"{path}: kept, because it was changed (--force replaces it)", err=True)
        else:
            click.echo(f"{path}: of an earlier export, kept because it was changed", err=True)


def _options(path: Path, chosen: dict[str, Any]) -> dict[str, Any]:
    """Return the options of api.export_keras."""
    from rnnedge.naming import check_name, default_name
    from rnnedge.run import DataFormat

    columns = ("label", "recording", "recording_rows", "channels", "ignore")
    form = DataFormat(**{key: chosen.pop(key) for key in columns})
    name, bits = chosen.pop("name"), chosen.pop("input_bits")
    return {
        "form": form,
        "name": check_name(name) if name is not None else default_name(path.stem),
        "input_bits": int(bits) if bits else None,
        **chosen,
    }


def _show(document: dict[str, Any]) -> None:
    formats = document["formats"]
    click.echo(
        f"{document['out']}: {len(document['files'])} files for {', '.join(formats)}; README.md "
        f"says what the model expects and answers, src/{document['name']}.h is its header"
    )
    if document["zip"] is not None:
        click.echo(f"{document['zip']}: the same for Arduino's Add .ZIP Library")
    click.echo(
        f"model {document['name']}: {document['const_bytes']:,} bytes of weights, biases and "
        f"scales before packing, at most {document['ram_bytes']:,} of RAM"
    )
    click.echo(f"input: {document['input']['reason']}")
    for row in document["tflite"]:
        click.echo(
            f"{row['file']}: {row['variant']} for TensorFlow Lite Micro, {row['tflite_bytes']:,} "
            f"bytes, arena {row['arena_bytes']:,}"
        )
    for row in document["measured"]:
        click.echo(
            f"{row['target']}, {_OPTIONS[row['optimize']]}: {row['per_step']:,} {row['unit']} a "
            "step, "
            f"{row['code_bytes'] + row['const_bytes']:,} bytes of flash, "
            f"{row['ram_bytes']:,} of RAM"
        )
    if "cmake" in formats:
        click.echo(
            f"test it: cmake -S {document['out']} -B build && cmake --build build && "
            "ctest --test-dir build"
        )
