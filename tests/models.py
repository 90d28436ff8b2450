"""Random quantised models: any cell and shape, ordinary or extreme numbers, always provable."""

import numpy as np

from rnnedge.arrays import F64
from rnnedge.convert.calibrate import ranges
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
from rnnedge.convert.proof import prove
from rnnedge.convert.quantize import InputRange, Ranges, quantize_input, quantize_layers
from rnnedge.run import Channel, DataFormat, RunSpec
from rnnedge.spec import QuantizedModel

CELLS = ("gru", "gru_before", "lstm", "rnn", "rnn_relu")
GATES = {"gru": 3, "gru_before": 3, "lstm": 4, "rnn": 1, "rnn_relu": 1}


def float_cell(
    rng: np.random.Generator, name: str, cell: str, inputs: int, units: int, spread: float
) -> FloatCell:
    """One random cell of CELLS; its weights have a deviation of about `spread`."""
    rows = GATES[cell] * units
    # heavy tails: some rows far larger than others
    row_gain = rng.uniform(0.05, 1, size=rows)
    fields: dict = {
        "name": name,
        "units": units,
        "return_sequences": True,
        "W": rng.normal(size=(inputs, rows)) * spread * row_gain,
        "U": rng.normal(size=(units, rows)) * spread * row_gain / np.sqrt(units),
        "bias": rng.normal(size=rows) * spread * 0.3,
    }
    if cell in ("gru", "gru_before"):
        after = cell == "gru"
        recurrent = rng.normal(size=rows) * spread * 0.3 * after
        return FloatGru(**fields, reset_after=after, recurrent_bias=recurrent)
    if cell == "lstm":
        fields["bias"][units : 2 * units] += 1  # unit forget bias
        return FloatLstm(**fields)
    return FloatRnn(**fields, activation="tanh" if cell == "rnn" else "relu")


def float_model(
    seed: int,
    *,
    units: int = 8,
    channels: int = 3,
    classes: int = 4,
    cells: tuple[str, ...] = ("gru",),
    spread: float = 1.0,
    hidden: tuple[int, ...] = (),
    bidirectional: bool = False,
    sequences: bool = False,
) -> FloatModel:
    """A float model whose weights have a deviation of about `spread`; one layer for each cell."""
    rng = np.random.default_rng(seed)
    recurrent: list[FloatRecurrent] = []
    width = channels
    for index, cell in enumerate(cells):
        both = [
            float_cell(rng, f"{cell}{index}{way}", cell, width, units, spread)
            for way in ("", "_back")[: 1 + bidirectional]
        ]
        for layer in both:
            object.__setattr__(layer, "return_sequences", sequences or index < len(cells) - 1)
        if bidirectional:
            recurrent.append(FloatBidirectional(forward=both[0], backward=both[1]))
        else:
            recurrent.append(both[0])
        width = units * len(both)
    dense = []
    for index, size in enumerate((*hidden, classes)):
        last = index == len(hidden)
        dense.append(
            FloatDense(
                name=f"dense{index}",
                W=rng.normal(size=(width, size)) / (1 if last else np.sqrt(width)),
                bias=rng.normal(size=size),
                activation="linear" if last else "relu",
            )
        )
        width = size
    return FloatModel(
        mean=rng.normal(size=channels) * 10,
        std=rng.uniform(0.01, 50, size=channels),
        recurrent=tuple(recurrent),
        dense=tuple(dense),
    )


def quantized(
    model: FloatModel,
    *,
    name: str = "net",
    window: int = 16,
    limit: float = 5.0,
    input_bits: int = 8,
) -> QuantizedModel:
    """Quantise and prove `model`."""
    held = ranges(model, raw_windows(model, 1, 4, window).astype(np.float64), input_bits)
    source = InputRange(limit=limit, bits=input_bits)
    result = QuantizedModel(
        name=name,
        task="classify",
        window=window,
        channels=tuple(f"c{i}" for i in range(model.mean.size)),
        channel_units=("g",) * model.mean.size,
        rate=50.0,
        classes=tuple(f"class {i}" for i in range(model.outputs)),
        input=quantize_input(model.mean, model.std, limit),
        layers=quantize_layers(
            model, Ranges(source=source, states=held.states, hidden=held.hidden)
        ),
    )
    prove(result)
    return result


def raw_windows(model: FloatModel, seed: int, windows: int, steps: int) -> np.ndarray:
    """Raw float32 windows (windows, steps, channels) around the model's normalisation."""
    rng = np.random.default_rng(seed)
    x: F64 = rng.normal(size=(windows, steps, model.mean.size)).cumsum(axis=1) * 0.5
    return (x * model.std + model.mean).astype(np.float32)


def extreme_inputs(seed: int, windows: int, steps: int, channels: int) -> np.ndarray:
    """int16 inputs (windows, steps, channels): limits, limits +-2, powers of two, noise, zeros."""
    rng = np.random.default_rng(seed)
    edges = [-32768, -32767, -32766, 32765, 32766, 32767, -2, -1, 0, 1, 2]
    edges += [sign * 2**k + d for k in range(3, 15) for d in (-2, 0, 2) for sign in (-1, 1)]
    edges += [127, 128, 129, 32639, 32640, 32641, -32640]  # where narrow rounds and saturates
    x = rng.integers(-32768, 32768, size=(windows, steps, channels))
    choose = rng.random(x.shape)
    x = np.where(choose < 0.5, rng.choice(edges, size=x.shape), x)
    # whole windows that stay at one limit drive gates and state into saturation
    for index, value in enumerate((32767, -32768, 0)):
        if index < windows:
            x[index] = value
    return x.astype(np.int16)


def run_spec(model: FloatModel, *, name: str = "net", window: int = 16) -> RunSpec:
    """A run description that fits `model`."""
    return RunSpec(
        name=name,
        task="classify",
        cell="gru",
        units=model.recurrent[0].units,
        layers=len(model.recurrent),
        reset_after=True,
        window=window,
        hop=window // 2,
        rate=50.0,
        channels=tuple(
            Channel(name=f"c{i}", unit="g", mean=float(m), std=float(s))
            for i, (m, s) in enumerate(zip(model.mean, model.std, strict=True))
        ),
        classes=tuple(f"class {i}" for i in range(model.outputs)),
        data_format=DataFormat(),
    )
