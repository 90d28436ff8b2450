"""The window form: whole windows in, from a zero state; scores out.

LSTMs run through the fused operator, layer by layer. Other layers run in WHILE loops: neighbours
of one direction share a loop, a bidirectional layer has one to itself.
"""

from dataclasses import replace

from rnnedge.convert.tflite import dense, fused, loop
from rnnedge.convert.tflite import operators as op
from rnnedge.convert.tflite.loop import Loop
from rnnedge.convert.tflite.scales import graph_input
from rnnedge.convert.tflite.variant import Variant
from rnnedge.convert.tflite.variant import fused as runs_fused
from rnnedge.convert.tflite.writer import Graph, Model, Tensor
from rnnedge.spec import BidirectionalLayer, LstmLayer, QuantizedModel, RecurrentLayer


def build(file: Model, model: QuantizedModel, variant: Variant) -> None:
    """Write the graphs of a window model.

    Input: (1, window, channels). Output: int16 (1, classes), or (1, window, classes) if the last
    recurrent layer returns sequences.

    Raises:
        RangeError: a row's range does not fit the kernels.
    """
    main = file.graph("main")
    x = graph_input(main, model, variant, (1, model.window, model.input.channels))
    run = _fused if runs_fused(model) else _loops
    main.outputs([run(file, main, model, variant, x)])


def _fused(file: Model, main: Graph, model: QuantizedModel, variant: Variant, x: Tensor) -> Tensor:
    layers = [layer for layer in model.recurrent if isinstance(layer, LstmLayer)]
    for index, layer in enumerate(layers):
        x = fused.run(main, _prefix(model, index), layer, x)
    T, H = model.window, layers[-1].units
    if layers[-1].return_sequences:
        v = op.reshape(main, "outputs", _wide(main, x), (T * H,))
        return _scores_of_all(file, main, model, variant, v)
    if T > 1:
        x = op.part(main, "last", x, (0, T - 1, 0), (1, 1, H))
    return dense.scores(main, "scores", model.dense, _wide(main, x))


def _wide(graph: Graph, v: Tensor) -> Tensor:
    """Return an activation as int16: the dense layers' precision."""
    if v.dtype == "int16":
        return v
    return op.quantize(graph, "last16", v, "int16", v.label * 2.0**-8)


def _loops(file: Model, main: Graph, model: QuantizedModel, variant: Variant, x: Tensor) -> Tensor:
    plan = _plan(model, variant)
    v = x
    for index, step in enumerate(plan):
        length = step.steps * step.width
        if v.shape != (length,):
            v = op.reshape(main, f"{step.name}window", v, (length,))
        outputs = loop.run(file, main, step, v)
        if step.dense:
            shape = (1, model.window, model.outputs)
            return op.reshape(main, "scores", outputs[0], shape)
        v = outputs[0]
        if len(outputs) == 2:
            v = _side_by_side(main, step, outputs)
        if not step.sequence:
            return dense.scores(main, "scores", model.dense, v)
        if index == len(plan) - 1:
            v = op.reshape(main, "outputs", v, (v.shape[-1] * v.shape[0],))
    return _scores_of_all(file, main, model, variant, v)


def _side_by_side(main: Graph, step: Loop, outputs: list[Tensor]) -> Tensor:
    """Return both directions' outputs, step by step if they are sequences."""
    name = f"{step.name}both"
    if not step.sequence:
        return op.concatenation(main, name, outputs, axis=1)
    parts = [
        op.reshape(main, f"{name}_{way}", v, (step.steps, v.shape[1] // step.steps))
        for way, v in zip(("forward", "backward"), outputs, strict=True)
    ]
    return op.concatenation(main, name, parts, axis=1)


def _scores_of_all(
    file: Model, main: Graph, model: QuantizedModel, variant: Variant, v: Tensor
) -> Tensor:
    """Run the dense layers on each step's outputs (steps * width,)."""
    last = Loop(
        name="dense_",
        steps=model.window,
        width=model.dense[0].inputs,
        layers=(),
        dense=model.dense,
        sequence=True,
        precision=variant.precision,
    )
    (scores,) = loop.run(file, main, last, v)
    return op.reshape(main, "scores", scores, (1, model.window, model.outputs))


def _plan(model: QuantizedModel, variant: Variant) -> list[Loop]:
    """Return the loops of the recurrent layers; the dense layers join the last if they can."""
    plan: list[Loop] = []
    open_loop = False
    for index, layer in enumerate(model.recurrent):
        prefix = _prefix(model, index)
        if isinstance(layer, RecurrentLayer) and open_loop:
            plan[-1] = replace(
                plan[-1],
                layers=(*plan[-1].layers, (prefix, layer)),
                sequence=layer.return_sequences,
            )
            continue
        open_loop = isinstance(layer, RecurrentLayer)
        first: tuple[str, RecurrentLayer]
        backward: tuple[str, RecurrentLayer] | None
        if isinstance(layer, BidirectionalLayer):
            first = (f"{prefix}forward_", layer.forward)
            backward = (f"{prefix}backward_", layer.backward)
        else:
            first, backward = (prefix, layer), None
        plan.append(
            Loop(
                name="" if index == 0 else f"{index}.",
                steps=model.window,
                width=layer.inputs,
                layers=(first,),
                backward=backward,
                sequence=layer.return_sequences,
                precision=variant.precision,
            )
        )
    if open_loop and plan[-1].sequence:
        plan[-1] = replace(plan[-1], dense=model.dense)
    return plan


def _prefix(model: QuantizedModel, index: int) -> str:
    return f"{index}." if len(model.recurrent) > 1 else ""
