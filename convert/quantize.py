"""Float weights to integers: scales, rows, biases (docs/arithmetic.md, sections 3 to 5)."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F64, I32, I64, frozen
from rnnedge.convert.floatmodel import FloatDense, FloatGru, FloatModel
from rnnedge.errors import RangeError
from rnnedge.spec import DenseLayer, GruLayer, InputLayer

MIN_MULTIPLIER = 16
"""Smallest row multiplier: rows of tiny weights keep a bias range of at least 128."""
MAX_MULTIPLIER = 32767
MAX_WEIGHT = 127
_MAX_BIAS = 1 << 30
_RAW_BITS = 6  # extra resolution of the fixed-point form of a raw value


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRange:
    """How the model's input is held.

    Attributes:
        limit: largest normalised magnitude that int16 holds, > 0.
        bits: 8 or 16, what the first layer reads.
    """

    limit: float
    bits: int


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


def quantize_gru(layer: FloatGru, source: InputRange) -> GruLayer:
    """Quantise one GRU layer.

    Args:
        layer: float weights.
        source: the input's range: of the model's input, or limit 1 for a layer below.

    Raises:
        RangeError: a weight or bias is beyond every scale; names layer and row.
    """
    H = layer.units
    k = max(0, math.ceil(math.log2(source.limit)))
    W = layer.W.T * (source.limit / 2.0**k)
    U = layer.U.T
    x_peak, h_peak = _peaks(W), _peaks(U)
    if layer.reset_after:
        gates = slice(0, 2 * H)
        peak = np.concatenate(
            [np.maximum(x_peak[gates], h_peak[gates]), x_peak[2 * H :], h_peak[2 * H :]]
        )
        bias = np.concatenate(
            [
                layer.input_bias[gates] + layer.recurrent_bias[gates],
                layer.input_bias[2 * H :],
                layer.recurrent_bias[2 * H :],
            ]
        )
        w_rows, u_rows = np.arange(3 * H), np.r_[0 : 2 * H, 3 * H : 4 * H]
    else:
        peak = np.maximum(x_peak, h_peak)
        bias = layer.input_bias
        w_rows = u_rows = np.arange(3 * H)
    rows = _Rows.fit(layer.name, peak, bias, unit_exponent=7, gain_exponents=range(21, 12, -1))
    return GruLayer(
        units=H,
        inputs=W.shape[1],
        reset_after=layer.reset_after,
        return_sequences=layer.return_sequences,
        input_bits=source.bits,
        input_shift=k if source.bits == 8 else k - 8,
        W=_weights(W, rows.scale[w_rows]),
        U=_weights(U, rows.scale[u_rows]),
        bias=rows.bias(bias, 2.0 ** (rows.gain_exponent - 6)),
        multiplier=frozen(rows.multiplier, np.int16),
        shift=rows.gain_exponent - 5,
    )


def quantize_dense(layer: FloatDense) -> DenseLayer:
    """Quantise the head.

    Raises:
        RangeError: a weight or bias is beyond every scale; names layer and row.
    """
    W = layer.W.T
    rows = _Rows.fit(
        layer.name, _peaks(W), layer.bias, unit_exponent=15, gain_exponents=range(31, 0, -1)
    )
    return DenseLayer(
        units=W.shape[0],
        inputs=W.shape[1],
        W=_weights(W, rows.scale),
        bias=rows.bias(layer.bias, 2.0**15),
        multiplier=frozen(rows.multiplier, np.int16),
        fraction_bits=rows.gain_exponent - 1,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """The scales of a layer's rows: ``scale = multiplier * 2**-gain_exponent``, exactly."""

    name: str
    multiplier: I64
    gain_exponent: int
    unit_exponent: int

    @property
    def scale(self) -> F64:
        return np.ldexp(self.multiplier.astype(np.float64), -self.gain_exponent)

    @classmethod
    def fit(
        cls, name: str, peak: F64, bias: F64, *, unit_exponent: int, gain_exponents: range
    ) -> "_Rows":
        """Take the finest gain_exponent that covers each row's largest weight and its bias.

        An accumulator step is worth ``scale * 2**-unit_exponent``.
        """
        smallest = np.maximum(peak / MAX_WEIGHT, np.abs(bias) * 2.0**unit_exponent / _MAX_BIAS)
        for exponent in gain_exponents:
            multiplier = np.maximum(np.ceil(smallest * 2.0**exponent), MIN_MULTIPLIER)
            if multiplier.max() <= MAX_MULTIPLIER:
                return cls(
                    name=name,
                    multiplier=multiplier.astype(np.int64),
                    gain_exponent=exponent,
                    unit_exponent=unit_exponent,
                )
        row = int(np.argmax(smallest))
        largest = MAX_MULTIPLIER * 2.0 ** -gain_exponents[-1]
        raise RangeError(
            f"layer {name!r}, row {row}: weight {peak[row]:g} or bias {bias[row]:g} is too large "
            f"(by {math.log2(smallest[row] / largest):.1f} bits); train with weight decay"
        )

    def bias(self, bias: F64, rounding: float) -> I32:
        """Return the int32 biases with the rounding half, ``rounding / multiplier``, included."""
        units = self.scale * 2.0**-self.unit_exponent
        return np.floor(bias / units + rounding / self.multiplier + 0.5).astype(np.int32)


def _peaks(W: F64) -> F64:
    return np.asarray(np.abs(W).max(axis=1), dtype=np.float64)


def _weights(W: F64, scale: F64) -> npt.NDArray[np.int8]:
    q = np.floor(W / scale[:, None] + 0.5)
    return np.clip(q, -MAX_WEIGHT, MAX_WEIGHT).astype(np.int8)


def quantize_layers(model: FloatModel, source: InputRange) -> tuple[GruLayer | DenseLayer, ...]:
    """Quantise all layers; the first reads `source`, stacked ones the 8-bit state below."""
    layers: list[GruLayer | DenseLayer] = []
    for layer in model.recurrent:
        layers.append(quantize_gru(layer, source))
        source = InputRange(limit=1.0, bits=8)
    return (*layers, quantize_dense(model.head))
