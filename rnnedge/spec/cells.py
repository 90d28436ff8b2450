"""The recurrent layers."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnedge.arrays import F64, I8, I32, U8
from rnnedge.errors import ModelError
from rnnedge.spec.frozen import Frozen


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecurrentLayer(Frozen):
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
        Frozen.__post_init__(self)
        rows = len(self.GATES) * self.units
        self.expect("W", (rows, self.inputs))
        self.expect("U", (rows, self.units))
        self.expect("multiplier", (rows,))
        self.expect("bias", (self.bias_rows,))
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
