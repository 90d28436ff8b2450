"""8 or 16 bits of input: what is evidence, what is chance, and what is said."""

import numpy as np
import pytest

from rnnedge.convert.build import quantize_and_tell
from rnnedge.convert.inputbits import InputBits, choose
from tests.models import float_model, raw_windows, run_spec


def agreeing(windows: int, wrong: range) -> np.ndarray:
    """Windows that agree with float, but for some."""
    return ~np.isin(np.arange(windows), wrong)


@pytest.mark.parametrize(
    ("windows", "won", "lost", "bits"),
    [
        (25, 1, 0, 8),  # 4 % more, by one window
        (85, 2, 0, 8),
        (25, 3, 0, 16),
        (85, 3, 0, 16),
        (256, 3, 0, 16),  # 1.2 %
        (256, 3, 1, 8),
        (256, 5, 2, 8),
        (256, 6, 1, 16),
        (2000, 10, 0, 8),  # certain, but just 0.5 %
        (2000, 11, 0, 16),
        (256, 0, 0, 8),
        (256, 0, 9, 8),
    ],
)
def test_16_bits_need_a_gain_and_more_than_chance(
    windows: int, won: int, lost: int, bits: int
) -> None:
    narrow = agreeing(windows, range(won))
    wide = agreeing(windows, range(windows - lost, windows))
    choice = choose(narrow, wide)
    assert (choice.bits, choice.windows, choice.won, choice.lost) == (bits, windows, won, lost)
    assert choice.gain == pytest.approx((won - lost) / windows, abs=1e-6)


def test_coins_get_16_bits_at_most_once_in_eight_times() -> None:
    """Widths that are equally good: the windows that they decide differently fall as coins do."""
    rng = np.random.default_rng(1)
    tries, chosen = 2000, 0
    for _ in range(tries):
        windows = int(rng.choice([25, 85, 256]))
        narrow, wide = rng.random((2, windows)) > 0.03
        chosen += choose(narrow, wide).bits == 16
    assert 0.01 < chosen / tries < 0.125


def test_steps_of_one_window_count_as_one() -> None:
    """They follow each other: 40 steps of one window are no evidence, of four windows they are."""
    wide = np.ones((20, 50), bool)
    narrow = wide.copy()
    narrow[3, :40] = False
    assert choose(narrow, wide).bits == 8
    narrow[4:7, :10] = False
    choice = choose(narrow, wide)
    assert (choice.bits, choice.won, choice.gain) == (16, 4, 0.07)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (choose(agreeing(250, range(8)), agreeing(250, range(0))),
         "16 bits, because 8 lose 3.2 % of the 250 calibration windows; --input-bits 8 is 2 to 4 "
         "times faster on AVR"),
        (choose(agreeing(25, range(1)), agreeing(25, range(0))),
         "8 bits; --input-bits 16 wins back 4.0 % of the 25 calibration windows, which may be "
         "chance"),
        (choose(agreeing(250, range(1)), agreeing(250, range(0))),
         "8 bits; --input-bits 16 wins back 0.4 % of the 250 calibration windows, too little for "
         "its cost"),
        (choose(agreeing(85, range(0)), agreeing(85, range(1))),
         "8 bits, as good as 16 on the 85 calibration windows"),
        (InputBits(bits=8), "8 bits"),
        (InputBits(bits=16), "16 bits; --input-bits 8 is 2 to 4 times faster on AVR"),
    ],
)  # fmt: skip
def test_the_reason_in_one_line(choice: InputBits, words: str) -> None:
    assert choice.reason == words
    assert InputBits.of(choice.bits, choice.document()) == choice


NUMBERS = {"windows": 9, "gain": 1, "won": 1, "lost": 0}


@pytest.mark.parametrize(
    "said",
    [None, "16", [1], {}, {"bits": 16}, {"bits": 8, **NUMBERS}, {"bits": 16, **NUMBERS, "won": ""}],
)
def test_a_document_of_another_width_or_form_says_nothing(said: object) -> None:
    assert InputBits.of(16, said) == InputBits(bits=16)


def test_the_choice_is_that_of_the_model() -> None:
    model = float_model(1)
    raw = raw_windows(model, 1, 30, 16)
    for bits in (8, 16):
        got, choice = quantize_and_tell(model, run_spec(model), raw, input_bits=bits)
        assert got.cells[0].input_bits == choice.bits == bits
        assert choice.windows == 0
    got, choice = quantize_and_tell(model, run_spec(model), raw)
    assert got.cells[0].input_bits == choice.bits
    assert choice.windows == 30
