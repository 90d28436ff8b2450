"""TensorFlow Lite Micro models, written without the converter."""

from rnnedge.convert.tflite.carray import c_array
from rnnedge.convert.tflite.window import METADATA, emit, input_scale, output_scale, supported

__all__ = ["METADATA", "c_array", "emit", "input_scale", "output_scale", "supported"]
