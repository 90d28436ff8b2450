"""The quantised model's file: whole, hashed, and refused in one line when it is not."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.errors import ModelError
from rnnedge.modelfile import _digest, load_model, model_hash, save_model
from rnnedge.run import load_run, load_windows
from rnnedge.spec import EmbeddingLayer, QuantizedModel
from tests.models import CELLS, float_model, quantized, run_spec
from tests.taskmodels import KINDS, task_model, task_models


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.sampled_from(CELLS), min_size=1, max_size=3),
    st.booleans(),
)
def test_a_model_survives_its_file(
    tmp_path_factory: pytest.TempPathFactory, seed: int, cells: list[str], bidirectional: bool
) -> None:
    model = quantized(
        float_model(seed, cells=tuple(cells), bidirectional=bidirectional, spread=0.5, hidden=(3,))
    )
    path = tmp_path_factory.mktemp("m") / "q.npz"
    digest = save_model(model, path)
    again = load_model(path)
    assert again.same_as(model)
    assert digest == model_hash(again) == model_hash(model)


@given(task_models())
def test_models_of_every_task_survive_their_file(
    tmp_path_factory: pytest.TempPathFactory, model: QuantizedModel
) -> None:
    path = tmp_path_factory.mktemp("m") / "q.npz"
    digest = save_model(model, path)
    again = load_model(path)
    assert again.same_as(model)
    assert [type(part) for part in parts(again)] == [type(part) for part in parts(model)]
    assert digest == model_hash(again) == model_hash(model)


def parts(model: QuantizedModel) -> tuple[object, ...]:
    return (
        *(model.input, *model.layers, model.output, model.feedback, model.detector, model.start),
        *(() if model.encoder is None else parts(model.encoder)),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_hash_covers_every_part(kind: str) -> None:
    model = task_model(1, kind)
    changes: list[dict[str, object]] = [{"every": 2}, {"task": "map" if kind != "map" else "label"}]
    changes += [{name: None} for name in ("output", "detector", "start", "encoder")
                if getattr(model, name) is not None]  # fmt: skip
    if isinstance(model.input, EmbeddingLayer):
        changes.append({"input": replace(model.input, table=model.input.table * 0)})
    if model.feedback is not None:
        changes.append({"feedback": replace(model.feedback, offset=model.feedback.offset + 1)})
    if model.detector is not None:
        changes.append({"detector": replace(model.detector, threshold=1)})
    if model.start is not None:
        dense = replace(model.start.dense, bias=model.start.dense.bias + 1)
        changes.append({"start": replace(model.start, dense=dense)})
        changes.append({"start": replace(model.start, names=("a", "b"))})
    if model.encoder is not None:
        layers = (replace(model.encoder.layers[0], h_shift=8), *model.encoder.layers[1:])
        changes.append({"encoder": replace(model.encoder, layers=layers)})
    hashes = {model_hash(model), *(model_hash(replace(model, **change)) for change in changes)}
    assert len(hashes) == 1 + len(changes)


def test_files_of_another_contract_or_content_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "q.npz"
    save_model(task_model(1, "reply"), path)
    with np.load(path) as archive:
        arrays = dict(archive)
    spec = json.loads(arrays.pop("spec").tobytes())
    del spec["sha256"]
    for change, message in (
        ({"contract": 2}, "contract 2, this rnnedge has 3; train again"),
        ({"kind": "GruLayer"}, "train again"),
        ({"input": None}, "train again"),
        ({"layers": []}, "a model is recurrent layers"),
        ({"encoder": {"kind": "Nothing"}}, "train again"),
        ({"detector": {"kind": "Detector"}}, "train again"),
    ):
        changed = {**spec, **change}
        text = json.dumps({**changed, "sha256": _digest(changed, arrays)})
        np.savez_compressed(path, spec=np.frombuffer(text.encode(), np.uint8), **arrays)
        with pytest.raises(ModelError, match=message):
            load_model(path)


def test_equal_models_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_model(quantized(float_model(3)), tmp_path / f"{name}.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_the_hash_covers_every_field() -> None:
    import dataclasses

    model = quantized(float_model(3))
    hashes = {model_hash(model)}
    for change in (
        {"name": "other"},
        {"rate": 51.0},
        {"classes": ("a", "b", "c", "d")},
        {"input": dataclasses.replace(model.input, shift=model.input.shift + 1)},
        {"layers": (dataclasses.replace(model.layers[0], h_shift=8), *model.layers[1:])},
    ):
        changed = dataclasses.replace(model, **change)
        assert not changed.same_as(model)
        hashes.add(model_hash(changed))
    assert len(hashes) == 6


def test_every_truncation_and_damage_ends_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "q.npz"
    save_model(quantized(float_model(3)), path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for cut in [0, 1, 10, *rng.integers(11, len(whole), 20).tolist()]:
        path.write_bytes(whole[:cut])
        with pytest.raises(ModelError, match=r"q\.npz: "):
            load_model(path)
    refused = 0
    for position in rng.integers(0, len(whole), 60).tolist():
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        path.write_bytes(bytes(damaged))
        try:
            assert load_model(path).same_as(quantized(float_model(3)))  # a byte without meaning
        except ModelError:
            refused += 1
    assert refused > 30


def test_arrays_of_a_model_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        quantized(float_model(3)).recurrent[0].W[0, 0] = 1


def test_missing_and_damaged_run_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such run folder"):
        load_run(tmp_path / "nothing")
    with pytest.raises(ModelError, match=r"no run\.json here"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(ModelError, match="damaged"):
        load_run(tmp_path)
    (tmp_path / "windows.npz").write_bytes(b"PK\x03\x04 no")
    with pytest.raises(ModelError, match="damaged"):
        load_windows(tmp_path)
    run_spec(float_model(1)).save(tmp_path)
    assert load_run(tmp_path) == run_spec(float_model(1))
