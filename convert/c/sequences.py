"""What <name>.h says of free steps, starts, encoders and detectors."""

from rnnedge.convert.c.text import comment_list, comment_text, name_text
from rnnedge.spec import EmbeddingLayer, QuantizedModel


def sequences(model: QuantizedModel) -> list[str]:
    """Return the comments and sizes of what a model has beside its steps."""
    prefix, parts = model.name.upper(), []
    phases = model.generates or model.start is not None or model.encoder is not None
    if model.every:
        parts.append(
            f"/* A result each {model.every} steps, unless other rules say so */\n"
            f"#define {prefix}_EVERY {model.every}"
        )
    if model.detector is not None:
        rule = model.detector
        parts.append(
            "/* Labels RNNEDGE_NORMAL and RNNEDGE_ANOMALY: a level above the threshold, after the\n"
            " * warm-up; it follows the error of the forecasts over about "
            f"{2**rule.smoothing} steps\n"
            " */\n"
            f"#define {prefix}_THRESHOLD {rule.threshold}\n"
            f"#define {prefix}_WARMUP {rule.warmup}"
        )
    if phases:
        parts.append(f"{_features(model)}\n#define {prefix}_FEATURES {_feature_count(model)}")
        parts.append(f"{_encoder(model)}\n{_encoder_sizes(model, prefix)}")
    return parts


def _feature_count(model: QuantizedModel) -> int:
    return 0 if model.start is None else len(model.start.names)


def _features(model: QuantizedModel) -> str:
    if model.start is None:
        return "/* No features to start from */"
    names = ", ".join(
        f"{comment_text(name)} [{comment_text(unit) or '?'}]"
        for name, unit in zip(model.start.names, model.start.units, strict=True)
    )
    return f"/* Features of rnnedge_start, in this order\n *   {names}\n */"


def _encoder(model: QuantizedModel) -> str:
    encoder = model.encoder
    if encoder is None:
        return "/* No encoder */"
    if isinstance(encoder.input, EmbeddingLayer):
        said = (
            f"/* rnnedge_encode_id: ids of 0..{encoder.input.rows - 1}; sequences of about "
            f"{encoder.window} steps"
        )
        if not encoder.classes:
            return f"{said} */"
        ids = (f"{index} {name_text(text)}" for index, text in enumerate(encoder.classes))
        return f"{said};\n * names in {encoder.name}.classes:\n{comment_list(ids)}\n */"
    names = ", ".join(
        f"{comment_text(name)} [{comment_text(unit) or '?'}]"
        for name, unit in zip(encoder.channels, encoder.channel_units, strict=True)
    )
    return (
        "/* rnnedge_encode: values in this order, sequences of about "
        f"{encoder.window} steps\n *   {names}\n */"
    )


def _encoder_sizes(model: QuantizedModel, prefix: str) -> str:
    encoder = model.encoder
    inputs, raw = (0, 0) if encoder is None else (
        encoder.input.channels, encoder.input.raw_values
    )  # fmt: skip
    return f"#define {prefix}_ENCODER_INPUTS {inputs}\n#define {prefix}_ENCODER_RAW_VALUES {raw}"
