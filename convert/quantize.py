"""Float weights to integers: scales, rows, biases (docs/arithmetic.md, sections 3 to 8)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnedge.arrays import F64, I32, I64
from rnnedge.convert.biases import row_biases
from rnnedge.convert.floatmodel import (
    FloatBidirectional,
    FloatCell,
    FloatDense,
    FloatGru,
    FloatLstm,
    FloatModel,
    FloatRecurrent,
    FloatRnn,
)
from rnnedge.convert.rounding import MAX_WEIGHT, expected_error, rounded, seen, to_int8
from rnnedge.errors import RangeError
from rnnedge.spec import (
    BidirectionalLayer,
    DenseLayer,
    GruLayer,
    InputLayer,
    Layer,
    LstmLayer,
    RecurrentLayer,
    RnnLayer,
)

_MAX_BIAS = 1 << 30
_RAW_BITS = 6  # extra resolution of the fixed-point form of a raw value
_GAIN_EXPONENT = 13  # of a row's scale: weights up to 127 * 255 * 2^-13 = 3.95
_MAX_SHIFT = 8  # an int8 shifted by it fits 16 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRange:
    """How a layer's int16 input is held.

    Attributes:
        limit: the real value of 2^15, > 0.
        bits: 8 or 16, what the layer reads.
    """

    limit: float
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """What calibration decides.

    Attributes:
        source: the model's input.
        states: for each recurrent layer the power of two of its cell state (LSTM) or output (relu
            RNN), 0..10; 0 for the others.
        hidden: the same for the output of each dense layer but the last.
        squares: for each cell, both directions of a bidirectional layer, the mean products of its
            inputs (rnnedge.convert.rounding); none: weights are rounded one by one.
    """

    source: InputRange
    states: tuple[int, ...]
    hidden: tuple[int, ...] = ()
    squares: tuple[F64, ...] = ()


def quantize_input(mean: F64, std: F64, limit: float) -> InputLayer:
    """Return the integer form of ``round((raw - mean) / std * 2**15 / limit)``.

    Raises:
        RangeError: a channel's mean is so far from zero, compared with its deviation, that
            float32 or the integer map cannot resolve it.
    """
    fields: list[tuple[int, int, int, int]] = []
    for channel, (center, deviation) in enumerate(zip(mean, std, strict=True)):
        gain = 2.0**15 / (deviation * limit)  # input steps per raw unit
        largest = abs(center) + deviation * limit
        # fine enough for 2^-6 of an input step, yet the whole range stays below 2^29
        exponent = min(math.ceil(math.log2(gain)) + _RAW_BITS, 29 - math.ceil(math.log2(largest)))
        exponent = max(-126, min(127, exponent))
        ratio = gain * 2.0**-exponent
        shift = 29 - math.floor(math.log2(ratio))  # multiplier in 2^29..2^30
        # |offset| < 2^62; a shift of at most 46 keeps (fixed * multiplier) meaningful
        while shift > 0 and abs(center) * gain * 2.0**shift >= 2.0**61:
            shift -= 1
        multiplier = round(ratio * 2.0**shift)
        if not (1 <= multiplier <= 1 << 30 and 0 <= shift <= 62) or ratio > 2.0**12:
            raise RangeError(
                f"channel {channel}: mean {center:g} with standard deviation {deviation:g} cannot "
                "be resolved in float32; subtract a constant from this channel before training"
            )
        fixed_center = center * 2.0**exponent
        offset = math.floor((0.5 - fixed_center * ratio) * 2.0**shift + 0.5)
        fields.append((exponent, multiplier, offset, shift))
    columns = list(zip(*fields, strict=True))
    return InputLayer(
        mean=mean,
        std=std,
        limit=limit,
        exponent=np.array(columns[0]),
        multiplier=np.array(columns[1]),
        offset=np.array(columns[2], dtype=np.int64),
        shift=np.array(columns[3]),
    )


def quantize_layers(model: FloatModel, ranges: Ranges) -> tuple[Layer, ...]:
    """Quantise all layers; stacked ones read 8 bits of the state below.

    Raises:
        RangeError: a weight or bias is beyond every scale; names layer and row.
    """
    layers: list[Layer] = []
    source, squares = ranges.source, list(ranges.squares)
    for layer, shift in zip(model.recurrent, ranges.states, strict=True):
        quantized = quantize_recurrent(layer, source, shift, squares)
        layers.append(quantized)
        source = InputRange(limit=2.0**quantized.output_shift, bits=8)
    limit = source.limit
    for index, dense in enumerate(model.dense):
        held = ranges.hidden[index] if index < len(model.dense) - 1 else None
        layers.append(quantize_dense(dense, limit, held))
        limit = 2.0 ** (held or 0)
    return tuple(layers)


def quantize_recurrent(
    layer: FloatRecurrent, source: InputRange, state_shift: int, squares: list[F64] | None = None
) -> RecurrentLayer | BidirectionalLayer:
    """Quantise one recurrent layer.

    Args:
        layer: float weights.
        source: the input's range.
        state_shift: power of two of the cell state (LSTM) or the output (relu RNN).
        squares: as in Ranges; those of the layer's cells are taken away.

    Raises:
        RangeError: a weight or bias is beyond every scale; names layer and row.
    """
    if isinstance(layer, FloatBidirectional):
        return BidirectionalLayer(
            forward=_quantize_cell(layer.forward, source, state_shift, squares),
            backward=_quantize_cell(layer.backward, source, state_shift, squares),
        )
    return _quantize_cell(layer, source, state_shift, squares)


def _quantize_cell(
    layer: FloatCell, source: InputRange, state_shift: int, squares: list[F64] | None
) -> RecurrentLayer:
    mean = squares.pop(0) if squares else None
    kind, own = _kind(layer, state_shift)
    s = own["state_shift"] if isinstance(layer, FloatRnn) else 0
    k = max(0, math.ceil(math.log2(source.limit)))
    # with 16 bits the state is shifted by s + 8 - k
    k = min(max(k, s) if source.bits == 16 else k, _MAX_SHIFT)
    if mean is not None and source.bits == 8 and k > 0:
        errors = [expected_error(layer.W, layer.U, source.limit / 2.0**e, mean) for e in (k, k - 1)]
        k -= errors[1] < errors[0]
    factor = source.limit / 2.0**k
    mean = None if mean is None else seen(mean, len(layer.W), factor)
    W, U = layer.W.T * factor, layer.U.T
    peak = np.maximum(np.abs(W).max(axis=1), np.abs(U).max(axis=1))
    bias, second = row_biases(layer)
    largest = np.abs(bias) if second is None else np.maximum(
        np.abs(bias), np.r_[np.zeros(bias.size - second.size), np.abs(second)]
    )  # fmt: skip
    halved = np.repeat(kind.SIGMOID, layer.units)
    # weights first, then biases: the accumulator step is the row scale * 2^-7 or finer
    needed = np.maximum(peak / MAX_WEIGHT, largest * 2.0 ** (15 - min(k, 8)) / _MAX_BIAS)
    wider = _wider(layer.name, needed, halved, _MAX_SHIFT - max(k, s))
    gain = _GAIN_EXPONENT - wider
    multiplier = np.maximum(np.ceil(np.ldexp(needed, gain - halved)), 1).astype(np.int64)
    scale = np.ldexp(multiplier.astype(np.float64), halved - gain)
    if source.bits == 8:
        shifts = {"x_shift": k + wider, "h_shift": s + wider, "acc_shift": 0}
    else:
        shifts = {"x_shift": 0, "h_shift": s + 8 - k, "acc_shift": 8 - k - wider}
    weights = to_int8(np.concatenate([W, U], axis=1), scale, mean)
    fields: dict[str, Any] = {
        "units": layer.units,
        "inputs": W.shape[1],
        "return_sequences": layer.return_sequences,
        "input_bits": source.bits,
        **shifts,
        "gain_exponent": gain,
        "W": weights[:, : W.shape[1]],
        "U": weights[:, W.shape[1] :],
        "multiplier": multiplier,
        **own,
    }
    rows = bias.size + (0 if second is None else second.size)
    quantized = kind(**fields, bias=np.zeros(rows, np.int32))
    unit = scale * 2.0**-quantized.unit_exponent
    steps = [np.floor(bias / unit + quantized.lost + 0.5)]
    if second is not None:
        steps.append(np.floor(second / unit[-second.size :] + 0.5))
    return kind(**{**fields, "bias": np.concatenate(steps).astype(np.int32)})


def _kind(layer: FloatCell, state_shift: int) -> tuple[type[RecurrentLayer], dict[str, Any]]:
    """Return the integer class of a float layer, and the fields that only it has."""
    if isinstance(layer, FloatGru):
        return GruLayer, {"reset_after": layer.reset_after}
    if isinstance(layer, FloatLstm):
        return LstmLayer, {"state_shift": state_shift}
    if isinstance(layer, FloatRnn):
        shift = state_shift if layer.activation == "relu" else 0
        return RnnLayer, {"activation": layer.activation, "state_shift": shift}
    raise TypeError(f"{type(layer).__name__} is no cell")


def _wider(name: str, needed: F64, halved: I64, most: int) -> int:
    """Return by how many powers of two scales must be wider than usual, 0..most.

    Raises:
        RangeError: by more than `most`.
    """
    ratio = np.ldexp(needed, _GAIN_EXPONENT - halved) / 255
    row = int(np.argmax(ratio))
    wider = max(0, math.ceil(math.log2(max(float(ratio[row]), 2.0**-30))))
    if wider > most:
        raise RangeError(
            f"layer {name!r}, row {row}: weights or bias are too large for its input range (by "
            f"{max(math.log2(float(ratio[row])) - most, 0.1):.1f} bits); train with weight decay, "
            "or scale the channels"
        )
    return wider


def quantize_dense(layer: FloatDense, limit: float, hidden_shift: int | None) -> DenseLayer:
    """Quantise one dense layer.

    Args:
        layer: float weights.
        limit: the real value of 2^15 of its int16 input.
        hidden_shift: power of two of its int16 output; None: the last layer, int32 scores.

    Raises:
        RangeError: a weight or bias is beyond every scale; names layer and row.
    """
    W = layer.W.T * limit
    exponents = range(31, 0, -1) if hidden_shift is None else range(16 - hidden_shift, 0, -1)
    rows = _Rows.fit(layer.name, np.abs(W).max(axis=1), layer.bias, exponents)
    fraction_bits = rows.gain_exponent - 1
    if hidden_shift is not None and fraction_bits != 15 - hidden_shift:
        raise RangeError(
            f"layer {layer.name!r}: weights or biases are too large for its output's range; train "
            "with weight decay"
        )
    return DenseLayer(
        units=W.shape[0],
        inputs=W.shape[1],
        activation=layer.activation,
        W=rounded(W, rows.scale),
        bias=rows.bias(layer.bias),
        multiplier=rows.multiplier.astype(np.int16),
        fraction_bits=fraction_bits,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """The scales of a dense layer's rows: ``scale = multiplier * 2**-gain_exponent``, exactly."""

    multiplier: I64
    gain_exponent: int

    @property
    def scale(self) -> F64:
        return np.ldexp(self.multiplier.astype(np.float64), -self.gain_exponent)

    @classmethod
    def fit(cls, name: str, peak: F64, bias: F64, gain_exponents: Sequence[int]) -> "_Rows":
        """Take the finest gain_exponent that covers each row's largest weight and its bias."""
        smallest = np.maximum(peak / MAX_WEIGHT, np.abs(bias) * 2.0**15 / _MAX_BIAS)
        for exponent in gain_exponents:
            # rows of tiny weights keep a bias range of at least 128
            multiplier = np.maximum(np.ceil(smallest * 2.0**exponent), 16)
            if multiplier.max() <= 32767:
                return cls(multiplier=multiplier.astype(np.int64), gain_exponent=exponent)
        row = int(np.argmax(smallest))
        largest = 32767 * 2.0 ** -gain_exponents[-1]
        raise RangeError(
            f"layer {name!r}, row {row}: weight {peak[row]:g} or bias {bias[row]:g} is too large "
            f"(by {math.log2(smallest[row] / largest):.1f} bits); train with weight decay"
        )

    def bias(self, bias: F64) -> I32:
        """Return the int32 biases with the rounding half, ``2**15 / multiplier``, included."""
        units = self.scale * 2.0**-15
        return np.floor(bias / units + 2.0**15 / self.multiplier + 0.5).astype(np.int32)
