"""Real windows of HAPT: the reference is bit-exact in each cell, form and precision.

The weights are random, the normalisation and all ranges are those of HAPT's training windows, and
so are the bits that go in.
"""

from dataclasses import replace

import numpy as np
import pytest

from rnnedge.convert.build import quantize
from rnnedge.convert.tflite import as_input, emit, variants
from rnnedge.simulator import quantize as quantize_raw
from rnnedge.targets.tflm import run_stream
from rnnedge.tflmath import trace
from tests.datasets import hapt_npz
from tests.models import CELLS, float_model, run_spec

WINDOW = 128
AMPLE = 1 << 20
CALIBRATION = 48


@pytest.fixture(scope="module")
def hapt(data, tmp_path_factory):
    """Windows of the training part, and one of three classes of the test part: raw units."""
    with np.load(hapt_npz(data, tmp_path_factory.mktemp("hapt") / "hapt.npz")) as file:
        train, test, y = file["X_train"], file["X_test"], file["y_test"]
    spread = np.linspace(0, len(train) - 1, CALIBRATION).astype(int)
    firsts = [np.flatnonzero(y == label)[0] for label in np.unique(y)[::2]]  # move and rest
    return train[spread], test[firsts]


def model_of(cells, bidirectional, calibration):
    source = float_model(
        5,
        units=16,
        channels=calibration.shape[2],
        classes=6,
        cells=cells,
        spread=0.6,
        bidirectional=bidirectional,
    )
    mean, std = (getattr(calibration, of)(axis=(0, 1), dtype=np.float64) for of in ("mean", "std"))
    source = replace(source, mean=mean, std=std)
    return quantize(source, run_spec(source, window=WINDOW), calibration)


KINDS = [
    *(((cell,), False) for cell in CELLS),
    *(((cell,), True) for cell in ("gru", "lstm")),
    (("gru", "lstm"), False),
]


@pytest.mark.parametrize(("cells", "bidirectional"), KINDS)
def test_every_variant_gives_the_interpreter_s_bits_on_real_windows(cells, bidirectional, hapt):
    calibration, test = hapt
    model = model_of(cells, bidirectional, calibration)
    x = quantize_raw(model.input, test)
    assert x.shape == (3, WINDOW, 6)
    assert np.ptp(x[:, :, 0].astype(int)) > 4096, "the windows use their range"
    chosen = variants(model)
    assert len(chosen) == (2 if bidirectional else 6)
    for variant in chosen:
        tflite, given = emit(model, variant), as_input(x, variant)
        found = run_stream(tflite, given, AMPLE)
        scores, states = trace(tflite, given)
        assert np.unique(scores[..., 0]).size > 1, variant.name
        assert np.array_equal(scores, found.scores), variant.name
        assert np.array_equal(states, found.states), variant.name
        held = sum(layer.state_size for layer in model.recurrent)
        assert states.shape[2] == (
            held if variant.form == "stream" and variant.state == "io" else 0
        )
