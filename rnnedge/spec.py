"""The quantised model: a list of layers that simulator, C emitter and TFLite writer read.

The arithmetic that gives these numbers their meaning is defined in docs/arithmetic.md.
Every real value below is `integer * scale`; all integers are symmetric (zero point 0).
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from rnnedge.arrays import F64, I8, I16, I32, I64, frozen
from rnnedge.errors import ModelError

CONTRACT = 1
"""Version of the number formats; written into every file and checked on reading."""


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
class GruLayer(_Frozen):
    """One GRU layer, gate order z (update), r (reset), n (candidate).

    Attributes:
        units: H, width of the state.
        inputs: I, width of the input.
        reset_after: True: the reset gate acts after the recurrent product of the candidate
            (Keras default, cuDNN, PyTorch). False: before it.
        return_sequences: True if the next layer reads every step, False if only the last.
        input_bits: 8: the product sees the rounded top byte of the int16 input; 16: all of it.
        input_shift: the input's product is shifted left (>= 0) or right (< 0) by this much
            before it meets the recurrent product, -15..15.
        W: int8 (3H, I), input weights, -127..127.
        U: int8 (3H, H), recurrent weights, -127..127.
        bias: int32 (R,), accumulator format, rounding half included.
        multiplier: int16 (R,), 1..32767: the row's scale, exactly.
        shift: from accumulator times multiplier to Q3.12, 8..16.

    Rows: with reset_after R = 4H: z, r, n's input part, n's recurrent part; else R = 3H: z, r, n.
    Real values: a weight is ``W * row_scale``; the input it meets is ``x * 2**(input_exponent)``
    (x: the int16 input), the state ``h * 2**-15`` (docs/arithmetic.md).
    """

    kind: ClassVar[str] = "gru"
    DTYPES: ClassVar[dict[str, type[np.generic]]] = {
        "W": np.int8,
        "U": np.int8,
        "bias": np.int32,
        "multiplier": np.int16,
    }
    units: int
    inputs: int
    reset_after: bool
    return_sequences: bool
    input_bits: int
    input_shift: int
    W: I8
    U: I8
    bias: I32
    multiplier: I16
    shift: int

    def __post_init__(self) -> None:
        _Frozen.__post_init__(self)
        self._expect("W", (3 * self.units, self.inputs))
        self._expect("U", (3 * self.units, self.units))
        self._expect("bias", (self.rows,))
        self._expect("multiplier", (self.rows,))
        if self.input_bits not in (8, 16):
            raise ModelError(f"GruLayer.input_bits is {self.input_bits}, expected 8 or 16")

    @property
    def rows(self) -> int:
        """Number of requantised rows, 4H with reset_after, else 3H."""
        return (4 if self.reset_after else 3) * self.units

    @property
    def outputs(self) -> int:
        """Width of the output, H."""
        return self.units

    @property
    def row_scale(self) -> F64:
        """float64 (R,): real value of one unit of a row's weights."""
        return np.ldexp(self.multiplier.astype(np.float64), -(5 + self.shift))

    @property
    def real_bias(self) -> F64:
        """float64 (R,): real value of the bias, without the rounding half it carries."""
        half = 2.0 ** (self.shift - 1) / self.multiplier
        return (self.bias - half) * self.row_scale / 2**7

    @property
    def input_exponent(self) -> int:
        """Real value of one unit of the int16 input, as the weights see it: 2**this."""
        return self.input_shift + (0 if self.input_bits == 8 else 8) - 15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DenseLayer(_Frozen):
    """The output head: int16 state in, int32 scores out.

    Attributes:
        units: number of outputs.
        inputs: I, width of the int16 Q0.15 input.
        W: int8 (units, I), -127..127.
        bias: int32 (units,), accumulator format, rounding half included.
        multiplier: int16 (units,), 1..32767.
        fraction_bits: F; the real value of an output is ``score * 2**-F``, 0..30.

    ``row_scale = multiplier * 2**-(F + 1)`` is the real value of one unit of a row's weights.
    """

    kind: ClassVar[str] = "dense"
    DTYPES: ClassVar[dict[str, type[np.generic]]] = {
        "W": np.int8,
        "bias": np.int32,
        "multiplier": np.int16,
    }
    units: int
    inputs: int
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


Layer = GruLayer | DenseLayer
LAYER_KINDS: dict[str, type[GruLayer] | type[DenseLayer]] = {
    layer.kind: layer for layer in (GruLayer, DenseLayer)
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
        layers: recurrent layers first, then the head.
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
        if not self.layers:
            raise ModelError("a model needs at least one layer")
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
    def recurrent(self) -> tuple[GruLayer, ...]:
        """The layers that keep a state; `step` runs them."""
        return tuple(layer for layer in self.layers if isinstance(layer, GruLayer))

    @property
    def head(self) -> tuple[DenseLayer, ...]:
        """The layers without state behind them; `output` runs them."""
        return tuple(layer for layer in self.layers if isinstance(layer, DenseLayer))

    @property
    def state_size(self) -> int:
        """Number of int16 state values of all layers."""
        return sum(layer.units for layer in self.recurrent)

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
    elif isinstance(item, (QuantizedModel, InputLayer, GruLayer, DenseLayer)):
        for field in fields(item):
            yield from _leaves(getattr(item, field.name), f"{path}/{field.name}")
    else:
        yield path, item
