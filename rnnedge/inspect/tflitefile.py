"""A .tflite file as a document."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from rnnedge.errors import RnnedgeError
from rnnedge.inspect.estimate import Shape, made_of
from rnnedge.inspect.findings import Finding, findings
from rnnedge.inspect.operators import TFLM_VERSION
from rnnedge.inspect.recurrent import Cell, activations, find_cells, heads
from rnnedge.inspect.trial import Trial, try_tflm
from rnnedge.tflmath import File, Subgraph, Tensor, read

_OWN = "rnnedge"
_ALIGNMENT = 16  # of a tensor in the arena
_LONGEST = 4096  # of a metadata entry that is shown
_WINDOW = 64  # where the file does not say


def describe(content: bytes, name: str) -> dict[str, Any]:
    """Describe a .tflite file.

    Args:
        content: of the file.
        name: of the file, for messages.

    Raises:
        ModelError: no .tflite file, or a damaged one.
        ToolError: the package tflite-micro is not installed.
    """
    file = read(content, name)
    cells = find_cells(file)
    own = _own_metadata(file)
    trial = try_tflm(content, len(file.subgraphs[0].inputs))
    return {
        "kind": "tflite",
        "bytes": file.size,
        "constants_bytes": sum(len(buffer) for buffer in _constants(file)),
        "description": file.description,
        "schema": file.version,
        "inputs": _edge(file.subgraphs[0], file.subgraphs[0].inputs),
        "outputs": _edge(file.subgraphs[0], file.subgraphs[0].outputs),
        "parameters": _parameters(file),
        "precision": _precision(file),
        "layers": [asdict(cell) for cell in cells],
        "subgraphs": [
            {"name": g.name, "tensors": len(g.tensors), "operators": len(g.operators)}
            for g in file.subgraphs
        ],
        "operators": _operators(file),
        "quantised_tensors": _quantised(file),
        "arena": {"activations_bytes": _activations(file), "tflm_bytes": trial.arena},
        "metadata": _metadata(file),
        "rnnedge": own,
        "tflm": {
            "version": TFLM_VERSION,
            "loads": trial.loads,
            "runs": trial.runs,
            "message": trial.message,
        },
        "findings": [asdict(f) for f in (*findings(file, cells), *_refusal(file, cells, trial))],
        "advice": _advice(file, cells, own),
    }


def _refusal(file: File, cells: tuple[Cell, ...], trial: Trial) -> list[Finding]:
    """Return the interpreter's own refusal where no rule foresaw one."""
    if trial.runs or any(f.level == "stops" for f in findings(file, cells)):
        return []
    where = "runs" if trial.loads else "loads"
    text = f"the interpreter of TFLM {TFLM_VERSION} does not {where[:-1]} it: {trial.message}"
    return [Finding(level="stops", text=text)]


def _constants(file: File) -> list[memoryview]:
    used = {t.buffer for g in file.subgraphs for t in g.tensors}
    return [buffer for index, buffer in enumerate(file.buffers) if index in used]


def _parameters(file: File) -> int:
    """Count the values of constant matrices and of vectors that belong to a product."""
    weights: dict[int, int] = {}
    for graph in file.subgraphs:
        for op in graph.operators:
            if op.name not in ("FULLY_CONNECTED", "UNIDIRECTIONAL_SEQUENCE_LSTM", "CONV_2D",
                               "DEPTHWISE_CONV_2D", "SVDF"):  # fmt: skip
                continue
            for index in op.inputs[1:]:
                tensor = graph.tensors[index] if index >= 0 else None
                if tensor is not None and len(file.buffers[tensor.buffer]):
                    weights[tensor.buffer] = tensor.values
    return sum(weights.values())


def _precision(file: File) -> str:
    """Name the arithmetic: float32, hybrid, int8 or int16 activations, mixed."""
    kinds = activations(file)
    integer = [kind for kind in ("INT8", "INT16") if kinds[kind]]
    if kinds["FLOAT32"] and not integer:
        narrow = any(t.type == "INT8" for g in file.subgraphs for t in g.tensors)
        return "float32 activations, int8 weights (hybrid)" if narrow else "float32"
    if not integer:
        return "none"
    return " and ".join(kind.lower() for kind in integer) + " activations"


def _edge(graph: Subgraph, indices: tuple[int, ...]) -> list[dict[str, Any]]:
    return [_tensor(graph.tensors[index]) for index in indices]


def _tensor(tensor: Tensor) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": tensor.name, "type": tensor.type.lower(), "shape": list(tensor.shape)
    }  # fmt: skip
    if tensor.quantization is not None:
        scales = tensor.quantization.scale
        described["scale"] = scales[0] if len(scales) == 1 else {
            "rows": len(scales), "smallest": min(scales), "largest": max(scales)
        }  # fmt: skip
        described["zero_point"] = tensor.quantization.zero_point[0]
    return described


def _operators(file: File) -> list[dict[str, Any]]:
    """List the operators with versions, types of inputs and outputs, and how often."""
    counts: Counter[tuple[str, int, str]] = Counter()
    for graph in file.subgraphs:
        for op in graph.operators:
            types = [graph.tensors[i].type.lower() if i >= 0 else "-" for i in op.inputs]
            outs = [graph.tensors[i].type.lower() for i in op.outputs]
            key = f"{_short(types)} -> {_short(outs)}"
            counts[op.name, op.version, key] += 1
    return [
        {"name": name, "version": version, "types": types, "count": count}
        for (name, version, types), count in sorted(counts.items())
    ]


def _short(types: list[str]) -> str:
    """Return types, several equal ones in a row as one."""
    runs: list[list[Any]] = []
    for kind in types:
        if runs and runs[-1][0] == kind:
            runs[-1][1] += 1
        else:
            runs.append([kind, 1])
    return " ".join(kind if count == 1 else f"{count}x{kind}" for kind, count in runs)


def _quantised(file: File) -> list[dict[str, Any]]:
    """List the quantised tensors of all subgraphs; each name and scale once."""
    seen: dict[str, dict[str, Any]] = {}
    for graph in file.subgraphs:
        for tensor in graph.tensors:
            if tensor.quantization is not None:
                row = _tensor(tensor) | {"constant": bool(len(file.buffers[tensor.buffer]))}
                seen.setdefault(json.dumps(row, sort_keys=True), row)
    return list(seen.values())


def _activations(file: File) -> int:
    """Return the bytes of activations that live at once at least: the arena cannot be smaller."""
    return max(
        sum(
            -(-graph.tensors[i].bytes // _ALIGNMENT) * _ALIGNMENT
            for i in {i for i in (*op.inputs, *op.outputs) if i >= 0}
            if not len(file.buffers[graph.tensors[i].buffer])
        )
        for graph in file.subgraphs
        for op in graph.operators
    ) if any(graph.operators for graph in file.subgraphs) else 0  # fmt: skip


def _metadata(file: File) -> list[dict[str, Any]]:
    return [
        {"name": name, "bytes": len(file.buffers[index])} for name, index in file.metadata.items()
    ]


def _own_metadata(file: File) -> dict[str, Any] | None:
    """Return what rnnedge wrote into the file, None if it did not or it is damaged."""
    index = file.metadata.get(_OWN)
    if index is None or len(file.buffers[index]) > _LONGEST * 16:
        return None
    try:
        found = json.loads(bytes(file.buffers[index]))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _advice(file: File, cells: tuple[Cell, ...], own: dict[str, Any] | None) -> dict[str, Any]:
    """Say what rnnedge would make of the model that the file was converted from."""
    if own is not None:
        return {"text": "written by rnnedge"}
    if not cells:
        return {
            "text": "no recurrent layer is recognised here; rnnedge writes GRU, LSTM and vanilla "
            "RNN models from a .keras file"
        }
    main = file.subgraphs[0]
    shape = main.tensors[main.inputs[0]].shape if main.inputs else ()
    window = shape[1] if len(shape) == 3 and shape[1] > 1 else _WINDOW
    wanted = Shape(
        cells=tuple((cell.kind, cell.units) for cell in cells),
        inputs=cells[0].inputs,
        dense=tuple(heads(file)) or (2,),
        window=window,
    )
    text = f"rnnedge export MODEL.keras --calibrate DATA writes {wanted.name} from the Keras model"
    try:
        return {"text": text, **made_of(wanted)}
    except RnnedgeError as error:
        return {"text": text, "problem": str(error)}
