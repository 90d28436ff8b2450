"""Why a .tflite file would not run on TensorFlow Lite Micro, or not as it should: the known traps.

A finding *stops* the file (the interpreter refuses it), is a *risk* (it runs on a PC but not, or
otherwise, on a device; or it costs far more than it must), or is a *note*.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rnnedge.inspect.operators import TFLM_VERSION, WITHOUT, missing
from rnnedge.inspect.recurrent import Cell, activations, products
from rnnedge.tflmath import File, Operator, Subgraph

_GATE = 2.0**-15
_PEEPHOLES, _PROJECTION, _NORMS = range(9, 12), range(16, 18), range(20, 24)
_HIDDEN, _CELL = 18, 19
_STRANGE = {"STRING", "VARIANT", "COMPLEX64", "COMPLEX128", "FLOAT16", "FLOAT64", "BFLOAT16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know about a file.

    Attributes:
        level: "stops", "risk" or "note".
        text: one line: what, and what to do.
    """

    level: str
    text: str


def findings(file: File, cells: tuple[Cell, ...]) -> list[Finding]:
    """Return what is known against a file, the worst first."""
    found = [finding for rule in _RULES for finding in rule(file, cells)]
    order = ("stops", "risk", "note")
    return sorted(found, key=lambda finding: order.index(finding.level))


def _operators(file: File) -> Iterator[tuple[Subgraph, Operator]]:
    for graph in file.subgraphs:
        for operator in graph.operators:
            yield graph, operator


def _missing(file: File, _: tuple[Cell, ...]) -> Iterator[Finding]:
    counts = Counter((op.name, op.custom) for _, op in _operators(file))
    absent = {name: n for (name, custom), n in counts.items() if missing(name, custom)}
    lists = [name for name in absent if "TensorList" in name]
    if lists:
        yield Finding(
            level="stops",
            text=f"TensorList operators ({', '.join(sorted(lists))}): a recurrent layer that was "
            "converted with SELECT_TF_OPS; they need TensorFlow's runtime, TFLM has none of them",
        )
    for name, count in sorted(absent.items()):
        if name in lists:
            continue
        why = f" ({WITHOUT[name]})" if name in WITHOUT else ""
        flex = ", a TensorFlow operator (SELECT_TF_OPS)," if name.startswith("Flex") else ""
        yield Finding(
            level="stops",
            text=f"{name}{flex} is no operator of TFLM {TFLM_VERSION}{why}; the file has {count}",
        )


def _hybrid(file: File, _: tuple[Cell, ...]) -> Iterator[Finding]:
    count = sum(
        weights.type == "INT8" and graph.tensors[op.inputs[0]].type == "FLOAT32"
        for graph in file.subgraphs
        for op, weights in products(graph, file)
        if op.inputs[0] >= 0
    )
    if count:
        yield Finding(
            level="stops",
            text=f"hybrid quantisation: {count} FULLY_CONNECTED of float activations and int8 "
            "weights (dynamic range); TFLM refuses them: calibrate with a representative dataset",
        )


def _types(file: File, _: tuple[Cell, ...]) -> Iterator[Finding]:
    kinds = {tensor.type for graph in file.subgraphs for tensor in graph.tensors}
    strange = sorted(kinds & _STRANGE)
    if strange:
        yield Finding(level="stops", text=f"tensors of {', '.join(strange)}: TFLM has no kernels")
    if any(tensor.sparse for graph in file.subgraphs for tensor in graph.tensors):
        yield Finding(level="stops", text="sparse weights: TFLM reads dense ones only")


def _gates(file: File, _: tuple[Cell, ...]) -> Iterator[Finding]:
    for graph, op in _operators(file):
        if op.name not in ("LOGISTIC", "TANH"):
            continue
        x, y = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
        if y.type == "INT16" and y.quantization and abs(y.scale / _GATE - 1) > 1e-3:
            yield Finding(
                level="stops",
                text=f"{op.name} to {y.name!r} has the int16 scale {y.scale:g}; it must be 2**-15",
            )
        if y.type == "INT16" and (x.zero_point or y.zero_point):
            yield Finding(level="stops", text=f"{op.name} of int16 with a zero point, not 0")


def _recurrent(file: File, cells: tuple[Cell, ...]) -> Iterator[Finding]:
    for cell in cells:
        name = f"{cell.kind.upper()}-{cell.units}"
        if cell.form == "unrolled":
            operators = sum(len(graph.operators) for graph in file.subgraphs)
            size = file.size - sum(len(b) for b in file.buffers)
            yield Finding(
                level="risk",
                text=f"{name} is unrolled over {cell.steps} steps: {operators} operators, "
                f"{size:,} bytes of the file besides its constants, and an arena to match; a loop "
                "holds the step once",
            )
            if cell.type == "INT16":
                yield Finding(
                    level="risk",
                    text=f"{name} is unrolled in int16: the converter lets inputs of different "
                    "scales share one bias; compare its outputs with the float model's",
                )
        elif cell.form == "loop" and cell.type == "FLOAT32":
            fused = ", not fused: the converter no longer recognises Keras 3's LSTM"
            yield Finding(
                level="risk",
                text=f"{name} is a WHILE loop in float32{fused if cell.kind == 'lstm' else ''}; "
                "calibrating a WHILE to int8 or 16x8 crashes the converter",
            )


def _float(file: File, _: tuple[Cell, ...]) -> Iterator[Finding]:
    integer = any(t.type in ("INT8", "INT16") for g in file.subgraphs for t in g.tensors)
    if activations(file)["FLOAT32"] and not integer:
        yield Finding(
            level="risk",
            text="a float model: weights of 4 bytes each, and software floating point on cores "
            "without an FPU",
        )


def _shapes(file: File, _: tuple[Cell, ...]) -> Iterator[Finding]:
    main = file.subgraphs[0]
    open_inputs = [main.tensors[i].name for i in main.inputs if -1 in main.tensors[i].shape]
    if open_inputs:
        yield Finding(
            level="risk",
            text=f"input {open_inputs[0]!r} has a dimension without a size: TFLM takes it as 1; "
            "give the model a fixed batch of 1 and a fixed window before it is converted",
        )


def _products(file: File, _: tuple[Cell, ...]) -> Iterator[Finding]:
    channels = biases = 0
    for graph in file.subgraphs:
        for op, weights in products(graph, file):
            x = graph.tensors[op.inputs[0]] if op.inputs[0] >= 0 else None
            if x is None or x.type != "INT16":
                continue
            channels += weights.quantization is not None and len(weights.quantization.scale) > 1
            bias = op.inputs[2] if len(op.inputs) > 2 else -1
            biases += bias >= 0 and graph.tensors[bias].type != "INT64"
    if channels:
        yield Finding(
            level="risk",
            text=f"{channels} FULLY_CONNECTED of int16 with a scale for each row: the reference "
            "kernels run them, CMSIS-NN's refuse them; convert with one scale per tensor",
        )
    if biases:
        yield Finding(
            level="risk",
            text=f"{biases} FULLY_CONNECTED of int16 whose bias is not int64, as CMSIS-NN needs it",
        )


def _fused_lstm(file: File, _: tuple[Cell, ...]) -> Iterator[Finding]:
    for graph, op in _operators(file):
        if op.name != "UNIDIRECTIONAL_SEQUENCE_LSTM":
            continue
        given = {place for place, index in enumerate(op.inputs) if index >= 0}
        for what, places in (
            ("peepholes", _PEEPHOLES), ("a projection", _PROJECTION), ("layer norm", _NORMS)
        ):  # fmt: skip
            if given & set(places):
                yield Finding(level="stops", text=f"{op.name} with {what}: TFLM has none of that")
        if not op.options.get("cellClip", 0.0) > 0:
            yield Finding(
                level="risk",
                text=f"{op.name} with cell_clip 0: the reference kernels take it for none, "
                "CMSIS-NN's clamp the cell to 0; write a large positive clip",
            )
        shape = graph.tensors[op.inputs[0]].shape
        time = 0 if op.options.get("timeMajor") else 1
        if len(shape) == 3 and shape[time] == 1:
            yield Finding(
                level="risk",
                text=f"{op.name} of one step: CMSIS-NN's keep no state between invocations; "
                "stream through single operators with the state as inputs and outputs",
            )
        cell = op.inputs[_CELL] if len(op.inputs) > _CELL else -1
        if cell >= 0 and graph.tensors[cell].type not in ("INT16", "FLOAT32"):
            yield Finding(level="stops", text=f"{op.name} whose cell state is not int16")
        yield Finding(
            level="note",
            text=f"{op.name} keeps its state between invocations: reset the interpreter before "
            "each window",
        )


def _variables(file: File, _: tuple[Cell, ...]) -> Iterator[Finding]:
    names = {op.options.get("sharedName") for _, op in _operators(file) if op.name == "VAR_HANDLE"}
    if names:
        yield Finding(
            level="note",
            text=f"keeps its state in {len(names)} resource variables: the application creates "
            "them (MicroResourceVariables) and passes them to the interpreter",
        )


def _loops(file: File, _: tuple[Cell, ...]) -> Iterator[Finding]:
    for graph, op in _operators(file):
        if op.name != "WHILE":
            continue
        for before, after in zip(op.inputs, op.outputs, strict=False):
            a, b = (graph.tensors[i].quantization if i >= 0 else None for i in (before, after))
            if a and b and a.scale != b.scale:
                yield Finding(
                    level="risk",
                    text=f"a WHILE takes {graph.tensors[before].name!r} with scale {a.scale[0]:g} "
                    f"and returns it with {b.scale[0]:g}: the state drifts",
                )


_RULES: tuple[Callable[[File, tuple[Cell, ...]], Iterator[Finding]], ...] = (
    _missing, _hybrid, _types, _gates, _fused_lstm, _recurrent, _products, _loops, _shapes, _float,
    _variables,
)  # fmt: skip
