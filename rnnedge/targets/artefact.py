"""What a .tflite file says of its inputs and outputs, read without an interpreter."""

from dataclasses import dataclass
from typing import Any

from rnnedge.errors import ToolError

_MOST = 64  # ports, dimensions: more than any model of ours has
_TYPES = {7: "int16", 9: "int8", 0: "float32", 2: "int32"}  # schema.fbs, TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """An input or output of the main graph.

    Attributes:
        name: of the tensor.
        shape: its dimensions.
        dtype: "int16", "int8", "float32", "int32" or "unknown".
        scale: real value of one unit, 0.0 if the tensor has none.
        zero_point: of the tensor.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """The main graph's ports.

    Attributes:
        inputs: the samples first, then the states of a stream.
        outputs: the scores first, then the next states.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    @property
    def form(self) -> str:
        """Return "window" if the first input is (1, steps, channels), "stream" if (1, channels)."""
        return "window" if len(self.inputs[0].shape) == 3 else "stream"

    @property
    def states(self) -> tuple[Port, ...]:
        """The states that the application feeds back."""
        return self.inputs[1:]


def read_artefact(tflite: bytes) -> Artefact:
    """Read a file's ports.

    Raises:
        ToolError: tflite-micro, which brings the schema, is not installed; the file is damaged; or
            it is no model of one window or step in and scores out.
    """
    try:
        from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema
    except ImportError as error:
        raise ToolError(
            f"the package tflite-micro cannot be imported ({error}); pip install tflite-micro"
        ) from None
    try:
        graph = schema.Model.GetRootAsModel(tflite, 0).Subgraphs(0)
        inputs = _ports(graph, graph.InputsLength(), graph.Inputs)
        outputs = _ports(graph, graph.OutputsLength(), graph.Outputs)
    except Exception as error:  # whatever a damaged file makes of it
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ToolError(
            f"TFLite Micro: the file cannot be read ({reason}); it is damaged or the arena too "
            "small"
        ) from None
    if not inputs or not outputs:
        raise ToolError("TFLite Micro: the model has no inputs or no outputs")
    found = Artefact(inputs=inputs, outputs=outputs)
    _check(found)
    return found


def _ports(graph: Any, count: int, index: Any) -> tuple[Port, ...]:
    if count > _MOST:
        raise ValueError(f"{count} ports")
    return tuple(_port(graph.Tensors(index(place))) for place in range(count))


def _port(tensor: Any) -> Port:
    if tensor.ShapeLength() > _MOST:
        raise ValueError(f"{tensor.ShapeLength()} dimensions")
    quantization = tensor.Quantization()
    has = quantization is not None and quantization.ScaleLength() > 0
    zero = has and quantization.ZeroPointLength() > 0
    return Port(
        name=tensor.Name().decode(errors="replace"),
        shape=tuple(int(tensor.Shape(place)) for place in range(tensor.ShapeLength())),
        dtype=_TYPES.get(tensor.Type(), "unknown"),
        scale=float(quantization.Scale(0)) if has else 0.0,
        zero_point=int(quantization.ZeroPoint(0)) if zero else 0,
    )


def _check(found: Artefact) -> None:
    x, y = found.inputs[0], found.outputs[0]
    if len(x.shape) not in (2, 3) or x.shape[0] != 1 or x.dtype not in ("int8", "int16"):
        raise ToolError(
            f"TFLite Micro: the model's input is {x.dtype} {x.shape}; expected int8 or int16 "
            "(1, window, channels) or (1, channels)"
        )
    if len(y.shape) not in (2, 3) or y.shape[0] != 1 or y.dtype not in ("int8", "int16"):
        raise ToolError(
            f"TFLite Micro: the model's output is {y.dtype} {y.shape}; expected int8 or int16 "
            "(1, classes) or (1, window, classes)"
        )
    before = [(port.shape, port.dtype, port.scale, port.zero_point) for port in found.states]
    after = [(port.shape, port.dtype, port.scale, port.zero_point) for port in found.outputs[1:]]
    if before != after:
        raise ToolError(
            "TFLite Micro: the model's state inputs and outputs differ in shape, type or scale"
        )
