"""The step of every kind of cell, by the kind of its layer."""

from collections.abc import Callable
from typing import Any

from rnnedge.convert.tflite import gru, lstm, rnn
from rnnedge.convert.tflite.cell import Builder, StateTensor
from rnnedge.convert.tflite.writer import Graph, Tensor
from rnnedge.errors import UnsupportedLayerError
from rnnedge.spec import GruLayer, LstmLayer, RecurrentLayer, RnnLayer

_STATES: dict[type, Callable[[Any], tuple[StateTensor, ...]]] = {
    GruLayer: gru.states,
    LstmLayer: lstm.states,
    RnnLayer: rnn.states,
}
_STEPS: dict[type, Callable[[Builder, Any, Tensor, list[Tensor]], list[Tensor]]] = {
    GruLayer: gru.step,
    LstmLayer: lstm.step,
    RnnLayer: rnn.step,
}


def states(layer: RecurrentLayer, prefix: str) -> tuple[StateTensor, ...]:
    """Return what a layer carries from step to step, names with `prefix`; the output first.

    Raises:
        UnsupportedLayerError: no operators are known for the layer's kind.
    """
    if type(layer) not in _STATES:
        raise UnsupportedLayerError(f"layer {layer.kind}: .tflite export takes gru, lstm and rnn")
    return tuple(
        StateTensor(name=f"{prefix}{state.name}", units=state.units, scale=state.scale)
        for state in _STATES[type(layer)](layer)
    )


def step(
    graph: Graph, prefix: str, precision: str, layer: RecurrentLayer, x: Tensor, state: list[Tensor]
) -> list[Tensor]:
    """Add one step of a layer and return its next states; the first one is its output.

    Raises:
        RangeError: a row's range does not fit the kernels.
    """
    build = Builder(graph=graph, prefix=prefix, precision=precision)
    return _STEPS[type(layer)](build, layer, x, state)
