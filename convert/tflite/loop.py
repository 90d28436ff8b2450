"""A WHILE over the window: some layers, one step an iteration.

The loop carries a position, the window as one vector, the states, and for a sequence of outputs
the vector that collects them: each step drops the oldest and appends its own, so that after the
last step it holds all of them in order, and no position is needed. A backward layer takes its
inputs from the end and puts its outputs in front.
"""

from dataclasses import dataclass

import numpy as np

from rnnedge.convert.tflite import cells, dense
from rnnedge.convert.tflite import operators as op
from rnnedge.convert.tflite.cell import StateTensor
from rnnedge.convert.tflite.writer import Graph, Model, Tensor
from rnnedge.spec import DenseLayer, RecurrentLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """What one WHILE does.

    Attributes:
        name: of its graphs; prefix of its tensors in the main graph.
        steps: length of the window.
        width: values of a step.
        layers: layers that run one after another in a step, each with the prefix of its tensors.
        backward: one layer that runs beside them from the last step to the first, and its prefix.
        dense: dense layers behind them in each step.
        sequence: whether each step's output is wanted, or only the last.
        precision: "16x8" or "8x8".
    """

    name: str
    steps: int
    width: int
    layers: tuple[tuple[str, RecurrentLayer], ...]
    backward: tuple[str, RecurrentLayer] | None = None
    dense: tuple[DenseLayer, ...] = ()
    sequence: bool = False
    precision: str

    @property
    def directions(self) -> tuple[tuple[tuple[str, RecurrentLayer], ...], ...]:
        """The layers of each direction."""
        return (self.layers,) if self.backward is None else (self.layers, (self.backward,))

    def states(self) -> tuple[StateTensor, ...]:
        """The states of all layers."""
        return tuple(
            state
            for direction in self.directions
            for prefix, layer in direction
            for state in cells.states(layer, prefix)
        )

    def collected(self) -> tuple[StateTensor, ...]:
        """The vectors that collect outputs, one for each direction."""
        if not self.sequence:
            return ()
        if self.dense:
            last = self.dense[-1]
            found = [("scores", last.units, dense.score_scale(last))]
        else:
            found = [
                (f"{prefix}sequence", layer.units, cells.states(layer, prefix)[0].scale)
                for direction in self.directions
                for prefix, layer in direction[-1:]
            ]
        return tuple(
            StateTensor(name=name, units=units * self.steps, scale=scale)
            for name, units, scale in found
        )


def run(file: Model, main: Graph, loop: Loop, window: Tensor) -> list[Tensor]:
    """Add the loop.

    Args:
        file: the model.
        main: its main graph.
        loop: what to do.
        window: int16 or int8 (steps * width,).

    Returns:
        One tensor for each direction: the last output (1, units), or all outputs
        (1, steps * units).

    Raises:
        RangeError: a row's range does not fit the kernels.
    """
    cond, body = file.graph(f"{loop.name}cond"), file.graph(f"{loop.name}body")
    carried = (*loop.states(), *loop.collected())
    start = main.constant("start", np.zeros(1, np.int32))
    zeros = [
        main.constant(f"{item.name}_0", np.zeros((1, item.units), np.int16), item.scale)
        for item in carried
    ]
    first = [start, window, *zeros]
    names = ["i", "window", *(item.name for item in carried)]
    _condition(cond, loop, names, first)
    _body(body, loop, names, first)
    _, _, *last = op.while_loop(
        main, [f"{loop.name}{name}_end" for name in names], first, cond, body
    )
    if loop.sequence:
        return last[len(loop.states()) :]
    outputs, index = [], 0
    for direction in loop.directions:
        for prefix, layer in direction:
            outputs.append((index, layer is direction[-1][1]))
            index += len(cells.states(layer, prefix))
    return [last[index] for index, wanted in outputs if wanted]


def _carried(graph: Graph, names: list[str], first: list[Tensor]) -> list[Tensor]:
    return [
        graph.input(name, tensor.shape, tensor.dtype, tensor.scale)
        for name, tensor in zip(names, first, strict=True)
    ]


def _condition(graph: Graph, loop: Loop, names: list[str], first: list[Tensor]) -> None:
    i, *_ = _carried(graph, names, first)
    end = graph.constant("length", np.array([loop.steps * loop.width], np.int32))
    graph.outputs([op.less(graph, "more", i, end)])


def _body(graph: Graph, loop: Loop, names: list[str], first: list[Tensor]) -> None:
    i, window, *rest = _carried(graph, names, first)
    size = graph.constant("width", np.array([loop.width], np.int32))
    before, collected = rest[: len(loop.states())], rest[len(loop.states()) :]
    after: list[Tensor] = []
    outputs: list[Tensor] = []
    for direction in loop.directions:
        reverse = direction is not loop.layers
        position, way = i, ""
        if reverse:
            last = graph.constant("last", np.array([(loop.steps - 1) * loop.width], np.int32))
            position, way = op.sub(graph, "j", last, i, None), "_back"
        v = op.slice_at(graph, f"x{way}", window, position, size, (loop.width,))
        for prefix, layer in direction:
            count = len(cells.states(layer, prefix))
            state, before = before[:count], before[count:]
            state = cells.step(graph, prefix, loop.precision, layer, v, state)
            after += state
            v = state[0]
        outputs.append(v)
    if loop.dense:
        outputs = [dense.scores(graph, "score", loop.dense, outputs[0])]
    grown = [
        _append(graph, old, new, front=index == 1, steps=loop.steps)
        for index, (old, new) in enumerate(zip(collected, outputs, strict=False))
    ]
    graph.outputs([op.add(graph, "i'", i, size, None), window, *after, *grown])


def _append(graph: Graph, old: Tensor, new: Tensor, *, front: bool, steps: int) -> Tensor:
    """Return the last ``steps - 1`` pieces of `old` and `new` behind them, or in front."""
    if steps == 1:
        return new
    size = new.shape[1]
    name = "front" if front else "back"
    kept = op.part(graph, f"{name}_kept", old, (0, 0 if front else size), (1, (steps - 1) * size))
    return op.concatenation(graph, f"{name}_grown", [new, kept] if front else [kept, new], axis=1)
