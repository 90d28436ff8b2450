"""An encoder's ids and their names, from a run to the quantised model."""

from dataclasses import replace

import numpy as np
import pytest

from rnnedge.convert.build import quantize_parts
from rnnedge.convert.floatmodel import FloatModel, FloatParts
from rnnedge.errors import ModelError
from rnnedge.run import Channel, RunSpec, Windows
from rnnedge.spec import QuantizedModel
from tests.models import float_model, run_spec

ANSWERS, QUESTIONS = 5, 7


def of_ids(seed: int, rows: int) -> FloatModel:
    """A float model whose samples are ids."""
    source = float_model(seed, units=6, channels=3, classes=ANSWERS, sequences=True)
    table = np.random.default_rng(seed).normal(size=(rows, 3))
    return replace(source, mean=np.zeros(3), std=np.ones(3), embedding=table)


def described(names: tuple[str, ...]) -> RunSpec:
    run = run_spec(of_ids(1, ANSWERS), window=4)
    id_ = (Channel(name="id", unit="", mean=0.0, std=1.0),)
    return replace(
        run,
        task="translate",
        every=1,
        channels=id_,
        encoder_channels=id_,
        encoder_window=4,
        encoder_classes=names,
    )


def made(names: tuple[str, ...]) -> QuantizedModel:
    rng = np.random.default_rng(5)
    ids = rng.integers(0, ANSWERS, size=(8, 4, 1)).astype(np.float32)
    asked = rng.integers(0, QUESTIONS, size=(8, 4, 1)).astype(np.float32)
    windows = Windows(
        calibration=ids, X_test=ids, y_test=np.full((8, 4), -1), encoder_calibration=asked
    )
    encoder = replace(of_ids(2, QUESTIONS), dense=())
    parts = FloatParts(model=of_ids(1, ANSWERS), encoder=encoder)
    return quantize_parts(parts, described(names), windows)[0]


def test_the_names_of_an_encoders_ids_are_kept() -> None:
    names = tuple(f"ask {i}" for i in range(QUESTIONS))
    encoder = made(names).encoder
    assert encoder is not None and encoder.classes == names
    nameless = made(()).encoder
    assert nameless is not None and nameless.classes == ()


def test_other_names_than_ids_are_refused() -> None:
    with pytest.raises(ModelError, match="names 6 ids of the encoder's sequence, .* has 7"):
        made(tuple("abcdef"))
