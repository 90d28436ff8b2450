"""rnnedge inspect."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from rnnedge.commands.common import DATA, json_option, report, table

_MOST_ROWS = 40
_LONGEST_NAME = 28
_USUAL = {
    ("activation", "tanh"), ("activation", "linear"), ("recurrent_activation", "sigmoid"),
    ("reset_after", True), ("use_bias", True), ("merge_mode", "concat"),
}  # fmt: skip
_MARKS = {"stops": "stops it", "risk": "risk", "note": "note"}


@click.command()
@click.argument("file", type=DATA)
@json_option
def inspect(file: Path, as_json: bool) -> None:
    """Say what is in a model, and what becomes of it.

    FILE is a .keras or .tflite file, your own or one that rnnedge wrote, or a run folder: layers,
    operators, sizes, quantisation; for a .tflite file whether TFLite Micro runs it (asked in a
    child process) and why not; for all what rnnedge makes of the model.
    """
    from rnnedge.inspect import inspect as look

    report(look(file), as_json, _show)


def _show(document: dict[str, Any]) -> None:
    {"tflite": _tflite, "keras": _keras, "run": _run}[document["kind"]](document)
    for finding in document["findings"]:
        click.echo(f"{_MARKS[finding['level']]}: {finding['text']}")
    _advice(document["advice"])


def _tflite(document: dict[str, Any]) -> None:
    click.echo(
        f"{document['file']}: {document['bytes']:,} bytes, {document['constants_bytes']:,} of them "
        f"constants, {document['parameters']:,} parameters, {document['precision']}"
        + (f"; {document['description']}" if document["description"] else "")
    )
    for way in ("inputs", "outputs"):
        for tensor in document[way]:
            click.echo(f"{way[:-1]} {_tensor(tensor)}")
    for cell in document["layers"]:
        steps = f", {cell['steps']} steps" if cell["steps"] else ""
        click.echo(
            f"layer {cell['kind'].upper()}-{cell['units']} of {cell['inputs']} inputs, "
            f"{cell['form']}{steps}, {cell['type'].lower()}"
        )
    table(
        ["operator", "version", "types", "count"],
        [(op["name"], op["version"], op["types"], op["count"]) for op in document["operators"]],
    )
    _quantised(document["quantised_tensors"])
    for entry in document["metadata"]:
        click.echo(f"metadata {entry['name']}: {entry['bytes']:,} bytes")
    own = document["rnnedge"]
    if own:
        for key in ("name", "variant", "classes", "channels", "sha256"):
            if key in own:
                click.echo(f"  {key}: {_words(own[key])}")
    arena, tflm = document["arena"], document["tflm"]
    if tflm["runs"]:
        click.echo(
            f"TFLite Micro {tflm['version']} runs it; arena at least {arena['tflm_bytes']:,} bytes"
        )
    else:
        click.echo(f"TFLite Micro {tflm['version']} does not run it: {tflm['message']}")


def _quantised(tensors: list[dict[str, Any]]) -> None:
    rows = [
        (_tail(t["name"]), t["type"], _sizes(t["shape"]), _scale(t["scale"]), t["zero_point"])
        for t in tensors[:_MOST_ROWS]
    ]
    if rows:
        table(["quantised tensor", "type", "shape", "scale", "zero"], rows)
    if len(tensors) > _MOST_ROWS:
        click.echo(f"and {len(tensors) - _MOST_ROWS} more quantised tensors; --json lists them all")


def _keras(document: dict[str, Any]) -> None:
    parts = [f"{document['file']}: {document['model']}"]
    if document.get("parameters") is not None:
        parts.append(f"{document['parameters']:,} parameters")
    if document.get("input_shape"):
        parts.append(f"input {_sizes(document['input_shape'])}")
    parts.append(f"Keras {document['keras']}")
    click.echo(", ".join(parts))
    rows = [
        (
            layer["name"],
            layer["class"] + (f"({layer['of']})" if "of" in layer else ""),
            ", ".join(_options(layer["options"])),
            f"{layer['parameters']:,}" if "parameters" in layer else "",
        )
        for layer in document["layers"]
    ]
    table(["layer", "class", "options", "parameters"], rows)


def _options(options: dict[str, Any]) -> Iterable[str]:
    """Yield the options that say something: not those that nearly every layer has."""
    for key, value in options.items():
        if value is not False and (key, value) not in _USUAL:
            yield f"{key}={value}"


def _run(document: dict[str, Any]) -> None:
    from rnnedge.convert.timing import sample_rate

    rate = f" at {sample_rate(document['rate'])}" if document["rate"] else ""
    every = ", an answer at every step" if document["every"] == 1 else ""
    click.echo(
        f"{document['file']}: {document['name']}, task {document['task']}, window of "
        f"{document['window']} steps{rate}{every}, {document['parameters']:,} parameters, "
        f"state of {document['state_bytes']} bytes"
    )
    click.echo(f"model {document['sha256']}")
    if document["outputs"]:
        _channels("output", document["outputs"])
    else:
        click.echo(f"classes: {', '.join(document['classes'])}")
    ids = any(layer["kind"] == "embedding" for layer in document["layers"])
    if ids:
        click.echo("input: ids")
    else:
        _channels("channel", document["channels"])
    if document["features"]:
        _channels("feature", document["features"])
    if document["detector"]:
        found = document["detector"]
        click.echo(
            f"detector: an anomaly is a level above {found['threshold']:,}, "
            f"after {found['warmup']} steps, smoothing {found['smoothing']}"
        )
    if document["generates"]:
        click.echo("a step can take the answer of the one before (rnnedge_step_back)")
    rows = [
        (
            " ".join(layer[key] for key in ("part", "kind", "direction") if key in layer),
            layer["units"],
            layer["inputs"],
            f"{layer['parameters']:,}",
            layer.get("input_bits", ""),
            _range(layer["weights"]["smallest_scale"], layer["weights"]["largest_scale"]),
        )
        for layer in document["layers"]
    ]
    table(["layer", "units", "inputs", "parameters", "input bits", "row scales"], rows)


def _range(smallest: float, largest: float) -> str:
    return f"{smallest:.3g}" if smallest == largest else f"{smallest:.3g} .. {largest:.3g}"


def _channels(kind: str, channels: list[dict[str, Any]]) -> None:
    table(
        [kind, "unit", "mean", "std"],
        [(c["name"], c["unit"], f"{c['mean']:.6g}", f"{c['std']:.6g}") for c in channels],
    )


def _advice(advice: dict[str, Any]) -> None:
    click.echo(advice["text"])
    if "problem" in advice:
        click.echo(f"  {advice['problem']}")
    if "c_constants_bytes" in advice:
        click.echo(f"  C: {advice['c_constants_bytes']:,} bytes of constants")
    reasons: dict[str, list[str]] = {}
    sizes = any(isinstance(size, int) for size in advice.get("tflite", {}).values())
    for variant, size in advice.get("tflite", {}).items():
        if isinstance(size, int):
            arena = advice.pop("arena_bytes", None)  # of the first
            more = f", arena at least {arena:,} bytes" if arena else ""
            click.echo(f"  .tflite {variant}: {size:,} bytes{more}")
        else:
            reasons.setdefault(size, []).append(variant)
    for reason, variants in reasons.items():
        which = f" {', '.join(variants)}" if len(reasons) > 1 or sizes else ""
        click.echo(f"  no .tflite{which}: {reason}")


def _tensor(tensor: dict[str, Any]) -> str:
    text = f"{tensor['name']!r}: {tensor['type']} {_sizes(tensor['shape'])}"
    if "scale" in tensor:
        text += f", scale {_scale(tensor['scale'])}, zero point {tensor['zero_point']}"
    return text


def _scale(scale: Any) -> str:
    if isinstance(scale, dict):
        return f"{scale['rows']} of {scale['smallest']:.4g} .. {scale['largest']:.4g}"
    return f"{scale:.7g}"


def _sizes(shape: Iterable[Any]) -> str:
    return "(" + ", ".join("?" if size in (None, -1) else str(size) for size in shape) + ")"


def _tail(name: str) -> str:
    """Return the end of a long name, where converters put what differs."""
    return name if len(name) <= _LONGEST_NAME else f"..{name[2 - _LONGEST_NAME :]}"


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
