"""A quantised model as a .tflite file.

A pure function of the quantised model and the variant: equal models give equal bytes.
"""

import json

import rnnedge
from rnnedge.convert.tflite import stream, window
from rnnedge.convert.tflite.scales import input_scale, input_type, output_scale
from rnnedge.convert.tflite.schema import schema
from rnnedge.convert.tflite.variant import Variant, check, sampled
from rnnedge.convert.tflite.writer import Model
from rnnedge.modelfile import model_hash
from rnnedge.spec import QuantizedModel

METADATA = "rnnedge"
"""Name of the metadata entry that says where the model comes from."""
DEFAULT = Variant()


def emit(model: QuantizedModel, variant: Variant = DEFAULT, *, metadata: bool = True) -> bytes:
    """Write `model` as a TensorFlow Lite flatbuffer for TFLite Micro.

    The first input is the normalised and quantised samples of docs/arithmetic.md, section 3, scale
    ``input_scale(model, variant)``; the first output the int16 scores, scale
    ``output_scale(model)``: the class is the index of the largest score, the first of equals.

    Args:
        model: any model.
        variant: form, state and precision.
        metadata: attach name, hash, variant, classes, channels and normalisation.

    Returns:
        The file's content.

    Raises:
        UnsupportedLayerError: the model's layers do not take this variant.
        RangeError: a row's range does not fit the kernels.
        ToolError: the package tflite-micro, which brings the schema, is not installed.
    """
    check(model, variant)
    file = Model()
    (window if variant.form == "window" else stream).build(file, model, variant)
    if metadata:
        file.metadata(METADATA, _description(model, variant).encode())
    return file.pack(f"rnnedge {rnnedge.__version__}")


def operators(tflite: bytes) -> tuple[str, ...]:
    """Return the names of the operators of an emitted file, sorted."""
    s = schema()
    root = s.Model.GetRootAsModel(tflite, 0)
    codes = (root.OperatorCodes(index).BuiltinCode() for index in range(root.OperatorCodesLength()))
    names = {value: name for name, value in vars(s.BuiltinOperator).items() if name.isupper()}
    return tuple(sorted(names[code] for code in codes))


def _description(model: QuantizedModel, variant: Variant) -> str:
    return json.dumps(
        {
            "name": model.name,
            "sha256": model_hash(model),
            "variant": variant.name,
            "form": variant.form,
            "state": variant.state,
            "precision": variant.precision,
            "window": model.window,
            "classes": list(model.classes),
            "channels": list(model.channels),
            "units": list(model.channel_units),
            "mean": sampled(model).mean.tolist(),
            "std": sampled(model).std.tolist(),
            "limit": model.input.limit,
            "input": {"type": input_type(variant), "scale": input_scale(model, variant)},
            "output": {"type": "int16", "scale": output_scale(model)},
        },
        separators=(",", ":"),
    )
