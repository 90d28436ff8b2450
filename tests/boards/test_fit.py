"""What fits into a board, and what would."""

import re
from pathlib import Path

import pytest

from rnnedge.boards import find_board
from rnnedge.boards.fit import fit, most_units, narrower
from rnnedge.errors import FitError
from rnnedge.spec import QuantizedModel
from tests.cli import rnnedge
from tests.models import CELLS, float_model, quantized
from tests.runs import make_run

UNO = find_board("arduino_uno")


def too_large(run: Path, board: str) -> tuple[float, str, int]:
    """Flash a run that does not fit: kB too much, of what, units that would fit."""
    done = rnnedge("flash", run, "--board", board, "--dry-run")
    done.refused(board, "too large by", "--units")
    found = re.search(r"by ([\d.,]+) (kB|bytes) of (\w+).*--units (\d+)", done.err)
    assert found is not None, done.err
    return float(found[1].replace(",", "")), found[3], int(found[4])


@pytest.mark.parametrize(
    ("memory", "shape"),
    [
        ("flash", {"units": 88, "cells": ("gru",)}),
        ("flash", {"units": 64, "cells": ("lstm", "gru"), "hidden": (10,)}),
        ("RAM", {"units": 40, "cells": ("rnn", "rnn"), "bidirectional": True}),
    ],
)
def test_the_suggested_units_fit_and_more_do_not(memory: str, shape: dict, tmp_path: Path) -> None:
    """Shown with newly made weights, as another training would give them."""
    make_run(tmp_path / "large", name="motor", **shape)
    excess, where, units = too_large(tmp_path / "large", "arduino_uno")
    assert excess > 0 and where == memory
    assert 4 <= units < shape["units"] and units % 4 == 0
    make_run(tmp_path / "fits", name="motor", seed=5, **{**shape, "units": units})
    done = rnnedge("flash", tmp_path / "fits", "--board", "arduino_uno", "--dry-run", "--json")
    assert done.code == 0, done.err
    make_run(tmp_path / "more", name="motor", seed=6, **{**shape, "units": units + 4})
    _, _, again = too_large(tmp_path / "more", "arduino_uno")
    assert again == units


def test_what_fits_only_for_size_is_built_so_and_flash_says_so(tmp_path: Path) -> None:
    options = ("--board", "arduino_uno", "--dry-run")
    make_run(tmp_path / "small", name="motor", units=8)
    make_run(tmp_path / "large", name="motor", units=80)
    assert rnnedge("flash", tmp_path / "small", *options).out.startswith("built for speed (-O3)\n")
    size = ("--optimize", "size", "--json")
    fast = rnnedge("flash", tmp_path / "small", *options, "--json").json
    small = rnnedge("flash", tmp_path / "small", *options, *size).json
    assert (fast["optimize"], small["optimize"]) == ("speed", "size")
    assert small["flash_bytes"] < fast["flash_bytes"]
    chosen = rnnedge("flash", tmp_path / "large", *options).out
    first = r"built for size \(-Os\); for speed it is too large by (\d+ bytes|[\d.]+ kB) of flash"
    found = re.match(first, chosen)
    assert found is not None, chosen
    speed = rnnedge("flash", tmp_path / "large", *options, "--optimize", "speed")
    speed.refused(f"too large by {found[1]} of flash", "--units 7")
    assert rnnedge("flash", tmp_path / "large", *options, *size).code == 0
    esp32 = ("--board", "esp32", "--dry-run", "--optimize", "size")
    rnnedge("flash", tmp_path / "small", *esp32).refused("idf.py builds as its project says")


def test_verify_gives_the_advice_of_flash(tmp_path: Path) -> None:
    run = tmp_path / "run"
    make_run(run, name="motor", units=60, cells=("lstm", "gru"))
    advice = rnnedge("flash", run, "--board", "arduino_uno", "--dry-run").err
    assert re.search(r"--units \d+, keeping 2 layers \(rnnedge train\)", advice)
    done = rnnedge("verify", run, "--board", "arduino_uno")
    assert (done.code, done.err) == (1, f"arduino_uno: building ...\n{advice}")


def test_fit_counts_the_reserve_of_the_stack() -> None:
    room = fit(UNO, flash_bytes=32_256, ram_bytes=2048 - 256)
    assert room.free_bytes == 256
    assert str(room) == (
        "flash 32,256 of 32,256 bytes\n"
        "RAM 1,792 of 2,048 bytes, 256 left for the stack (at least 256 wanted)"
    )
    with pytest.raises(FitError, match="arduino_uno: too large by 1 bytes of RAM"):
        fit(UNO, flash_bytes=1000, ram_bytes=2048 - 255)
    with pytest.raises(FitError, match="too large by 3.1 kB of flash and 2 bytes of RAM") as error:
        fit(UNO, flash_bytes=32_256 + 3174, ram_bytes=2048 - 254)
    assert error.value.over == {"flash": 3174, "RAM": 2}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_narrower_model_has_the_shape_of_one_trained_so(cell: str, bidirectional: bool) -> None:
    shape = {"cells": (cell, cell), "hidden": (6,), "bidirectional": bidirectional}
    cut = narrower(quantized(float_model(1, units=12, **shape)), 8)
    made = quantized(float_model(2, units=8, **shape))
    for one, other in zip(cut.layers, made.layers, strict=True):
        assert (one.inputs, one.outputs, one.kind) == (other.inputs, other.outputs, other.kind)
    assert cut.state_size == made.state_size


@pytest.mark.parametrize("most", [None, 1, 3, 4, 20, 36])
def test_most_units_finds_the_border(most: int | None) -> None:
    model = quantized(float_model(1, units=40, channels=1))
    tried: list[int] = []

    def fits(smaller: QuantizedModel) -> bool:
        tried.append(smaller.recurrent[0].units)
        return most is not None and tried[-1] <= most

    assert most_units(model, fits) == most
    assert len(tried) <= 4, "it halves"
