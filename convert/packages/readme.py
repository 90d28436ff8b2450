"""README.md: what one model expects and answers, what it costs, how right it is, how to call it."""

import json
from collections.abc import Sequence
from typing import Any

from rnnedge.convert.inputbits import KEY as INPUT
from rnnedge.convert.packages.accuracy import accuracy
from rnnedge.convert.packages.package import Package, counted, fill
from rnnedge.convert.packages.results import call, kind
from rnnedge.convert.packages.sensor import places
from rnnedge.convert.packages.tables import table
from rnnedge.convert.packages.use import USE
from rnnedge.convert.timing import duration, sample_rate
from rnnedge.spec import EmbeddingLayer, InputLayer

_UNKNOWN = "not known"
_ANSWERS = {
    "classes": "A label, its probability and a score for each class.",
    "values": "A score for each value; `rnnedge_target(&model, index, score)` is it in its unit.",
    "level": "A label, 0 normal or 1 an anomaly; `level`, how wrong the forecasts of these values "
    "were of late; and a score for each.",
}
_OPTIONS = {"speed": "-O3", "size": "-Os"}


def readme(package: Package, formats: Sequence[str]) -> bytes:
    """Return README.md.

    Args:
        package: with its figures.
        formats: what the folder serves; the others are not mentioned.
    """
    return fill(
        "README.md.in",
        package,
        **places(package),
        LAYERS=_layers_text(package),
        SHA=str(package.figures["sha256"]),
        CHANNELS=_channels(package) + _before(package),
        ORDER=_order(package),
        CLASSES=_answers(package),
        ANSWER=_ANSWERS[kind(package)],
        CALL=call(package),
        RULE=_rule(package),
        COSTS=_costs(package),
        ACCURACY=accuracy(package),
        USE="\n\n".join(USE[name](package) for name in formats),
        PROOF=_proof(package, formats),
    )


def _channels(package: Package) -> str:
    model = package.model
    if isinstance(model.input, EmbeddingLayer):
        ids = f"whole numbers of 0 to {model.input.rows - 1}"
        return table(["", "channel", "values"], [[0, model.channels[0], ids]])
    source: InputLayer = model.input
    counts = package.counts_per_unit
    columns = ["", "channel", "unit", "mean of the training data", "standard deviation"]
    rows = [
        [
            index,
            name,
            unit or _UNKNOWN,
            f"{source.mean[index]:.6g}",
            f"{source.std[index]:.6g}",
            *([] if counts is None else [f"{counts[index]:.9g}"]),
        ]
        for index, (name, unit) in enumerate(zip(model.channels, model.channel_units, strict=True))
    ]
    return table(columns + ([] if counts is None else ["raw counts per unit"]), rows)


def _before(package: Package) -> str:
    """Say what comes before the samples: features, or the sequence that is translated."""
    start, encoder = package.model.start, package.model.encoder
    said = ""
    if start is not None:
        rows = _measured(start.names, start.units)
        said += f"\n\nFirst, for `rnnedge_start`:\n\n{table(['', 'feature', 'unit'], rows)}"
    if encoder is not None and isinstance(encoder.input, EmbeddingLayer):
        names = list(map(_visible, encoder.classes)) or [_UNKNOWN] * encoder.input.rows
        said += f"\n\nFirst, for `rnnedge_encode_id`:\n\n{table(['id', 'name'], enumerate(names))}"
    elif encoder is not None:
        rows = _measured(encoder.channels, encoder.channel_units)
        said += f"\n\nFirst, for `rnnedge_encode`:\n\n{table(['', 'channel', 'unit'], rows)}"
    return said


def _visible(name: str) -> str:
    """Return a name in quotes where it could not be seen."""
    return name if name.strip() else json.dumps(name)


def _measured(names: Sequence[str], units: Sequence[str]) -> list[list[object]]:
    """Return rows of a table: index, name, unit."""
    both = zip(names, units, strict=True)
    return [[index, name, unit or _UNKNOWN] for index, (name, unit) in enumerate(both)]


def _order(package: Package) -> str:
    """Say what samples are: values with a rate; ids have neither order nor rate."""
    if isinstance(package.model.input, EmbeddingLayer):
        return "One id a step, by `rnnedge_step_id`; its row of the embedding is inside."
    rate = package.model.rate
    said = "not known; that of the training data is the right one"
    if rate is not None:
        said = f"{sample_rate(rate)}, as in the training data"
    first = "Raw values in this order and these units; normalisation is inside."
    return f"{first} Sample rate: {said}."


def _rule(package: Package) -> str:
    model = package.model
    seconds = "" if model.rate is None else f" ({duration(model.window / model.rate)})"
    if model.every:
        often = "sample" if model.every == 1 else f"{model.every} samples"
        return (
            f"After each {often}, while the state runs on: the step then returns `RNNEDGE_READY`; "
            f"`rnnedge_reset` begins anew.{_sequences(package)}"
        )
    first = (
        f"After each window of {counted(model.window, 'sample')}{seconds}, which starts from a "
        "zero state: `rnnedge_step` then returns `RNNEDGE_READY`."
    )
    if model.bidirectional:
        return f"{first} The step that completes the window computes all of it."
    return (
        f"{first} `rnnedge_set_rules` changes that: a result after every n samples while the state "
        "runs on, a majority over the last results, a least probability below which a result is "
        "rejected."
    )


def _answers(package: Package) -> str:
    """Return the outputs, by the order of the scores."""
    model = package.model
    if model.output is None:
        return table(["label", "class"], enumerate(map(_visible, model.classes)))
    units = [unit or _UNKNOWN for unit in model.output.units]
    rows = [[index, name, units[index]] for index, name in enumerate(model.classes)]
    return table(["score", "value", "unit"], rows)


def _sequences(package: Package) -> str:
    """Say what a model can do beside taking samples."""
    model, said = package.model, []
    if model.start is not None:
        said.append("`rnnedge_start` begins from features")
    if model.encoder is not None:
        call = "encode_id" if isinstance(model.encoder.input, EmbeddingLayer) else "encode"
        said.append(
            f"`rnnedge_{call}` takes the sequence that is translated, before the first step"
        )
    if model.generates:
        said.append("`rnnedge_step_back` takes the last answer as the next sample")
    return f" {'; '.join(said)}." if said else ""


def _layers_text(package: Package) -> str:
    layers = [*package.model.recurrent, *package.model.dense]
    return ", ".join(f"{layer.kind} {layer.inputs} to {layer.outputs}" for layer in layers)


def _costs(package: Package) -> str:
    figures = package.figures
    rows = [
        [
            f"{row['target']}, {row['compiler']}, {_OPTIONS[row['optimize']]}",
            f"{row['code_bytes']:,}",
            f"{row['const_bytes']:,}",
            f"{row['ram_bytes']:,}",
            f"{row['stack_bytes']:,}",
            f"{row['per_step']:,} {row['unit']}",
        ]
        for row in figures["measured"]
    ]
    columns = ["measured on", "code", "constants", "state and scratch", "stack", "a step"]
    missing = [f"{row['target']}: not measured." for row in figures["not_measured"]]
    parts = [] if not rows else [table(columns, rows)]
    if rows:
        parts.append(
            "Bytes; counted under emulation over real windows. Code and constants are flash: all "
            "that runtime and model bring along, normalisation and head included. A step is one "
            "sample through the recurrent layers."
        )
    if any(row["optimize"] == "size" for row in figures["measured"]):
        parts.append("Arduino builds with -Os.")
    parts += missing
    if not parts:
        parts.append("Not measured: `rnnedge export --measure TARGET` does.")
    parts.append(f"Input of the first layer: {figures[INPUT]['reason']}.")
    if figures.get("tflite"):
        parts.append(_tflite(figures["tflite"]))
    return "\n\n".join(parts)


def _tflite(rows: Sequence[dict[str, Any]]) -> str:
    columns = ["for TensorFlow Lite Micro", "a run takes", "precision", "file", "arena", "state"]
    columns += ["operators"]
    lines = [
        [
            row["file"],
            "a window" if row["form"] == "window" else "a step",
            row["precision"],
            f"{row['tflite_bytes']:,}",
            f"{row['arena_bytes']:,}",
            f"{row['state_bytes']:,}" + ("" if row["state"] is None else f", {row['state']}"),
            ", ".join(row["operators"]),
        ]
        for row in rows
    ]
    return (
        f"{table(columns, lines)}\n\nBytes. Without rnnedge's runtime: beside each file lie its C "
        "array with header and a main program. The arena is the smallest one in which the model "
        "ran on a 64-bit PC with the reference kernels."
    )


def _proof(package: Package, formats: Sequence[str]) -> str:
    lines = [
        "The golden vectors (`src/{0}/{0}_golden.c`) are windows with the simulator's states and "
        "scores; the examples of this folder run them. With rnnedge and the run at hand,"
    ]
    commands = ["rnnedge verify RUN --export THIS_FOLDER --target host"]
    if "arduino" in formats:
        commands.append("rnnedge verify RUN --board arduino_uno --port /dev/ttyACM0")
    if "esp-idf" in formats:
        commands.append("rnnedge verify RUN --board esp32 --port /dev/ttyUSB0")
    text = "\n".join(f"    {command}" for command in commands)
    last = "compares every state and score of fresh windows"
    last += ", on a board if it runs the example Serial." if len(commands) > 1 else "."
    return f"{lines[0].format(package.model.name)}\n\n{text}\n\n{last}"
