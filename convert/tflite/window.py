"""The window model: a quantised model as one .tflite file, whole windows in, scores out.

A pure function of the quantised model: nothing is quantised a second time, and equal models give
equal bytes. One WHILE runs over the window; it carries the position, the window and the states.
"""

import json

import numpy as np

import rnnedge
from rnnedge.convert.tflite import dense, gru
from rnnedge.convert.tflite.writer import Graph, Model, Tensor
from rnnedge.errors import UnsupportedLayerError
from rnnedge.modelfile import model_hash
from rnnedge.spec import DenseLayer, GruLayer, QuantizedModel

METADATA = "rnnedge"
"""Name of the metadata entry that says where the model comes from."""


def emit(model: QuantizedModel, *, metadata: bool = True) -> bytes:
    """Write `model` as a TensorFlow Lite flatbuffer for TFLite Micro.

    Input: int16 (1, window, channels), the normalised and quantised samples of docs/arithmetic.md,
    section 3, scale ``input_scale(model)``. Output: int16 (1, classes), scale
    ``output_scale(model)``; the class is the index of the largest score, the first of equals.

    Args:
        model: recurrent layers and one dense head.
        metadata: attach the model's name, hash, classes, channels and normalisation.

    Returns:
        The file's content.

    Raises:
        UnsupportedLayerError: the layers are not GRUs followed by one dense layer.
        RangeError: a row's range does not fit the kernels.
        ToolError: the package tflite-micro, which brings the schema, is not installed.
    """
    layers, head = _layers(model)
    file = Model()
    main, cond, body = file.graph("main"), file.graph("cond"), file.graph("body")
    length = model.window * model.input.channels

    x = main.input("x", (1, model.window, model.input.channels), "int16", input_scale(model))
    flat = main.flatten("window", x)
    start = main.constant("start", np.zeros(1, np.int32))
    state = [
        main.constant(f"h{index}_0", np.zeros((1, layer.units), np.int16), gru.STATE)
        for index, layer in enumerate(layers)
    ]
    _condition(cond, length, [start, flat, *state])
    _body(body, model, layers, [start, flat, *state])
    names = ["end", "window_out", *(f"h{index}" for index in range(len(state)))]
    *_, h = main.while_loop(names, [start, flat, *state], cond, body)
    main.outputs([dense.scores(main, "scores", head, h)])

    if metadata:
        file.metadata(METADATA, _description(model).encode())
    return file.pack(f"rnnedge {rnnedge.__version__}")


def input_scale(model: QuantizedModel) -> float:
    """Return the normalised value of one unit of the int16 input."""
    return float(np.float32(model.input.limit * 2.0**-15))


def output_scale(model: QuantizedModel) -> float:
    """Return the real value of one unit of the int16 scores.

    Raises:
        UnsupportedLayerError: the layers are not GRUs followed by one dense layer.
    """
    return dense.score_scale(_layers(model)[1])


def supported(model: QuantizedModel) -> bool:
    """Tell whether `emit` takes the model's layers: GRUs that stream, then one dense layer."""
    return (
        all(isinstance(layer, GruLayer) for layer in model.recurrent)
        and len(model.dense) == 1
        and not model.recurrent[-1].return_sequences
    )


def _layers(model: QuantizedModel) -> tuple[list[GruLayer], DenseLayer]:
    if not supported(model):
        kinds = ", ".join(layer.kind for layer in model.layers)
        raise UnsupportedLayerError(
            f"model {model.name}: layers {kinds}; .tflite export takes gru layers, the last "
            "without sequences, and one dense layer"
        )
    gru_layers = [layer for layer in model.recurrent if isinstance(layer, GruLayer)]
    return gru_layers, model.dense[0]


def _carried(graph: Graph, state: list[Tensor]) -> list[Tensor]:
    names = ["i", "window", *(f"h{index}" for index in range(len(state) - 2))]
    return [
        graph.input(name, tensor.shape, tensor.dtype, tensor.scale)
        for name, tensor in zip(names, state, strict=True)
    ]


def _condition(graph: Graph, length: int, state: list[Tensor]) -> None:
    i, *_ = _carried(graph, state)
    end = graph.constant("length", np.array([length], np.int32))
    graph.outputs([graph.less("more", i, end)])


def _body(graph: Graph, model: QuantizedModel, layers: list[GruLayer], state: list[Tensor]) -> None:
    i, window, *states = _carried(graph, state)
    channels = model.input.channels
    size = graph.constant("channels", np.array([channels], np.int32))
    axis = graph.constant("axis", np.array([1], np.int32))
    x = graph.slice("x", window, i, size, channels)
    after = []
    for index, (layer, h) in enumerate(zip(layers, states, strict=True)):
        prefix = f"{index}." if len(states) > 1 else ""
        x = gru.step(graph, prefix, layer, x, h, axis)
        after.append(x)
    graph.outputs([graph.add("i'", i, size, None), window, *after])


def _description(model: QuantizedModel) -> str:
    return json.dumps(
        {
            "name": model.name,
            "sha256": model_hash(model),
            "classes": list(model.classes),
            "channels": list(model.channels),
            "units": list(model.channel_units),
            "mean": model.input.mean.tolist(),
            "std": model.input.std.tolist(),
            "limit": model.input.limit,
        },
        separators=(",", ":"),
    )
