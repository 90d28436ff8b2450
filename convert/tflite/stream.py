"""The stream form: one step in, its scores out; the state stays with the caller or inside."""

import numpy as np

from rnnedge.convert.tflite import cells, dense
from rnnedge.convert.tflite import operators as op
from rnnedge.convert.tflite.cell import StateTensor
from rnnedge.convert.tflite.scales import graph_input
from rnnedge.convert.tflite.variant import Variant
from rnnedge.convert.tflite.writer import Graph, Model, Tensor
from rnnedge.errors import UnsupportedLayerError
from rnnedge.spec import QuantizedModel, RecurrentLayer


def layers(model: QuantizedModel) -> tuple[tuple[str, RecurrentLayer], ...]:
    """Return the layers and the prefix of each one's tensors.

    Raises:
        UnsupportedLayerError: a layer cannot stream.
    """
    found = []
    for index, layer in enumerate(model.recurrent):
        if not isinstance(layer, RecurrentLayer):
            raise UnsupportedLayerError(f"model {model.name}: layer {layer.kind} cannot stream")
        found.append((f"{index}." if len(model.recurrent) > 1 else "", layer))
    return tuple(found)


def states(model: QuantizedModel) -> tuple[StateTensor, ...]:
    """Return the states of all layers, in the order of the graph's inputs and outputs."""
    return tuple(state for prefix, layer in layers(model) for state in cells.states(layer, prefix))


def build(file: Model, model: QuantizedModel, variant: Variant) -> None:
    """Write the graphs of a stream model.

    Input: (1, channels), and with state "io" int16 (1, units) for each state. Output: int16
    (1, classes), and the next states, of the same scales.

    Raises:
        RangeError: a row's range does not fit the kernels.
        UnsupportedLayerError: a layer cannot stream.
    """
    main = file.graph("main")
    x = graph_input(main, model, variant, (1, model.input.channels))
    if variant.state == "io":
        state = [main.input(s.name, (1, s.units), "int16", s.scale) for s in states(model)]
        scores, after = _step(main, model, variant, x, state)
        main.outputs([scores, *after])
        return
    op.call_once(main, _zeros(file, model))
    handles = [op.variable_handle(main, item.name) for item in states(model)]
    state = [
        op.read_variable(main, item.name, handle, (1, item.units), item.scale)
        for item, handle in zip(states(model), handles, strict=True)
    ]
    scores, after = _step(main, model, variant, x, state)
    for handle, value in zip(handles, after, strict=True):
        op.assign_variable(main, handle, value)
    main.outputs([scores])


def _zeros(file: Model, model: QuantizedModel) -> Graph:
    """Return the graph that sets all variables to zero."""
    graph = file.graph("zero_state")
    for item in states(model):
        handle = op.variable_handle(graph, item.name)
        zeros = np.zeros((1, item.units), np.int16)
        value = graph.constant(f"{item.name}_0", zeros, item.scale)
        op.assign_variable(graph, handle, value)
    return graph


def _step(
    graph: Graph, model: QuantizedModel, variant: Variant, x: Tensor, state: list[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    after: list[Tensor] = []
    for prefix, layer in layers(model):
        count = len(cells.states(layer, prefix))
        mine = state[len(after) : len(after) + count]
        after += cells.step(graph, prefix, variant.precision, layer, x, mine)
        x = after[-count]
    return dense.scores(graph, "scores", model.dense, x), after
