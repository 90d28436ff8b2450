"""The detector, against Python's own integers."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given

from rnnedge.errors import ModelError
from rnnedge.simulator import detect, quantize, step_scores
from rnnedge.spec import QuantizedModel
from tests.models import float_model, quantized
from tests.simulator.test_generate import back_by_hand
from tests.taskmodels import task_data, task_model, task_models


@given(task_models(("anomaly",)))
def test_levels_follow_the_error_and_anomalies_are_above_the_threshold(
    model: QuantizedModel,
) -> None:
    x = quantize(model.input, task_data(model, 1, 2, 40).raw)
    scores, found, rule = step_scores(model, x), detect(model, x), model.detector
    assert rule is not None
    for window in range(len(x)):
        level, labels, levels, errors = 0, [], [], []
        for step, sample in enumerate(x[window].tolist()):
            error = 0
            if step > 0:
                forecast = back_by_hand(model, scores[window, step - 1].tolist())
                error = max(abs(a - b) for a, b in zip(sample, forecast, strict=True))
                level += (error * 256 - level) >> rule.smoothing
            errors.append(error)
            levels.append(level)
            labels.append(int(step + 1 > rule.warmup and level > rule.threshold))
        assert found.errors[window].tolist() == errors
        assert found.levels[window].tolist() == levels
        assert found.labels[window].tolist() == labels


def test_warm_up_and_threshold_each_hold_back() -> None:
    model = task_model(1, "anomaly")
    x = quantize(model.input, task_data(model, 1, 2, 30).raw)
    assert model.detector is not None
    low = dataclasses.replace(model.detector, threshold=0, warmup=7)
    got = detect(dataclasses.replace(model, detector=low), x)
    assert not got.labels[:, :7].any()
    assert got.labels[:, 7:].all()
    high = dataclasses.replace(low, threshold=int(got.levels.max()))
    assert not detect(dataclasses.replace(model, detector=high), x).labels.any()
    just = dataclasses.replace(low, threshold=int(got.levels[:, 7:].max()) - 1)
    assert detect(dataclasses.replace(model, detector=just), x).labels.any()


def test_a_model_without_detector_is_named() -> None:
    model = quantized(float_model(1))
    with pytest.raises(ModelError, match="has no detector"):
        detect(model, np.zeros((1, 3, 3), np.int16))
