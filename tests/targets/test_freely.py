"""Free runs, starts and encoders on targets: the simulator's bits."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.errors import ModelError, ToolError
from rnnedge.modelfile import model_hash
from rnnedge.spec import QuantizedModel
from rnnedge.targets import find_target
from rnnedge.targets.compare import compare
from rnnedge.targets.freely import free_checks
from rnnedge.targets.stream import Request, parse, request
from tests.cli import rnnedge
from tests.models import float_model, quantized
from tests.taskmodels import GENERATING, KINDS, random_task_model, task_data, task_model
from tests.taskruns import export_task, make_task_run


def verified(target: str, model: QuantizedModel, folder: Path, windows: int = 3) -> dict[str, Any]:
    data = task_data(model, 5, windows, model.window)
    return compare(
        find_target(target),
        export_task(folder, model),
        model,
        data.raw,
        None,
        features=data.features,
        encoder=data.encoder,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_task_gives_the_same_bits_on_the_host(kind: str, tmp_path: Path) -> None:
    for seed in (1, 2):
        model = random_task_model(seed, kind)
        row = verified("host", model, tmp_path / str(seed))
        assert row["first_difference"] is None
        steps = model.window * model.state_size
        assert row["states_compared"] >= 3 * steps
        # each window runs freely twice, behind half of its samples and behind none
        assert row["free_steps"] == (2 * 3 * model.window if kind in GENERATING else 0)
        if kind in GENERATING:
            assert row["states_compared"] >= 3 * (3 * steps + steps // 2)


@pytest.mark.parametrize("target", ["cortex-m4", "avr"])
def test_cores_run_freely_from_starts_and_encoders(target: str, tmp_path: Path) -> None:
    for kind in ("start", "reply"):
        model = task_model(7, kind, units=5, cells=("lstm",), hidden=(3,), window=6)
        row = verified(target, model, tmp_path / kind)
        assert row["first_difference"] is None
        assert row["free_steps"] == 36


def test_verify_tells_how_many_free_steps_there_were(tmp_path: Path) -> None:
    shown = {}
    for kind in ("reply", "tag"):
        make_task_run(tmp_path / kind, task_model(3, kind))
        done = rnnedge("verify", tmp_path / kind)
        assert done.code == 0, done.err
        shown[kind] = done.out
    assert "free steps" in shown["reply"] and " 144 " in shown["reply"]  # 6 windows, twice 12
    assert "free steps" not in shown["tag"]
    few = rnnedge("verify", tmp_path / "tag", "--windows", 7)
    assert few.code == 0 and "note: the run keeps 6 test windows, not 7" in few.err
    assert "note" not in rnnedge("verify", tmp_path / "tag", "--windows", 6).err


def test_a_wrong_feedback_encoder_or_start_is_found(tmp_path: Path) -> None:
    changes: list[tuple[str, str, Any]] = [
        ("start", "run from a start|free run", _changed_start),
        ("generate", "free run behind 6 steps: window 0, step", _changed_feedback),
        ("translate", "free run behind 6 steps: window 0, step", _changed_encoder),
        ("next", "window 0, step", _changed_table),
    ]
    for kind, message, change in changes:
        model = task_model(3, kind)
        data = task_data(model, 5, 2, model.window)
        wrong = change(model)
        exported = export_task(tmp_path / kind, wrong)
        target = _Lying(find_target("host"), model)
        row = compare(
            target, exported, model, data.raw, None, features=data.features, encoder=data.encoder
        )
        assert row["differences"] > 0
        assert re.match(message, row["first_difference"]), row["first_difference"]


class _Lying:
    """A target whose program says that it is the right model."""

    def __init__(self, target: Any, model: QuantizedModel) -> None:
        self._target, self._sha256 = target, model_hash(model)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def run(self, program: Path, x: Any) -> Any:
        return dataclasses.replace(self._target.run(program, x), sha256=self._sha256)


def _changed_feedback(model: QuantizedModel) -> QuantizedModel:
    assert model.feedback is not None
    back = dataclasses.replace(model.feedback, multiplier=model.feedback.multiplier // 2)
    return dataclasses.replace(model, feedback=back)


def _changed_start(model: QuantizedModel) -> QuantizedModel:
    assert model.start is not None
    dense = model.start.dense
    dense = dataclasses.replace(dense, bias=dense.bias + (1 << 17) // dense.multiplier.astype(int))
    return dataclasses.replace(model, start=dataclasses.replace(model.start, dense=dense))


def _changed_encoder(model: QuantizedModel) -> QuantizedModel:
    assert model.encoder is not None
    first: Any = model.encoder.layers[0]
    layers = (dataclasses.replace(first, W=-first.W), *model.encoder.layers[1:])
    return dataclasses.replace(model, encoder=dataclasses.replace(model.encoder, layers=layers))


def _changed_table(model: QuantizedModel) -> QuantizedModel:
    source: Any = model.input
    return dataclasses.replace(model, input=dataclasses.replace(source, table=-source.table))


def test_a_run_without_data_for_its_start_is_refused() -> None:
    raw = np.zeros((1, 4, 3), np.float32)
    for kind, what in (("start", "start"), ("translate", "encoder")):
        with pytest.raises(ModelError, match=f"no data for its {what}"):
            free_checks(task_model(1, kind), raw, None, None)
    assert free_checks(quantized(float_model(1)), raw, None, None) == []


def test_verify_of_a_run_runs_freely(tmp_path: Path) -> None:
    from rnnedge.api import bench, verify

    model = task_model(4, "reply")
    make_task_run(tmp_path / "run", model)
    row = verify(tmp_path / "run", ["host"])[0]
    assert row["differences"] == 0
    assert row["free_steps"] == 2 * 6 * model.window
    figures = bench(tmp_path / "run", ["cortex-m4"])[0]
    assert figures["inputs"] == model.input.channels
    assert figures["per_step"] == figures["per_step_min"]


def test_requests_say_what_is_before_and_behind_the_windows() -> None:
    x = np.arange(2 * 2 * 3, dtype=np.int16).reshape(2, 2, 3)
    plain = request(x)
    assert plain[:16] == b"RNNV" + bytes([0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0])
    asked = Request(
        x=x,
        free=True,
        features=np.array([[1], [2]], np.float32),
        encoder=np.full((2, 3, 1), 5, np.float32),
        back=4,
    )
    data = request(asked)
    assert np.frombuffer(data, "<u4", 6, 4).tolist() == [0, 2, 2, 1, 3, 4]
    window = np.array([1, 5, 5, 5], "<f4").tobytes() + x[0].astype("<i2").tobytes()
    assert data[28 : 28 + len(window)] == window
    assert len(data) == 28 + 2 * len(window)
    assert (asked.states, asked.scores) == (9, 5)
    assert len(request(Request(x=x, free=True))) == len(plain) + 12
    with pytest.raises(ToolError, match="no answer"):
        parse(b"", asked, "host")
