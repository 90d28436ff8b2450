"""The quantised model's file: whole, hashed, and refused in one line when it is not."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.errors import ModelError
from rnnedge.modelfile import load_model, model_hash, save_model
from rnnedge.run import load_run, load_windows
from tests.models import CELLS, float_model, quantized, run_spec


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
