"""A hundred thousand steps in the TFLite Micro interpreter."""

import numpy as np
import pytest

from tests.tflite.test_accuracy import streamed


@pytest.mark.parametrize("cell", ["gru", "gru_before", "lstm", "rnn"])
def test_the_error_after_100000_steps_is_that_after_1000(cell):
    """Windows of 1,000 steps: one of them alone varies by several per cent, so ten at the end."""
    rms, _ = streamed(cell, "16x8", 100_000)
    early, late = (np.sqrt(np.mean(part**2)) for part in (rms[:1000], rms[-10_000:]))
    print(f"{cell}: RMS of h {early:.6f} in the first 1,000 steps, {late:.6f} in the last 10,000")
    assert late <= 1.1 * early
