"""What a model is more than a classifier of samples, as C: rnnedge_task and what it points to."""

import numpy as np
import numpy.typing as npt

from rnnedge.convert.c.layers import dense, dense_entry, initialiser
from rnnedge.convert.c.text import array, comment_text, float_literal
from rnnedge.spec import EmbeddingLayer, InputLayer, QuantizedModel


def has_task(model: QuantizedModel) -> bool:
    """Tell whether a model has an rnnedge_task."""
    parts = (model.output, model.feedback, model.detector, model.start, model.encoder)
    return isinstance(model.input, EmbeddingLayer) or any(part is not None for part in parts)


def task(model: QuantizedModel, name: str) -> list[str]:
    """Return the definitions of <name>_task and its parts, in order; none if it has no task."""
    if not has_task(model):
        return []
    parts: list[str] = []
    fields: dict[str, object] = {"check": "rnnedge_check_task"}
    if isinstance(model.input, EmbeddingLayer):
        parts.append(_table(model.input, name))
        fields |= {"quantize": "rnnedge_quantize_id", "table": f"{name}_table"}
        fields["rows"] = model.input.rows
    if model.generates:
        fields["feed"] = f"rnnedge_feed_{'best' if model.feedback is None else 'values'}"
    if model.output is not None:
        parts.append(_targets(model, name))
        fields["targets"] = f"{name}_targets"
    if model.feedback is not None:
        parts.append(_feedback(model, name))
        fields["feedback"] = f"{name}_feedback"
    if model.detector is not None:
        parts.append(_detector(model, name))
        fields |= {"watch": "rnnedge_watch_errors", "detector": f"&{name}_detector"}
    if model.start is not None:
        parts += _start(model, name)
        fields["start"] = f"&{name}_start"
    if model.encoder is not None:
        fields["encoder"] = f"&{name}_encoder"
    lines = [f"    .{field} = {value}," for field, value in fields.items()]
    first = f"static const rnnedge_task {name}_task RNNEDGE_FLASH = {{"
    return [*parts, "\n".join([first, *lines, "};"])]


def channels(
    layer: InputLayer, name: str, names: tuple[str, ...], what: str = "Input channels"
) -> str:
    """Return the table `name` of maps from raw values to int16; `names` are told in comments."""
    rows = [
        f"    /* {comment_text(text)}: mean {mean:.9g}, standard deviation {std:.9g} */\n"
        f"    {{.scale = {float_literal(2.0**exponent)},\n"
        f"     .multiplier = {multiplier},\n"
        f"     .offset = INT64_C({offset}),\n"
        f"     .shift = {shift}}},"
        for text, mean, std, exponent, multiplier, offset, shift in zip(
            names,
            layer.mean.tolist(),
            layer.std.tolist(),
            layer.exponent.tolist(),
            layer.multiplier.tolist(),
            layer.offset.tolist(),
            layer.shift.tolist(),
            strict=True,
        )
    ]
    return "\n".join(
        [
            f"/* {what}: x = (raw - mean) / std * 2^15 / {layer.limit:.9g} */",
            f"static const rnnedge_channel {name}[{len(rows)}] RNNEDGE_FLASH = {{",
            *rows,
            "};",
        ]
    )


def _table(layer: EmbeddingLayer, name: str) -> str:
    return array(
        f"static const int8_t {name}_table[{layer.rows} * {layer.channels}] RNNEDGE_FLASH",
        f"Ids ({layer.rows}, {layer.channels}): x = row * 2^8, real value x * {layer.limit:.9g} / "
        "2^15",
        [("", row) for row in layer.table],
    )


def _targets(model: QuantizedModel, name: str) -> str:
    output = model.output
    if output is None:
        return ""
    rows = [
        f"    {{.mean = {_float(mean)}, .std = {_float(std)}}}, "
        f"/* {comment_text(text)}{f' [{comment_text(unit)}]' if unit else ''} */"
        for text, unit, mean, std in zip(
            model.classes, output.units, output.mean.tolist(), output.std.tolist(), strict=True
        )
    ]
    return _table_of("rnnedge_target_map", f"{name}_targets", "What the scores mean", rows)


def _feedback(model: QuantizedModel, name: str) -> str:
    back = model.feedback
    if back is None:
        return ""
    columns: tuple[npt.NDArray[np.integer], ...] = (
        back.offset, back.multiplier, back.source, back.shift
    )  # fmt: skip
    rows = [
        initialiser(offset=f"INT64_C({offset})", multiplier=multiplier, source=source, shift=shift)
        for offset, multiplier, source, shift in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]
    comment = "A free step's x = (score[source] * multiplier + offset) >> shift, limited"
    return _table_of("rnnedge_feedback", f"{name}_feedback", comment, rows)


def _detector(model: QuantizedModel, name: str) -> str:
    rule = model.detector
    if rule is None:
        return ""
    return "\n".join(
        [
            "/* An anomaly is a level above the threshold, after the warm-up */",
            f"static const rnnedge_detector {name}_detector RNNEDGE_FLASH = {{",
            f"    .threshold = {rule.threshold},",
            f"    .warmup = {rule.warmup},",
            f"    .smoothing = {rule.smoothing},",
            "};",
        ]
    )


def _start(model: QuantizedModel, name: str) -> list[str]:
    start = model.start
    if start is None:
        return []
    prefix = f"{name}_start"
    return [
        channels(start.input, f"{prefix}_channels", start.names, "Features"),
        *dense(start.dense, f"{prefix}_dense"),
        "\n".join(
            [
                f"static const rnnedge_dense {prefix}_dense[1] RNNEDGE_FLASH = {{",
                dense_entry(start.dense, f"{prefix}_dense"),
                "};",
            ]
        ),
        "\n".join(
            [
                f"static const rnnedge_start_map {prefix} RNNEDGE_FLASH = {{",
                f"    .channels = {prefix}_channels,",
                f"    .dense = {prefix}_dense,",
                "};",
            ]
        ),
    ]


def _table_of(kind: str, name: str, comment: str, rows: list[str]) -> str:
    first = f"static const {kind} {name}[{len(rows)}] RNNEDGE_FLASH = {{"
    return "\n".join([f"/* {comment} */", first, *rows, "};"])


def _float(value: float) -> str:
    return float_literal(float(np.float32(value)))
