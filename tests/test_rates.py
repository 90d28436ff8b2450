"""A sample rate that cannot be one is refused wherever it comes from, in one line."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from rnnedge.errors import ModelError, RnnedgeError
from rnnedge.imported import import_keras
from rnnedge.modelfile import load_model, save_model
from rnnedge.run import load_run
from rnnedge.spec import QuantizedModel
from rnnedge.train.options import TrainOptions
from tests.cli import rnnedge
from tests.models import float_model, quantized
from tests.runs import make_run

WRONG = [0, 0.0, -5.0, math.nan, math.inf, -math.inf, 1e-300, 1e300, 10**400, "50", True, [50]]
RIGHT = [None, 50, 50.0, 1e-9, 1e9]


def with_rate(model: QuantizedModel, rate: object) -> QuantizedModel:
    """As another program may have written it."""
    object.__setattr__(model, "rate", rate)
    return model


@pytest.mark.parametrize("rate", WRONG, ids=lambda rate: repr(rate)[:10])
def test_a_wrong_rate_is_refused(tmp_path: Path, rate: object) -> None:
    model = quantized(float_model(1))
    with pytest.raises(ModelError, match="rate is .*samples per second"):
        replace(model, rate=rate)  # type: ignore[arg-type]
    save_model(with_rate(model, rate), tmp_path / "m.npz")
    with pytest.raises(ModelError, match=r"m\.npz: rate is .*; train again"):
        load_model(tmp_path / "m.npz")
    make_run(tmp_path / "run", windows=4)
    path = tmp_path / "run" / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"rate": rate}))
    with pytest.raises(ModelError, match=r"run\.json: .*rate is .*samples per second"):
        load_run(tmp_path / "run")
    with pytest.raises(RnnedgeError, match="rate is .*samples per second"):
        TrainOptions(rate=rate)  # type: ignore[arg-type]
    with pytest.raises(RnnedgeError, match="rate is .*samples per second"):
        import_keras(tmp_path / "no.keras", [], name="x", rate=rate)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", RIGHT)
def test_a_rate_within_the_limits_is_kept(tmp_path: Path, rate: float | None) -> None:
    model = replace(quantized(float_model(1)), rate=rate)
    save_model(model, tmp_path / "m.npz")
    assert load_model(tmp_path / "m.npz").rate == rate


def test_the_command_says_so_in_one_line(tmp_path: Path) -> None:
    make_run(tmp_path / "run", windows=4)
    path = tmp_path / "run" / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"rate": math.nan}))
    rnnedge("export", tmp_path / "run", "--out", tmp_path / "e").refused("run.json", "rate is nan")
    assert not (tmp_path / "e").exists()
