"""Random quantised models: any shape, ordinary or extreme numbers, always provable."""

import numpy as np

from rnnedge.convert.floatmodel import FloatDense, FloatGru, FloatModel
from rnnedge.convert.proof import prove
from rnnedge.convert.quantize import InputRange, quantize_input, quantize_layers
from rnnedge.run import Channel, DataFormat, RunSpec
from rnnedge.spec import QuantizedModel


def float_model(
    seed: int,
    *,
    units: int = 8,
    channels: int = 3,
    classes: int = 4,
    reset_after: bool = True,
    spread: float = 1.0,
    layers: int = 1,
) -> FloatModel:
    """A float model whose weights have a deviation of about `spread`."""
    rng = np.random.default_rng(seed)
    recurrent, width = [], channels
    for index in range(layers):
        # heavy tails: some rows far larger than others
        row_gain = rng.uniform(0.05, 1, size=3 * units)
        recurrent.append(
            FloatGru(
                name=f"gru{index}",
                units=units,
                reset_after=reset_after,
                return_sequences=index < layers - 1,
                W=rng.normal(size=(width, 3 * units)) * spread * row_gain,
                U=rng.normal(size=(units, 3 * units)) * spread * row_gain / np.sqrt(units),
                input_bias=rng.normal(size=3 * units) * spread * 0.3,
                recurrent_bias=rng.normal(size=3 * units) * spread * 0.3 * reset_after,
            )
        )
        width = units
    return FloatModel(
        mean=rng.normal(size=channels) * 10,
        std=rng.uniform(0.01, 50, size=channels),
        recurrent=tuple(recurrent),
        head=FloatDense(
            name="head", W=rng.normal(size=(units, classes)), bias=rng.normal(size=classes)
        ),
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
    classes = model.head.bias.size
    result = QuantizedModel(
        name=name,
        task="classify",
        window=window,
        channels=tuple(f"c{i}" for i in range(model.mean.size)),
        channel_units=("g",) * model.mean.size,
        rate=50.0,
        classes=tuple(f"class {i}" for i in range(classes)),
        input=quantize_input(model.mean, model.std, limit),
        layers=quantize_layers(model, InputRange(limit=limit, bits=input_bits)),
    )
    prove(result)
    return result


def raw_windows(model: FloatModel, seed: int, windows: int, steps: int) -> np.ndarray:
    """Raw float32 windows (windows, steps, channels) around the model's normalisation."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(windows, steps, model.mean.size)).cumsum(axis=1) * 0.5
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
        reset_after=model.recurrent[0].reset_after,
        window=window,
        hop=window // 2,
        rate=50.0,
        channels=tuple(
            Channel(name=f"c{i}", unit="g", mean=float(m), std=float(s))
            for i, (m, s) in enumerate(zip(model.mean, model.std, strict=True))
        ),
        classes=tuple(f"class {i}" for i in range(model.head.bias.size)),
        data_format=DataFormat(),
    )
