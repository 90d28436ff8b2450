"""Random models of every task: embeddings, feedback, detectors, starts and encoders; their data."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from rnnedge.arrays import F32, F64
from rnnedge.convert.calibrate import ranges
from rnnedge.convert.floatmodel import FloatDense, FloatModel
from rnnedge.convert.proof import prove
from rnnedge.convert.quantize import (
    InputRange,
    Ranges,
    quantize_dense,
    quantize_input,
    quantize_layers,
)
from rnnedge.errors import RangeError
from rnnedge.spec import (
    Detector,
    EmbeddingLayer,
    FeedbackLayer,
    InputLayer,
    OutputLayer,
    QuantizedModel,
    StartLayer,
)
from tests.models import CELLS, float_model

KINDS = {
    "label": "label",  # values in, classes out, at every step
    "forecast": "forecast",  # one target, two horizons: no feedback
    "anomaly": "anomaly",
    "map": "map",
    "generate": "generate",
    "start": "generate",  # from a feature vector
    "translate": "translate",  # values to values
    "reply": "translate",  # ids to ids
    "next": "next",
    "tag": "label",  # ids in, classes out: an embedding that does not generate
}
"""The kinds of random models, with their tasks."""

GENERATING = ("anomaly", "generate", "start", "translate", "reply", "next")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskData:
    """Raw values for a model.

    Attributes:
        raw: float32 (windows, steps, raw values of a sample).
        features: float32 (windows, features), or None.
        encoder: float32 (windows, encoder steps, raw values of its sample), or None.
    """

    raw: F32
    features: F32 | None
    encoder: F32 | None


def task_model(
    seed: int,
    kind: str = "generate",
    *,
    units: int = 8,
    channels: int = 3,
    rows: int = 11,
    cells: tuple[str, ...] = ("gru",),
    spread: float = 1.0,
    hidden: tuple[int, ...] = (),
    input_bits: int = 8,
    limit: float = 5.0,
    window: int = 12,
    wild: bool = False,
    name: str = "net",
) -> QuantizedModel:
    """A random model of a kind of KINDS, quantised and proven.

    Args:
        seed: of every number.
        kind: one of KINDS.
        units: of each recurrent layer.
        channels: of a sample, or width of the embedding.
        rows: ids of an embedding.
        cells: of tests.models.CELLS, a layer each.
        spread: about the weights' deviation.
        hidden: dense layers between.
        input_bits: of the first layer's input.
        limit: of the input; None of an embedding.
        window: steps.
        wild: feedback, detector and features with any numbers that the contract allows.
        name: of the model.
    """
    rng = np.random.default_rng([seed, 7])
    ids = kind in ("reply", "next", "tag")
    outputs = rows if kind in ("reply", "next") else 4
    outputs = {"forecast": 2, "map": 2, "tag": rows + 1}.get(kind, outputs)
    outputs = channels if kind in ("anomaly", "generate", "start", "translate") else outputs
    source = float_model(
        seed,
        units=units,
        channels=channels,
        classes=outputs,
        cells=cells,
        spread=spread,
        hidden=hidden,
        sequences=True,
    )
    if ids:
        source = replace(source, mean=np.zeros(channels), std=np.ones(channels))
    held = _held(source, seed, window, input_bits)
    encoder = None
    if kind in ("translate", "reply"):
        width = channels + 1
        other = float_model(
            seed + 1, units=units, channels=width, cells=cells, spread=spread, sequences=True
        )
        if ids:
            other = replace(other, mean=np.zeros(width), std=np.ones(width))
        theirs = _held(other, seed + 1, window, 8)
        states = tuple(map(max, held.states, theirs.states))
        held, theirs = replace(held, states=states), replace(theirs, states=states)
        encoder = _encoder(other, theirs, rng, rows + 2 if ids else 0, f"{name}_encoder", limit)
    made_input: InputLayer | EmbeddingLayer = (
        _embedding(rng, rows, channels, limit)
        if ids
        else quantize_input(source.mean, source.std, limit)
    )
    held = replace(held, source=InputRange(limit=limit, bits=input_bits))
    layers = quantize_layers(source, held)
    model = QuantizedModel(
        name=name,
        task=KINDS[kind],
        window=window,
        every=1,
        channels=("id",) if ids else tuple(f"c{i}" for i in range(channels)),
        channel_units=("",) if ids else ("g",) * channels,
        rate=50.0,
        classes=tuple(f"out {i}" for i in range(outputs)),
        input=made_input,
        layers=layers,
        encoder=encoder,
    )
    if kind in ("forecast", "anomaly", "map", "generate", "start", "translate"):
        model = replace(model, output=_output(rng, source, outputs))
    if kind in ("anomaly", "generate", "start", "translate"):
        model = replace(model, feedback=_feedback(rng, model, wild))
    if kind == "anomaly":
        model = replace(model, detector=_detector(rng, window, wild))
    if kind == "start":
        model = replace(model, start=_start(rng, model, 5 if wild else 2))
    for part in (model, encoder):
        if part is not None:
            prove(part)
    return model


def task_data(
    model: QuantizedModel, seed: int, windows: int, steps: int, encoder_steps: int = 5
) -> TaskData:
    """Raw values that fit a model's normalisation, or ids."""
    rng = np.random.default_rng([seed, 11])
    features = encoder = None
    if model.start is not None:
        features = _raw(rng, model.start.input, (windows,))
    if model.encoder is not None:
        encoder = _raw(rng, model.encoder.input, (windows, encoder_steps))
    return TaskData(
        raw=_raw(rng, model.input, (windows, steps)), features=features, encoder=encoder
    )


@st.composite
def task_models(
    draw: st.DrawFn, kinds: tuple[str, ...] = tuple(KINDS), *, small: bool = False
) -> QuantizedModel:
    """Models of any kind, cell, width and depth that the converter accepts."""
    kind = draw(st.sampled_from(kinds))
    seed = draw(st.integers(0, 2**32 - 1))
    return random_task_model(seed, kind, small=small)


def random_task_model(seed: int, kind: str, *, small: bool = False) -> QuantizedModel:
    """A model of a kind with random shape and numbers."""
    rng = np.random.default_rng([seed, 13])
    while True:
        depth = int(rng.choice([1, 1, 2]))
        shape: dict[str, Any] = {
            "units": int(rng.choice([1, 2, 3, 5, 6, 8, 9] if small else [1, 2, 5, 8, 15, 16, 17])),
            "channels": int(rng.integers(1, 6)),
            "rows": int(rng.integers(2, 20)),
            "cells": tuple(str(rng.choice(CELLS)) for _ in range(depth)),
            "spread": float(rng.choice([0.1, 0.5, 1.0, 1.0, 4.0, 30.0])),
            "hidden": (5,) if rng.random() < 0.2 else (),
            "input_bits": int(rng.choice([8, 8, 16])),
            "limit": float(rng.choice([0.3, 1.0, 5.0, 100.0])),
            "wild": bool(rng.random() < 0.4),
        }
        try:
            return task_model(int(rng.integers(2**32)), kind, **shape)
        except RangeError:
            continue


def _held(source: FloatModel, seed: int, window: int, bits: int) -> Ranges:
    rng = np.random.default_rng([seed, 17])
    x: F64 = rng.normal(size=(4, window, source.mean.size)).cumsum(axis=1) * 0.5
    return ranges(source, x * source.std + source.mean, bits)


def _encoder(
    source: FloatModel, held: Ranges, rng: np.random.Generator, rows: int, name: str, limit: float
) -> QuantizedModel:
    """An encoder; of ids where there are `rows`."""
    width = source.mean.size
    held = replace(held, source=InputRange(limit=limit, bits=8))
    return QuantizedModel(
        name=name,
        task="encode",
        window=6,
        channels=("id",) if rows else tuple(f"e{i}" for i in range(width)),
        channel_units=("",) if rows else ("m",) * width,
        rate=None,
        classes=tuple(f"ask {i}" for i in range(rows)),
        input=_embedding(rng, rows, width, limit)
        if rows
        else quantize_input(source.mean, source.std, limit),
        layers=quantize_layers(replace(source, dense=()), held),
    )


def _embedding(rng: np.random.Generator, rows: int, width: int, limit: float) -> EmbeddingLayer:
    table = rng.integers(-127, 128, size=(rows, width)).astype(np.int8)
    table[0] = 127
    table[-1] = -127
    return EmbeddingLayer(table=table, limit=limit)


def _output(rng: np.random.Generator, source: FloatModel, outputs: int) -> OutputLayer:
    return OutputLayer(
        units=("kPa",) * outputs,
        mean=rng.normal(size=outputs) * 10,
        std=rng.uniform(0.01, 50, size=outputs),
    )


def _feedback(rng: np.random.Generator, model: QuantizedModel, wild: bool) -> FeedbackLayer:
    """A map that gives int16 of the scores' usual size; wild: any numbers."""
    channels = model.input.channels
    source = rng.permutation(channels)  # every output forecasts one channel
    if wild:
        shift = rng.integers(0, 63, size=channels)
        room = np.minimum(2.0 ** (shift + 16), 2.0**61)
        return FeedbackLayer(
            source=source,
            multiplier=np.exp2(rng.uniform(0, 30, size=channels)).astype(np.int64),
            offset=(rng.uniform(-1, 1, size=channels) * room * 0.999).astype(np.int64),
            shift=shift,
        )
    # about 2**13 for a score of 1.0
    gain = rng.uniform(0.3, 2.0, size=channels) * 2.0 ** (13 - model.fraction_bits)
    shift = np.clip(29 - np.floor(np.log2(gain)), 0, 62).astype(np.int64)
    multiplier = np.clip(np.rint(np.ldexp(gain, shift)), 1, 1 << 30).astype(np.int64)
    offset = (rng.normal(size=channels) * 3000 * 2.0**shift).clip(-(2.0**60), 2.0**60)
    half = np.where(shift > 0, 2.0 ** (shift - 1), 0)
    return FeedbackLayer(
        source=source, multiplier=multiplier, offset=(offset + half).astype(np.int64), shift=shift
    )


def _detector(rng: np.random.Generator, window: int, wild: bool) -> Detector:
    if wild:
        return Detector(
            smoothing=int(rng.integers(0, 16)),
            warmup=int(rng.integers(1, 2 * window)),
            threshold=int(rng.integers(0, 2**24 + 1)),
        )
    return Detector(
        smoothing=int(rng.integers(1, 4)), warmup=3, threshold=int(rng.integers(2**19, 2**22))
    )


def _start(rng: np.random.Generator, model: QuantizedModel, features: int) -> StartLayer:
    size = model.state_size
    # tall weights: some values saturate
    dense = FloatDense(
        name="start",
        W=rng.normal(size=(features, size)) * 0.7,
        bias=rng.normal(size=size) * 0.2,
    )
    return StartLayer(
        names=tuple(f"f{i}" for i in range(features)),
        units=("mm",) * features,
        input=quantize_input(
            rng.normal(size=features) * 5, rng.uniform(0.1, 9, size=features), 4.0
        ),
        dense=quantize_dense(dense, 4.0, 0),
    )


def _raw(
    rng: np.random.Generator, layer: InputLayer | EmbeddingLayer, shape: tuple[int, ...]
) -> F32:
    """Raw values (*shape, raw values): a walk around the mean with a few far ones, or ids."""
    if isinstance(layer, EmbeddingLayer):
        return rng.integers(0, layer.rows, size=(*shape, 1)).astype(np.float32)
    x = rng.normal(size=(*shape, layer.channels))
    x *= np.where(rng.random(x.shape) < 0.05, 30, 1)
    return (x * layer.std + layer.mean).astype(np.float32)
