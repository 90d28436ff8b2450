"""What rnnedge would make of a model: sizes, from a quantisation with made-up data.

Sizes do not depend on the weights' values, so that a model of which only the shape is known has the
sizes of a random one.
"""

from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from rnnedge import run as runs
from rnnedge.convert.build import quantize
from rnnedge.convert.floatmodel import (
    FloatDense,
    FloatGru,
    FloatLstm,
    FloatModel,
    FloatRecurrent,
    FloatRnn,
)
from rnnedge.convert.tflite import emit, unsupported
from rnnedge.convert.tflite.variant import ALL
from rnnedge.errors import RnnedgeError
from rnnedge.inspect.trial import try_tflm
from rnnedge.spec import EmbeddingLayer, QuantizedModel

_GATES = {"gru": 3, "lstm": 4, "rnn": 1}
_WINDOWS = 4
_LARGEST = 4096  # units, inputs; a damaged file may claim any number


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The shape of a recurrent model.

    Attributes:
        cells: kind and units of each recurrent layer.
        inputs: channels.
        dense: widths of the dense layers behind.
        window: steps.
    """

    cells: tuple[tuple[str, int], ...]
    inputs: int
    dense: tuple[int, ...]
    window: int

    @property
    def name(self) -> str:
        """As in "GRU-32 with 3 inputs"."""
        layers = "+".join(f"{kind.upper()}-{units}" for kind, units in self.cells)
        return f"{layers} with {self.inputs} inputs"


def made_of(shape: Shape) -> dict[str, Any]:
    """Return the sizes of what rnnedge writes for a model of this shape; see `sizes`.

    Raises:
        RangeError: it cannot be quantised.
    """
    widths = (shape.inputs, *(units for _, units in shape.cells), *shape.dense)
    if not all(0 < width <= _LARGEST for width in widths):
        return {}
    rng = np.random.default_rng(0)
    cells: list[FloatRecurrent] = []
    width = shape.inputs
    for index, (kind, units) in enumerate(shape.cells):
        rows = _GATES[kind] * units
        common: dict[str, Any] = {
            "name": f"{kind}{index}",
            "units": units,
            "return_sequences": index < len(shape.cells) - 1,
            "W": rng.normal(size=(width, rows)) / np.sqrt(width),
            "U": rng.normal(size=(units, rows)) / np.sqrt(units),
            "bias": rng.normal(size=rows) / 4,
        }
        if kind == "gru":
            cells.append(
                FloatGru(**common, reset_after=True, recurrent_bias=rng.normal(size=rows) / 4)
            )
        elif kind == "lstm":
            cells.append(FloatLstm(**common))
        else:
            cells.append(FloatRnn(**common, activation="tanh"))
        width = units
    dense = []
    for index, units in enumerate(shape.dense):
        dense.append(
            FloatDense(
                name=f"dense{index}",
                W=rng.normal(size=(width, units)) / np.sqrt(width),
                bias=rng.normal(size=units) / 4,
                activation="linear" if index == len(shape.dense) - 1 else "relu",
            )
        )
        width = units
    mean, std = np.zeros(shape.inputs), np.ones(shape.inputs)
    model = FloatModel(mean=mean, std=std, recurrent=tuple(cells), dense=tuple(dense))
    return sizes(quantised(model, shape.window, "like_this"))


def quantised(model: FloatModel, window: int, name: str) -> QuantizedModel:
    """Quantise a model with normal random windows in place of data.

    Raises:
        RangeError: a value does not fit its format.
    """
    rng = np.random.default_rng(0)
    count = model.mean.size
    raw = rng.normal(size=(_WINDOWS, window, count)) * model.std + model.mean
    run = runs.RunSpec(
        name=name,
        task="classify",
        cell="",
        units=model.recurrent[0].units,
        layers=len(model.recurrent),
        reset_after=True,
        window=window,
        hop=window,
        rate=None,
        channels=tuple(
            runs.Channel(name=f"c{i}", unit="", mean=float(mean), std=float(std))
            for i, (mean, std) in enumerate(zip(model.mean, model.std, strict=True))
        ),
        classes=tuple(f"class {i}" for i in range(model.outputs)),
        data_format=runs.DataFormat(),
    )
    return quantize(model, run, raw.astype(np.float32), input_bits=8)


def sizes(model: QuantizedModel) -> dict[str, Any]:
    """Return what rnnedge writes for a model.

    Returns:
        ``c_constants_bytes``: tables, weights, biases and multipliers of the C export, of a start
        and of an encoder, too; ``tflite``: by variant the bytes of the .tflite without metadata,
        or the reason why there is none; ``arena_bytes``: what the interpreter counts for the first
        of them.
    """
    files: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for variant in ALL:
        reason = unsupported(model, variant)
        try:
            tflite = b"" if reason else emit(model, variant, metadata=False)
            files[variant.name] = reason or len(tflite)
            if variant == ALL[0] and tflite:
                found["arena_bytes"] = try_tflm(tflite, 1).arena
        except RnnedgeError as error:
            files[variant.name] = str(error)
    found["c_constants_bytes"] = _constants(model)
    return found | {"tflite": files}


def _constants(model: QuantizedModel) -> int:
    """Return the bytes of all constants of a model."""
    parts: list[Any] = [*model.layers]
    if isinstance(model.input, EmbeddingLayer):
        parts.append(model.input)
    if model.start is not None:
        parts.append(model.start.dense)
    total = sum(_bytes(part) for part in parts)
    return total + (0 if model.encoder is None else _constants(model.encoder))


def _bytes(layer: Any) -> int:
    """Return the bytes of all arrays of a layer."""
    total = 0
    for field in fields(layer):
        value = getattr(layer, field.name)
        if isinstance(value, np.ndarray):
            total += value.nbytes
        elif is_dataclass(value):
            total += _bytes(value)
    return total
