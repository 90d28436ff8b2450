"""The structs of each layer kind as C, and what a model lists for it."""

from rnnedge.convert.c.packing.order import Packed, multipliers
from rnnedge.convert.c.text import array
from rnnedge.convert.proof import is_narrow
from rnnedge.errors import ModelError
from rnnedge.spec import (
    BidirectionalLayer,
    DenseLayer,
    GruLayer,
    LstmLayer,
    Recurrent,
    RecurrentLayer,
    RnnLayer,
)


def step(layer: RecurrentLayer) -> str:
    """Return the name of the runtime's step function."""
    if isinstance(layer, GruLayer):
        return f"rnnedge_gru_{'after' if layer.reset_after else 'before'}_step"
    if isinstance(layer, LstmLayer):
        return "rnnedge_lstm_step"
    if isinstance(layer, RnnLayer):
        return f"rnnedge_rnn_{layer.activation}_step"
    raise ModelError(f"the runtime has no step for a layer of kind {layer.kind!r}")


def cell(layer: RecurrentLayer, prefix: str, packed: Packed) -> tuple[str, ...]:
    """Return the definitions of a cell's multipliers and parameters; `prefix` starts every name."""
    values = packed.multipliers
    if values is None:
        values = multipliers(layer, packed.block)
    shift = layer.state_shift if isinstance(layer, LstmLayer | RnnLayer) else 0
    fields = {
        "units": layer.units,
        "inputs": layer.inputs,
        "input_bits": layer.input_bits,
        "x_shift": layer.x_shift,
        "h_shift": layer.h_shift,
        "acc_shift": layer.acc_shift,
        "state_shift": shift,
        "product": packed.product or f"rnnedge_product_{'narrow' if is_narrow(layer) else 'wide'}",
        "weights": packed.weights,
        "bias": packed.bias,
        "multiplier": f"{prefix}_multiplier",
    }
    return (
        array(
            f"static const uint8_t {prefix}_multiplier[{values.size}] RNNEDGE_FLASH",
            f"Row scales times 2^-{layer.gain_exponent}"
            + (f", of sigmoid gates 2^-{layer.gain_exponent - 1}" if any(layer.SIGMOID) else "")
            + f"; gates {', '.join(layer.GATES)}",
            [("", values)],
        ),
        _struct("rnnedge_cell", prefix, **fields),
    )


def dense(layer: DenseLayer, prefix: str) -> tuple[str, ...]:
    """Return the definitions of a dense layer's arrays; `prefix` starts every name."""
    units, columns = layer.units, layer.inputs
    return (
        array(
            f"static const int8_t {prefix}_w[{units} * {columns}] RNNEDGE_FLASH",
            f"Weights ({units}, {columns}), one scale per row",
            [("", layer.W)],
        ),
        array(
            f"static const int32_t {prefix}_bias[{units}] RNNEDGE_FLASH",
            f"Bias ({units}), accumulator format, rounding half included",
            [("", layer.bias)],
        ),
        array(
            f"static const int16_t {prefix}_multiplier[{units}] RNNEDGE_FLASH",
            f"Row scales ({units}), times 2^-{layer.fraction_bits + 1}",
            [("", layer.multiplier)],
        ),
    )


def dense_entry(layer: DenseLayer, prefix: str) -> str:
    """Return a dense layer's row in the model's list."""
    return initialiser(
        units=layer.units,
        inputs=layer.inputs,
        relu=int(layer.activation == "relu"),
        w=f"{prefix}_w",
        bias=f"{prefix}_bias",
        multiplier=f"{prefix}_multiplier",
    )


def layer_entry(layer: Recurrent, prefix: str) -> str:
    """Return a recurrent layer's row in the model's list."""
    both = isinstance(layer, BidirectionalLayer)
    return initialiser(
        step=step(directions(layer, prefix)[0][1]),
        cell=f"&{directions(layer, prefix)[0][0]}",
        backward=f"&{directions(layer, prefix)[1][0]}" if both else "NULL",
        inputs=layer.inputs,
        outputs=layer.outputs,
        state_size=layer.state_size,
        sequences=int(layer.return_sequences),
    )


def directions(layer: Recurrent, prefix: str) -> list[tuple[str, RecurrentLayer]]:
    """Return (C name, cell) of each direction of a layer."""
    if isinstance(layer, BidirectionalLayer):
        return [(f"{prefix}_forward", layer.forward), (f"{prefix}_backward", layer.backward)]
    return [(prefix, layer)]


def initialiser(**fields: object) -> str:
    """Return a row of a table of structs."""
    return "    {" + ",\n     ".join(f".{name} = {value}" for name, value in fields.items()) + "},"


def _struct(kind: str, prefix: str, **fields: object) -> str:
    """Return the definition of a struct."""
    lines = [f"    .{name} = {value}," for name, value in fields.items()]
    return "\n".join([f"static const {kind} {prefix} RNNEDGE_FLASH = {{", *lines, "};"])
