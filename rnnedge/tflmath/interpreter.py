"""Whole .tflite files, run as TensorFlow Lite Micro runs them: subgraphs, loops, variables."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnedge.errors import ModelError
from rnnedge.tflmath.file import File, Operator, Subgraph, Tensor
from rnnedge.tflmath.kernels import KERNELS, Node, Values
from rnnedge.tflmath.lstm import CELL, HIDDEN, sequence_lstm
from rnnedge.tflmath.reading import read

_MOST_STEPS = 1 << 24  # of one loop
_MISFITS = (KeyError, IndexError, ValueError, TypeError, AttributeError)
_DTYPES = {"INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "BOOL": np.bool_}
_STATEFUL = (
    "ASSIGN_VARIABLE", "CALL_ONCE", "READ_VARIABLE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "VAR_HANDLE",
    "WHILE",
)  # fmt: skip
OPERATORS = tuple(sorted((*KERNELS, *_STATEFUL)))
"""The operators that have a reference here."""


class Interpreter:
    """An instance of a model with its state."""

    def __init__(self, tflite: bytes) -> None:
        """Read a file.

        Args:
            tflite: its content.

        Raises:
            ModelError: it is damaged, or has an operator without reference here.
        """
        self._file = read(tflite)
        for graph in self._file.subgraphs:
            for operator in graph.operators:
                if operator.name not in OPERATORS:
                    raise ModelError(f"{operator.name} has no reference in rnnedge.tflmath")
        self._once: set[int] = set()
        self._constants = [_constants(self._file, graph) for graph in self._file.subgraphs]
        self.reset()

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The model's inputs."""
        main = self._file.subgraphs[0]
        return tuple(main.tensors[i] for i in main.inputs)

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The model's outputs."""
        main = self._file.subgraphs[0]
        return tuple(main.tensors[i] for i in main.outputs)

    def reset(self) -> None:
        """Forget the state, as the interpreter's Reset: CALL_ONCE does not run again."""
        self._kept: list[dict[int, Values]] = [
            {i: _blank(t) for i, t in enumerate(graph.tensors) if t.variable}
            for graph in self._file.subgraphs
        ]
        self._variables: dict[object, Values] = {
            key: np.full(tensor.bytes, tensor.zero_point, np.int8)
            for graph in self._file.subgraphs
            for key, tensor in _assigned(graph)
        }

    def invoke(self, inputs: Sequence[Values]) -> list[Values]:
        """Run the model once.

        Args:
            inputs: one array for each input, of its shape and type.

        Raises:
            ModelError: inputs that do not fit; an operator of types without reference here.
        """
        if len(inputs) != len(self.inputs):
            raise ModelError(f"{len(inputs)} inputs for a model that takes {len(self.inputs)}")
        for value, tensor in zip(inputs, self.inputs, strict=True):
            if value.shape != tensor.shape or value.dtype != _DTYPES.get(tensor.type):
                raise ModelError(
                    f"input {tensor.name!r} is {value.dtype} {value.shape}; the model takes "
                    f"{tensor.type.lower()} {tensor.shape}"
                )
        return self._run(0, inputs)

    def _run(self, number: int, inputs: Sequence[Values]) -> list[Values]:
        graph = self._file.subgraphs[number]
        values: dict[int, Any] = {**self._constants[number], **self._kept[number]}
        values.update(zip(graph.inputs, inputs, strict=True))
        for operator in graph.operators:
            node = _node(graph, operator)
            found = [values.get(i) for i in operator.inputs]
            try:
                results = self._operate(number, node, found)
                values.update(zip(operator.outputs, results, strict=True))
            except _MISFITS as error:
                reason = " ".join(str(error).split())[:80] or type(error).__name__
                raise ModelError(
                    f"{operator.name}: inputs, options or shapes do not fit ({reason})"
                ) from error
            for index in (i for i in operator.inputs if i in self._kept[number]):
                values[index] = self._kept[number][index]
        missing = [graph.tensors[i].name for i in graph.outputs if i not in values]
        if missing:
            raise ModelError(f"no operator writes output {missing[0]!r}")
        return [values[i] for i in graph.outputs]

    def _operate(self, number: int, node: Node, values: list[Any]) -> list[Any]:
        kernel = KERNELS.get(node.operator.name)
        return kernel(node, values) if kernel else self._stateful(number, node, values)

    def _stateful(self, number: int, node: Node, values: list[Any]) -> list[Any]:
        operator = node.operator
        options = operator.options
        match operator.name:
            case "WHILE":
                return self._while(options, values)
            case "CALL_ONCE":
                graph = options["initSubgraphIndex"]
                if graph not in self._once:
                    self._once.add(graph)
                    self._run(graph, [])
                return []
            case "VAR_HANDLE":
                return [_key(operator)]
            case "READ_VARIABLE":
                out = node.outputs[0]
                return [self._variables[values[0]].view(_DTYPES[out.type]).reshape(out.shape)]
            case "ASSIGN_VARIABLE":
                self._variables[values[0]] = (
                    np.ascontiguousarray(values[1]).reshape(-1).view(np.int8)
                )
                return []
        y, hidden, cell = sequence_lstm(node, values)
        self._kept[number][operator.inputs[HIDDEN]] = hidden
        self._kept[number][operator.inputs[CELL]] = cell
        return [y]

    def _while(self, options: dict[str, Any], state: list[Any]) -> list[Any]:
        for _ in range(_MOST_STEPS):
            (more,) = self._run(options["condSubgraphIndex"], state)
            if not more.reshape(-1)[0]:
                return state
            state = self._run(options["bodySubgraphIndex"], state)
        raise ModelError(f"a loop of more than {_MOST_STEPS} steps")


def _node(graph: Subgraph, operator: Operator) -> Node:
    return Node(
        operator=operator,
        inputs=tuple(graph.tensors[i] if i >= 0 else None for i in operator.inputs),
        outputs=tuple(graph.tensors[i] for i in operator.outputs),
    )


def _constants(file: File, graph: Subgraph) -> dict[int, Values]:
    found = {i: file.constant(tensor) for i, tensor in enumerate(graph.tensors)}
    return {i: value for i, value in found.items() if value is not None}


def _blank(tensor: Tensor) -> Values:
    fill = tensor.zero_point if tensor.type == "INT8" else 0
    return np.full(tensor.shape, fill, _DTYPES[tensor.type])


def _key(operator: Operator) -> tuple[str, str]:
    return operator.options["container"], operator.options["sharedName"]


def _assigned(graph: Subgraph) -> list[tuple[object, Tensor]]:
    """Return the variables that a subgraph assigns, each with the tensor that gives its size."""
    handles = {op.outputs[0]: _key(op) for op in graph.operators if op.name == "VAR_HANDLE"}
    return [
        (handles[op.inputs[0]], graph.tensors[op.inputs[1]])
        for op in graph.operators
        if op.name == "ASSIGN_VARIABLE" and op.inputs[0] in handles
    ]
