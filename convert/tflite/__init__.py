"""TensorFlow Lite Micro models, written without the converter."""

from rnnedge.convert.tflite.application import main_cc
from rnnedge.convert.tflite.carray import c_array, resolver_calls
from rnnedge.convert.tflite.emit import METADATA, emit, operators
from rnnedge.convert.tflite.scales import as_input, input_scale, input_type, output_scale
from rnnedge.convert.tflite.variant import Variant, unsupported, variants

__all__ = [
    "METADATA",
    "Variant",
    "as_input",
    "c_array",
    "emit",
    "input_scale",
    "input_type",
    "main_cc",
    "operators",
    "output_scale",
    "resolver_calls",
    "unsupported",
    "variants",
]
