"""What a level of an anomaly detector is in the units of the channels."""

from rnnedge.api.opened import Document
from rnnedge.run import RunSpec
from rnnedge.spec import EmbeddingLayer, QuantizedModel

_LEVEL_BITS = 8


def threshold_units(run: RunSpec, model: QuantizedModel) -> list[Document]:
    """Say by how much a forecast must be wrong, for a while, to be an anomaly.

    Args:
        run: names and units of the channels, and their deviation.
        model: its input and detector.

    Returns:
        name, unit and error (in that unit) of each channel; nothing without a detector.
    """
    if model.detector is None or isinstance(model.input, EmbeddingLayer):
        return []
    normalised = model.detector.threshold / 2**_LEVEL_BITS * model.input.limit / 2**15
    return [
        {"name": channel.name, "unit": channel.unit, "error": normalised * channel.std}
        for channel in run.channels
    ]
