"""Models of a given shape with random weights: figures need no training."""

from typing import Any

import numpy as np

from rnnedge.arrays import F32
from rnnedge.errors import UnsupportedLayerError
from rnnedge.run import Channel, DataFormat, RunSpec
from rnnedge.spec import QuantizedModel

CELLS = ("gru", "lstm", "rnn")
_WINDOW = 16
_WINDOWS = 2
_CLASSES = 4


def random_model(
    cell: str, *, units: int, inputs: int, layers: int = 1, reset_after: bool = True
) -> tuple[QuantizedModel, F32]:
    """Return a quantised model of this shape, and raw windows for it; always the same ones.

    Weights are those of an untrained network: normal, with the deviation of Glorot's scheme.

    Args:
        cell: one of CELLS.
        units: width of each layer, >= 1.
        inputs: channels, >= 1; 8-bit input.
        layers: recurrent layers, >= 1.
        reset_after: GRU form.

    Raises:
        UnsupportedLayerError: an unknown cell.
        RangeError: too wide for the number formats.
    """
    from rnnedge.convert.build import quantize
    from rnnedge.convert.floatmodel import FloatDense, FloatModel

    if cell not in CELLS:
        raise UnsupportedLayerError(f"cell {cell!r} is not supported; choose {', '.join(CELLS)}")
    rng = np.random.Generator(np.random.PCG64(0))
    widths = [inputs, *[units] * (layers - 1)]
    recurrent = tuple(
        _cell(rng, cell, width, units, reset_after, f"{cell}_{index}", index < layers - 1)
        for index, width in enumerate(widths)
    )
    head = FloatDense(name="scores", W=_glorot(rng, units, _CLASSES), bias=np.zeros(_CLASSES))
    model = FloatModel(
        mean=np.zeros(inputs), std=np.ones(inputs), recurrent=recurrent, dense=(head,)
    )
    raw = rng.normal(size=(_WINDOWS, _WINDOW, inputs)).astype(np.float32)
    run = RunSpec(
        name="bench",
        task="classify",
        cell=cell,
        units=units,
        layers=layers,
        reset_after=reset_after,
        window=_WINDOW,
        hop=_WINDOW,
        rate=None,
        channels=tuple(
            Channel(name=f"x{index}", unit="", mean=0.0, std=1.0) for index in range(inputs)
        ),
        classes=tuple(f"class {index}" for index in range(_CLASSES)),
        data_format=DataFormat(),
    )
    return quantize(model, run, raw, input_bits=8), raw


def _cell(
    rng: np.random.Generator,
    cell: str,
    inputs: int,
    units: int,
    reset_after: bool,
    name: str,
    return_sequences: bool,
) -> Any:
    from rnnedge.convert.floatmodel import FloatGru, FloatLstm, FloatRnn

    rows = {"gru": 3, "lstm": 4, "rnn": 1}[cell] * units
    fields = {
        "name": name,
        "units": units,
        "return_sequences": return_sequences,
        "W": _glorot(rng, inputs, rows),
        "U": _glorot(rng, units, rows),
        "bias": rng.normal(size=rows) * 0.1,
    }
    if cell == "gru":
        recurrent_bias = rng.normal(size=rows) * 0.1 * reset_after
        return FloatGru(**fields, recurrent_bias=recurrent_bias, reset_after=reset_after)
    return FloatLstm(**fields) if cell == "lstm" else FloatRnn(**fields, activation="tanh")


def _glorot(rng: np.random.Generator, inputs: int, rows: int) -> Any:
    return rng.normal(size=(inputs, rows)) * np.sqrt(2 / (inputs + rows))
