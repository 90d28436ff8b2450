"""The whole road on real recordings, through the command line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.api import export
from rnnedge.modelfile import load_model
from rnnedge.run import load_windows
from rnnedge.simulator import Trace, quantize, simulate
from rnnedge.targets.exported import Exported, open_exported
from rnnedge.targets.host import Host
from tests.cli import rnnedge
from tests.datasets import hapt_npz

SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.fixture(scope="module")
def hapt(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GRU-32 trained on HAPT's six activities with the default options."""
    folder = tmp_path_factory.mktemp("hapt")
    windows = hapt_npz(data, folder / "hapt.npz")
    done = rnnedge("train", windows, "--cell", "gru", "--units", 32, "--out", folder / "hapt")
    assert done.code == 0, done.err
    return folder / "hapt"


@pytest.fixture(scope="module")
def hapt_export(hapt: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("hapt_export")
    export(hapt, folder)
    return open_exported(folder)


@pytest.fixture(scope="module")
def hapt_trace(hapt: Path) -> tuple[np.ndarray, Trace]:
    """Raw official test windows and the simulator's result."""
    model = load_model(hapt / "quantized.npz")
    raw = load_windows(hapt).X_test
    return raw, simulate(model, quantize(model.input, raw))


def test_hapt_accuracy_of_float_int8_and_tflm(hapt: Path) -> None:
    variants: Any = rnnedge("evaluate", hapt, "--json").json["variants"]
    accuracy = {name: variant["accuracy"] for name, variant in variants.items()}
    assert accuracy["float"] >= 0.88, accuracy
    assert accuracy["int8"] >= accuracy["float"] - 0.003, accuracy
    assert accuracy["tflm"] >= accuracy["float"] - 0.005, accuracy


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(
    "flags", [("-O0",), ("-O3",), ("-O1", *SANITIZE)], ids=["O0", "O3", "sanitizers"]
)
def test_all_official_test_windows_are_bit_exact_on_the_host(
    hapt_export: Exported,
    hapt_trace: tuple[np.ndarray, Trace],
    tmp_path: Path,
    compiler: str,
    flags: tuple[str, ...],
) -> None:
    """2,996 windows of 128 steps and 32 units, from raw float values: 12,271,616 states."""
    raw, expected = hapt_trace
    target = Host(compiler=compiler, flags=flags)
    answer = target.run(target.build(hapt_export, tmp_path), raw)
    assert expected.states.size == 12_271_616
    assert np.count_nonzero(answer.trace.states != expected.states) == 0
    assert np.count_nonzero(answer.trace.scores != expected.scores) == 0


def test_32_windows_are_bit_exact_on_the_emulated_cortex_m4(
    hapt: Path, hapt_export: Exported
) -> None:
    (row,) = rnnedge(
        "verify", hapt, "--export", hapt_export.folder, "--target", "cortex-m4", "--json"
    ).json
    assert row["windows"] == 32
    assert row["states_compared"] == 32 * 128 * 32
    assert row["differences"] == 0


def test_shuffled_labels_teach_nothing(data: Path, tmp_path: Path) -> None:
    """A leak between the parts would show here as accuracy from nowhere."""
    windows = hapt_npz(data, tmp_path / "hapt.npz", shuffled=True)
    document: Any = rnnedge("train", windows, "--out", tmp_path / "run", "--json").json
    assert document["variants"]["int8"]["accuracy"] < 0.3
    assert document["variants"]["float"]["accuracy"] < 0.3


def test_magic_wand_csvs(data: Path, tmp_path: Path) -> None:
    done = rnnedge(
        *("train", data / "csv" / "magic_wand_train", "--test", data / "csv" / "magic_wand_test"),
        *("--cell", "gru", "--units", 32, "--window", 119, "--recording-rows", 119),
        *("--out", tmp_path / "wand", "--json"),
    )
    document: Any = done.json
    assert document["windows"] == 25
    assert round(25 * document["variants"]["int8"]["accuracy"]) >= 22
