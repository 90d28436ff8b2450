"""The quantised model: a list of layers that simulator, C emitter and TFLite writer read.

The arithmetic that gives these numbers their meaning is defined in docs/arithmetic.md.
Every real value below is `integer * scale`; all integers are symmetric (zero point 0).
"""

from rnnedge.spec.cells import (
    BidirectionalLayer,
    GruLayer,
    LstmLayer,
    RecurrentLayer,
    RnnLayer,
)
from rnnedge.spec.input import EmbeddingLayer, InputLayer
from rnnedge.spec.model import (
    CONTRACT,
    LAYER_KINDS,
    MOST_UNITS,
    Layer,
    QuantizedModel,
    Recurrent,
)
from rnnedge.spec.output import DenseLayer, Detector, FeedbackLayer, OutputLayer, StartLayer
from rnnedge.spec.rate import FASTEST_RATE, SLOWEST_RATE, rate_error
from rnnedge.tasks import TASKS

__all__ = [
    "CONTRACT",
    "FASTEST_RATE",
    "LAYER_KINDS",
    "MOST_UNITS",
    "SLOWEST_RATE",
    "TASKS",
    "BidirectionalLayer",
    "DenseLayer",
    "Detector",
    "EmbeddingLayer",
    "FeedbackLayer",
    "GruLayer",
    "InputLayer",
    "Layer",
    "LstmLayer",
    "OutputLayer",
    "QuantizedModel",
    "Recurrent",
    "RecurrentLayer",
    "RnnLayer",
    "StartLayer",
    "rate_error",
]
