"""Recurrent cells in a .tflite file, recognised by their products and activations."""

from collections import Counter
from dataclasses import dataclass
from itertools import chain

from rnnedge.tflmath import File, Operator, Subgraph, Tensor

_UNROLLED = 3  # products with the same weights from which a graph counts as unrolled
_GATES = {"gru": 3, "lstm": 4, "rnn": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One recurrent layer.

    Attributes:
        kind: "gru", "lstm" or "rnn".
        units: width of the state.
        inputs: width of the input.
        form: "fused": one operator; "loop": a WHILE; "unrolled": its step written again and again.
        steps: of an unrolled layer, at least; else None.
        type: of its activations, "FLOAT32".
    """

    kind: str
    units: int
    inputs: int
    form: str
    steps: int | None
    type: str


def find_cells(file: File) -> tuple[Cell, ...]:
    """Return the recurrent layers that are recognised, in the order of the main graph."""
    main = file.subgraphs[0]
    cells: list[Cell] = []
    for operator in main.operators:
        if operator.name == "UNIDIRECTIONAL_SEQUENCE_LSTM":
            cells += _fused(main, operator)
        elif operator.name == "WHILE" and "bodySubgraphIndex" in operator.options:
            cells += _loop(file, file.subgraphs[operator.options["bodySubgraphIndex"]])
    return tuple(cells or _unrolled(file, main))


def products(graph: Subgraph, file: File) -> list[tuple[Operator, Tensor]]:
    """Return the FULLY_CONNECTED operators whose weights are a constant matrix, with it."""
    found = []
    for operator in graph.operators:
        if operator.name == "FULLY_CONNECTED" and len(operator.inputs) > 1:
            weights = graph.tensors[operator.inputs[1]]
            if len(weights.shape) == 2 and len(file.buffers[weights.buffer]):
                found.append((operator, weights))
    return found


def _fused(graph: Subgraph, operator: Operator) -> list[Cell]:
    weights = graph.tensors[operator.inputs[2]] if len(operator.inputs) > 2 else None
    if weights is None or len(weights.shape) != 2:
        return []
    units, inputs = weights.shape
    kind = graph.tensors[operator.inputs[0]].type
    return [Cell(kind="lstm", units=units, inputs=inputs, form="fused", steps=None, type=kind)]


def _loop(file: File, body: Subgraph) -> list[Cell]:
    sigmoids, tanhs = (
        [body.tensors[op.outputs[0]] for op in body.operators if op.name == name]
        for name in ("LOGISTIC", "TANH")
    )
    shapes = [weights.shape for _, weights in products(body, file)]
    if not tanhs or not shapes:
        return []
    gates, wide = sum(t.values for t in sigmoids), sum(t.values for t in tanhs)
    kind = _kind(gates / wide)
    units = wide // 2 if kind == "lstm" else wide
    return _cell(kind, units, shapes, "loop", None, tanhs[0].type)


def _unrolled(file: File, graph: Subgraph) -> list[Cell]:
    rows = products(graph, file)
    uses = Counter(weights.buffer for _, weights in rows)
    repeated = {w.buffer: w.shape for _, w in rows if uses[w.buffer] >= _UNROLLED}
    counts = Counter(operator.name for operator in graph.operators)
    tanhs = [graph.tensors[op.outputs[0]] for op in graph.operators if op.name == "TANH"]
    if not repeated or not tanhs:
        return []
    kind = _kind(counts["LOGISTIC"] / counts["TANH"])  # every gate is an operator of its own
    steps = max(uses[buffer] for buffer in repeated)
    units = tanhs[0].shape[-1] if tanhs[0].shape else 1
    return _cell(kind, units, list(repeated.values()), "unrolled", steps, tanhs[0].type)


def _kind(ratio: float) -> str:
    """Return the cell by the number of sigmoids for each tanh: 0, 2 (GRU) or 3/2 (LSTM)."""
    if ratio < 0.75:
        return "rnn"
    return "gru" if ratio > 1.7 else "lstm"


def _cell(
    kind: str,
    units: int,
    shapes: list[tuple[int, ...]],
    form: str,
    steps: int | None,
    activations: str,
) -> list[Cell]:
    """Return the cell if products of its size are there."""
    rows = _GATES[kind] * units
    columns = [shape[1] for shape in shapes if shape[0] == rows]
    if not columns:
        return []
    inputs = next((width for width in columns if width != units), units)
    return [Cell(kind=kind, units=units, inputs=inputs, form=form, steps=steps, type=activations)]


def heads(file: File) -> list[int]:
    """Return the widths of the dense layers behind the cells, as far as they are recognised."""
    main = file.subgraphs[0]
    rows = products(main, file)
    uses = Counter(weights.buffer for _, weights in rows)
    behind = [weights.shape for _, weights in rows if uses[weights.buffer] < _UNROLLED]
    chained: list[int] = []
    for shape in behind:
        if chained and shape[1] != chained[-1]:
            chained = []
        chained.append(shape[0])
    return chained


def activations(file: File) -> Counter[str]:
    """Count the types of what operators write."""
    return Counter(
        chain.from_iterable(
            (graph.tensors[i].type for op in graph.operators for i in op.outputs)
            for graph in file.subgraphs
        )
    )
