"""What lies behind the recurrent layers, and beside them: scores, their meaning, a start."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnedge.arrays import F64, I8, I16, I32, I64
from rnnedge.spec.frozen import Frozen
from rnnedge.spec.input import InputLayer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DenseLayer(Frozen):
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
        Frozen.__post_init__(self)
        self.expect("W", (self.units, self.inputs))
        self.expect("bias", (self.units,))
        self.expect("multiplier", (self.units,))

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutputLayer(Frozen):
    """What the scores of a regression mean: ``score * 2**-fraction_bits * std + mean``.

    Attributes:
        units: units of measure of the outputs ("" if unknown).
        mean: float64 (outputs,), raw units.
        std: float64 (outputs,), raw units, > 0.
    """

    DTYPES: ClassVar[dict[str, type[np.generic]]] = {"mean": np.float64, "std": np.float64}
    units: tuple[str, ...]
    mean: F64
    std: F64

    def __post_init__(self) -> None:
        Frozen.__post_init__(self)
        for name in self.DTYPES:
            self.expect(name, (len(self.units),))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeedbackLayer(Frozen):
    """Scores to the next step's input, a map for each channel.

    ``x = sat16((score[source] * multiplier + offset) >> shift)`` in int64. It is what
    InputLayer would make of the real values that the scores stand for.

    Attributes:
        source: int32 (channels,), index of the output that forecasts the channel one step ahead.
        multiplier: int32 (channels,), 1..2**30.
        offset: int64 (channels,), rounding half included, below 2**61 in magnitude.
        shift: int32 (channels,), 0..62.
    """

    DTYPES: ClassVar[dict[str, type[np.generic]]] = {
        "source": np.int32,
        "multiplier": np.int32,
        "offset": np.int64,
        "shift": np.int32,
    }
    source: I32
    multiplier: I32
    offset: I64
    shift: I32

    def __post_init__(self) -> None:
        Frozen.__post_init__(self)
        for name in self.DTYPES:
            self.expect(name, (self.source.size,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """When a forecast was wrong for too long (task "anomaly"); it needs a FeedbackLayer.

    A step's error is ``e = max over channels |x - forecast of x by the step before|`` in steps of
    the int16 input, the level ``level += (e * 2**8 - level) >> smoothing`` (int32, from 0). After
    `warmup` steps a level above `threshold` is an anomaly.

    Attributes:
        smoothing: 0..15; the level follows the error over about 2**smoothing steps.
        warmup: steps from a zero state before the first judgement, 1..65535.
        threshold: level, 0..2**24.
    """

    smoothing: int
    warmup: int
    threshold: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StartLayer:
    """The state that a sequence starts from, made of a feature vector: a dense layer.

    Attributes:
        names: names of the features, in order.
        units: their units of measure ("" if unknown).
        input: raw features to int16.
        dense: int16 features to the int16 state (units = state_size): a linear layer with
            fraction_bits 15, whose outputs saturate at 16 bits and are the state's integers.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    input: InputLayer
    dense: DenseLayer
