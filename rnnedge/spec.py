"""The quantised model: a list of layers that simulator, C emitter and TFLite writer read.

The arithmetic that gives these numbers their meaning is defined in docs/arithmetic.md.
Every real value below is `integer * scale`; all integers are symmetric (zero point 0).
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar

import numpy as np

from rnnedge.arrays import F64, I8, I16, I32, I64, U8, frozen
from rnnedge.errors import ModelError

CONTRACT = 2
"""Version of the number formats; written into every file and checked on reading."""


SLOWEST_RATE, FASTEST_RATE = 1e-9, 1e9


def rate_error(rate: object) -> str | None:
    """Return what is wrong with a sample rate, or None.

    >>> rate_error(None), rate_error(50.0)
    (None, None)
    >>> rate_error(0)
    'rate is 0, expected 1e-09 to 1e+09 samples per second'
    """
    if rate is None:
        return None
    number = None if isinstance(rate, bool) or not isinstance(rate, int | float) else rate
    if number is not None and SLOWEST_RATE <= number <= FASTEST_RATE:
        return None
    return f"rate is {rate!r}, expected {SLOWEST_RATE:g} to {FASTEST_RATE:g} samples per second"


class _Frozen:
    """Cast array fields to their dtype, check them and make them read-only."""

    __slots__ = ()
    DTYPES: ClassVar[dict[str, type[np.generic]]] = {}

    def __post_init__(self) -> None:
        for name, dtype in self.DTYPES.items():
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))

    def _expect(self, name: str, shape: tuple[int, ...]) -> None:
        found = getattr(self, name).shape
        if found != shape:
            raise ModelError(f"{type(self).__name__}.{name} has shape {found}, expected {shape}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputLayer(_Frozen):
    """Raw sensor values to int16: normalisation and quantisation in one integer map.

    ``fixed = trunc(clamp(raw * 2**exponent, -2**30, 2**30))`` (float32, exact), then
    ``x = sat16((fixed * multiplier + offset) >> shift)`` in int64. The real, normalised value is
    ``(raw - mean) / std = x * limit / 2**15``.

    Attributes:
        mean: float64 (channels,), raw units.
        std: float64 (channels,), raw units, > 0.
        limit: largest normalised magnitude that int16 holds, > 0.
        exponent: int32 (channels,), -126..127.
        multiplier: int32 (channels,), 1..2**30.
        offset: int64 (channels,), rounding half included.
        shift: int32 (channels,), 0..62.
    """

    DTYPES: ClassVar[dict[str, type[np.generic]]] = {
        "mean": np.float64,
        "std": np.float64,
        "exponent": np.int32,
        "multiplier": np.int32,
        "offset": np.int64,
        "shift": np.int32,
    }
    mean: F64
    std: F64
    limit: float
    exponent: I32
    multiplier: I32
    offset: I64
    shift: I32

    def __post_init__(self) -> None:
        _Frozen.__post_init__(self)
        for name in self.DTYPES:
            self._expect(name, (self.channels,))

    @property
    def channels(self) -> int:
        """Number of input channels."""
        return int(self.mean.size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecurrentLayer(_Frozen):
    """What all cells have: one affine map of input and state, gate after gate.

    Attributes:
        units: H, width of the output.
        inputs: I, width of the input.
        return_sequences: True if the next layer reads every step, False if only the last.
        input_bits: 8: the product sees the rounded top byte of the int16 input; 16: all of it.
        x_shift: left shift of the narrowed input, 0..8; 0 with 16-bit inputs.
        h_shift: left shift of the narrowed state, 0..8.
        acc_shift: right shift of the accumulator, 0..8; 0 with 8-bit inputs.
        gain_exponent: G, 1..13: the real value of one unit of a row's weights is
            ``multiplier * 2**-G``, of a sigmoid gate's row ``multiplier * 2**-(G - 1)``.
        W: int8 (gates * H, I), input weights, -127..127.
        U: int8 (gates * H, H), recurrent weights, -127..127.
        bias: int32 (gates * H,), GRU with reset_after (4H,): accumulator format, rounding included.
        multiplier: uint8 (gates * H,), 1..255: the row's scale, exactly.

    As the weights see them, the input is ``x * 2**input_exponent`` (x: the int16 input) and the
    state ``h * 2**(output_shift - 15)`` (docs/arithmetic.md, section 4).
    """

    kind: ClassVar[str] = ""
    GATES: ClassVar[tuple[str, ...]] = ()
    SIGMOID: ClassVar[tuple[int, ...]] = ()  # 1 for each gate that is a sigmoid
    DTYPES: ClassVar[dict[str, type[np.generic]]] = {
        "W": np.int8,
        "U": np.int8,
        "bias": np.int32,
        "multiplier": np.uint8,
    }
    units: int
    inputs: int
    return_sequences: bool
    input_bits: int
    x_shift: int
    h_shift: int
    acc_shift: int
    gain_exponent: int
    W: I8
    U: I8
    bias: I32
    multiplier: U8

    def __post_init__(self) -> None:
        _Frozen.__post_init__(self)
        rows = len(self.GATES) * self.units
        self._expect("W", (rows, self.inputs))
        self._expect("U", (rows, self.units))
        self._expect("multiplier", (rows,))
        self._expect("bias", (self.bias_rows,))
        if self.input_bits not in (8, 16):
            raise ModelError(f"{type(self).__name__}.input_bits is {self.input_bits}, not 8 or 16")
        for name in ("x_shift", "h_shift", "acc_shift"):
            if not 0 <= getattr(self, name) <= 8:
                raise ModelError(f"{type(self).__name__}.{name} is {getattr(self, name)}, not 0..8")

    @property
    def bias_rows(self) -> int:
        """Number of biases."""
        return len(self.GATES) * self.units

    @property
    def outputs(self) -> int:
        """Width of the output, H."""
        return self.units

    @property
    def state_size(self) -> int:
        """Number of int16 state values."""
        return self.units

    @property
    def output_shift(self) -> int:
        """The real value of an output is ``h * 2**(this - 15)``."""
        return 0

    @property
    def row_scale(self) -> F64:
        """float64 (gates * H,): real value of one unit of a row's weights."""
        halved = np.repeat(self.SIGMOID, self.units)
        scale: F64 = np.ldexp(self.multiplier.astype(np.float64), halved - self.gain_exponent)
        return scale

    @property
    def unit_exponent(self) -> int:
        """Real value of one accumulator step: ``row_scale * 2**-this``."""
        return 7 + self.h_shift - self.output_shift

    @property
    def input_exponent(self) -> int:
        """Real value of one unit of the int16 input, as the weights see it: ``2**this``."""
        return self.x_shift - (8 if self.input_bits == 8 else 0) - self.unit_exponent

    @property
    def dropped_bits(self) -> int:
        """Bits of a pre-activation that are not used: 8 by the look-up."""
        return 8

    @property
    def lost(self) -> F64:
        """float64 (gates * H,): accumulator steps that truncation takes from a row, on average."""
        half = 2.0**self.dropped_bits / 2 / self.multiplier
        shifted_out = half * 2**self.acc_shift + (2**self.acc_shift - 1) / 2
        return np.asarray(shifted_out + np.repeat(self.lost_by_gate, self.units), np.float64)

    @property
    def lost_by_gate(self) -> tuple[float, ...]:
        """What else truncation takes from the rows of each gate, accumulator steps on average."""
        return (0.0,) * len(self.GATES)

    @property
    def real_bias(self) -> F64:
        """float64 (gates * H,): real value of the biases, without the rounding they carry."""
        scale = self.row_scale * 2.0**-self.unit_exponent
        return np.asarray((self.bias[: self.multiplier.size] - self.lost) * scale, np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GruLayer(RecurrentLayer):
    """One GRU layer, gate order z (update), r (reset), n (candidate).

    Attributes:
        reset_after: True: the reset gate acts after the recurrent product of the candidate
            (Keras default, cuDNN, PyTorch), whose biases are the fourth block of `bias`. False:
            before it.
    """

    kind: ClassVar[str] = "gru"
    GATES: ClassVar[tuple[str, ...]] = ("z", "r", "n")
    SIGMOID: ClassVar[tuple[int, ...]] = (1, 1, 0)
    reset_after: bool

    @property
    def bias_rows(self) -> int:
        """Number of biases, 4H with reset_after, else 3H."""
        return (4 if self.reset_after else 3) * self.units

    @property
    def lost_by_gate(self) -> tuple[float, ...]:
        """With reset_after, fixedpoint.reset drops 3/4 of a step of a candidate's row."""
        return (0.0, 0.0, 0.75 if self.reset_after else 0.0)

    @property
    def real_recurrent_bias(self) -> F64:
        """float64 (H,): real value of the candidate's recurrent biases, zero if reset before."""
        H = self.units
        if not self.reset_after:
            return np.zeros(H)
        scale = self.row_scale[2 * H :] * 2.0**-self.unit_exponent
        return np.asarray(self.bias[3 * H :] * scale, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LstmLayer(RecurrentLayer):
    """One LSTM layer, gate order i (input), f (forget), g (candidate), o (output).

    Attributes:
        state_shift: s, 0..10; the real value of the cell state is ``c * 2**(s - 15)``.
    """

    kind: ClassVar[str] = "lstm"
    GATES: ClassVar[tuple[str, ...]] = ("i", "f", "g", "o")
    SIGMOID: ClassVar[tuple[int, ...]] = (1, 1, 0, 1)
    state_shift: int

    @property
    def state_size(self) -> int:
        """Number of int16 state values: h, then c."""
        return 2 * self.units


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RnnLayer(RecurrentLayer):
    """One vanilla RNN layer.

    Attributes:
        activation: "tanh" or "relu".
        state_shift: s, 0..10; the real value of a relu state is ``h * 2**(s - 15)``; 0 with tanh.
    """

    kind: ClassVar[str] = "rnn"
    GATES: ClassVar[tuple[str, ...]] = ("h",)
    SIGMOID: ClassVar[tuple[int, ...]] = (0,)
    activation: str
    state_shift: int

    @property
    def dropped_bits(self) -> int:
        """Bits of a pre-activation that are not used: 8 by the look-up, 5 + s by relu."""
        return 8 if self.activation == "tanh" else 5 + self.state_shift

    @property
    def output_shift(self) -> int:
        """The real value of an output is ``h * 2**(this - 15)``."""
        return self.state_shift


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BidirectionalLayer:
    """Two layers of one kind over the same window, one of them from its end; outputs side by side.

    Attributes:
        forward: first to last step.
        backward: last to first step.
    """

    kind: ClassVar[str] = "bidirectional"
    forward: RecurrentLayer
    backward: RecurrentLayer

    def __post_init__(self) -> None:
        same = ("kind", "units", "inputs", "return_sequences", "output_shift")
        for name in (*same, "reset_after", "activation"):  # the last two decide the step
            if getattr(self.forward, name, None) != getattr(self.backward, name, None):
                raise ModelError(f"BidirectionalLayer: the directions have different {name}")

    @property
    def units(self) -> int:
        """Width of one direction."""
        return self.forward.units

    @property
    def inputs(self) -> int:
        """Width of the input."""
        return self.forward.inputs

    @property
    def outputs(self) -> int:
        """Width of the output, both directions."""
        return 2 * self.forward.units

    @property
    def state_size(self) -> int:
        """Number of int16 state values of one direction."""
        return self.forward.state_size

    @property
    def return_sequences(self) -> bool:
        """True if the next layer reads every step."""
        return self.forward.return_sequences

    @property
    def output_shift(self) -> int:
        """The real value of an output is ``h * 2**(this - 15)``."""
        return self.forward.output_shift


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DenseLayer(_Frozen):
    """A dense layer: int16 in; int32 scores out, or int16 if another dense layer follows.

    Attributes:
        units: number of outputs.
        inputs: I, width of the int16 input.
        activation: "linear" or "relu"; the last layer is linear.
        W: int8 (units, I), -127..127.
        bias: int32 (units,), accumulator format, rounding half included.
        multiplier: int16 (units,), 1..32767.
        fraction_bits: F; the real value of an output is ``score * 2**-F``, 0..30.

    ``row_scale = multiplier * 2**-(F + 1)`` is the real value of one unit of a row's weights, which
    have absorbed the power of two of their input: it counts as Q0.15.
    """

    kind: ClassVar[str] = "dense"
    DTYPES: ClassVar[dict[str, type[np.generic]]] = {
        "W": np.int8,
        "bias": np.int32,
        "multiplier": np.int16,
    }
    units: int
    inputs: int
    activation: str
    W: I8
    bias: I32
    multiplier: I16
    fraction_bits: int

    def __post_init__(self) -> None:
        _Frozen.__post_init__(self)
        self._expect("W", (self.units, self.inputs))
        self._expect("bias", (self.units,))
        self._expect("multiplier", (self.units,))

    @property
    def outputs(self) -> int:
        """Width of the output."""
        return self.units

    @property
    def row_scale(self) -> F64:
        """float64 (units,): real value of one unit of a row's weights."""
        return np.ldexp(self.multiplier.astype(np.float64), -(self.fraction_bits + 1))

    @property
    def real_bias(self) -> F64:
        """float64 (units,): real value of the bias, without the rounding half it carries."""
        return (self.bias - 2.0**15 / self.multiplier) * self.row_scale / 2**15


Recurrent = RecurrentLayer | BidirectionalLayer
Layer = RecurrentLayer | BidirectionalLayer | DenseLayer
LAYER_KINDS: dict[str, Any] = {
    layer.kind: layer for layer in (GruLayer, LstmLayer, RnnLayer, BidirectionalLayer, DenseLayer)
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuantizedModel:
    """Everything that decides a bit on the device.

    Attributes:
        name: C identifier, also the base name of exported files.
        task: "classify".
        window: time steps of one window.
        channels: names of the input channels, in order.
        channel_units: units of measure of the channels ("" if unknown).
        rate: samples per second, or None if unknown.
        classes: class names, in the order of the scores.
        input: raw units to int16.
        layers: recurrent layers first, then dense ones; at least one of each.
    """

    name: str
    task: str
    window: int
    channels: tuple[str, ...]
    channel_units: tuple[str, ...]
    rate: float | None
    classes: tuple[str, ...]
    input: InputLayer
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if not self.recurrent or not self.dense or self.layers != self.recurrent + self.dense:
            raise ModelError("a model is recurrent layers, then dense layers, at least one of each")
        if not all(layer.return_sequences for layer in self.recurrent[:-1]):
            raise ModelError("a recurrent layer below another one returns sequences")
        wrong = rate_error(self.rate)
        if wrong is not None:
            raise ModelError(wrong)
        width = self.input.channels
        if len(self.channels) != width or len(self.channel_units) != width:
            raise ModelError(f"{len(self.channels)} channel names for {width} channels")
        for index, layer in enumerate(self.layers):
            if layer.inputs != width:
                raise ModelError(
                    f"layer {index} ({layer.kind}) takes {layer.inputs} inputs, "
                    f"but {width} values arrive"
                )
            width = layer.outputs

    @property
    def recurrent(self) -> tuple[Recurrent, ...]:
        """The layers that keep a state; `step` runs them."""
        return tuple(
            layer for layer in self.layers if isinstance(layer, RecurrentLayer | BidirectionalLayer)
        )

    @property
    def cells(self) -> tuple[RecurrentLayer, ...]:
        """Every direction of every recurrent layer."""
        found: list[RecurrentLayer] = []
        for layer in self.recurrent:
            if isinstance(layer, BidirectionalLayer):
                found += [layer.forward, layer.backward]
            else:
                found.append(layer)
        return tuple(found)

    @property
    def dense(self) -> tuple[DenseLayer, ...]:
        """The layers without state behind them; `output` runs them."""
        return tuple(layer for layer in self.layers if isinstance(layer, DenseLayer))

    @property
    def bidirectional(self) -> bool:
        """True if the model sees whole windows and cannot stream."""
        return any(isinstance(layer, BidirectionalLayer) for layer in self.layers)

    @property
    def state_size(self) -> int:
        """Number of int16 state values of all layers; 0 if the model cannot stream."""
        return 0 if self.bidirectional else sum(layer.state_size for layer in self.recurrent)

    @property
    def layer_values(self) -> int:
        """int16 values of all layers' outputs over a window, of each or only its last step."""
        return sum(
            layer.outputs * (self.window if layer.return_sequences else 1)
            for layer in self.recurrent
        )

    @property
    def buffer_size(self) -> int:
        """int16 values of rnnedge_model_window's buffer: outputs and the state of one direction."""
        return self.layer_values + max(layer.state_size for layer in self.recurrent)

    @property
    def fraction_bits(self) -> int:
        """Of the scores."""
        return self.dense[-1].fraction_bits

    @property
    def outputs(self) -> int:
        """Number of scores."""
        return self.layers[-1].outputs

    def same_as(self, other: "QuantizedModel") -> bool:
        """Tell whether both models have equal fields and arrays."""
        mine, theirs = list(_leaves(self)), list(_leaves(other))
        return len(mine) == len(theirs) and all(
            a == b and np.array_equal(x, y) for (a, x), (b, y) in zip(mine, theirs, strict=True)
        )


def _leaves(item: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of every scalar and array below a spec object."""
    if isinstance(item, tuple):
        for index, value in enumerate(item):
            yield from _leaves(value, f"{path}/{index}")
    elif is_dataclass(item):
        for field in fields(item):
            yield from _leaves(getattr(item, field.name), f"{path}/{field.name}")
    else:
        yield path, item
