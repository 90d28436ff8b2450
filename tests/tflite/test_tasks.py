"""Models of every task: plain graphs run in TFLite Micro, others are refused in one line."""

import numpy as np
import pytest

from rnnedge import tflmath
from rnnedge.api import WantedTflite
from rnnedge.convert.tflite import Variant, as_input, emit, variants
from rnnedge.errors import UnsupportedLayerError
from rnnedge.spec import InputLayer
from rnnedge.targets.tflm import run_stream
from tests.taskmodels import random_task_model
from tests.tflite.cases import samples

PLAIN = ("label", "forecast", "anomaly", "map", "generate")
KINDS = ("start", "translate", "next")


@pytest.mark.parametrize("kind", PLAIN)
def test_every_step_has_its_scores_window_and_stream_alike(kind):
    model = random_task_model(1, kind, small=True)
    x = samples(model, 2)
    found = {}
    for variant in (Variant(), Variant(form="stream")):
        given = as_input(x, variant)
        scores = run_stream(emit(model, variant), given, 1 << 20).scores
        assert scores.shape == (2, model.window, model.outputs)
        assert np.array_equal(tflmath.trace(emit(model, variant), given)[0], scores)
        found[variant.form] = scores.astype(int)
    assert np.abs(found["window"] - found["stream"]).max() <= 0.02 * np.abs(found["stream"]).max()


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_no_form_is_refused_in_one_line(kind):
    model = random_task_model(1, kind, small=True)
    assert model.start or model.encoder or not isinstance(model.input, InputLayer)
    assert variants(model) == ()
    with pytest.raises(UnsupportedLayerError, match=r"^model \w+: an? .*--tflite none$"):
        emit(model)
    with pytest.raises(UnsupportedLayerError):
        WantedTflite(form="stream").variants(model)
    chosen, refused = WantedTflite().variants(model)
    assert chosen == []
    assert len(refused) == 1, "an export goes on without it"
