"""Streams of samples through instances, and an independent oracle of what comes out."""

from collections.abc import Iterator

import numpy as np
from hypothesis import strategies as st

from rnnedge.simulator import quantize, simulate, softmax, step_scores
from rnnedge.spec import QuantizedModel
from tests.instances import Instance
from tests.models import CELLS, float_model, quantized, raw_windows

READY, OK, NULL, INPUT, STREAM, SAVED, RULES = 1, 0, -1, -4, -6, -7, -8
Found = tuple[int, int, int, list[int]]


@st.composite
def networks(draw: st.DrawFn) -> tuple[QuantizedModel, np.ndarray]:
    """A small model and a stream of raw samples (steps, channels), longer than some windows."""
    seed = draw(st.integers(0, 2**32 - 1))
    window = draw(st.integers(1, 9))
    model = float_model(
        seed,
        units=draw(st.integers(1, 6)),
        channels=draw(st.integers(1, 4)),
        classes=draw(st.integers(1, 5)),
        cells=tuple(draw(st.lists(st.sampled_from(CELLS), min_size=1, max_size=2))),
        spread=draw(st.sampled_from([0.1, 1.0])),
        bidirectional=draw(st.booleans()),
        sequences=draw(st.booleans()),
    )
    steps = window * draw(st.integers(1, 8)) + draw(st.integers(0, window - 1))
    return quantized(model, window=window), raw_windows(model, seed, 1, steps)[0]


rules = st.fixed_dictionaries(
    {
        "every": st.integers(0, 5),
        "reject": st.sampled_from([0, 9000, 14000, 20000, 32768]),
        "majority": st.integers(1, 15),
    }
)


def oracle(
    model: QuantizedModel, raw: np.ndarray, *, every: int, reject: int, majority: int
) -> Iterator[tuple[int, Found]]:
    """Yield (samples taken, result) of a stream, by what rnnedge.h says of the rules."""
    x = quantize(model.input, raw)[None]
    length = every or model.window
    labels: list[int] = []
    for end in range(length, len(raw) + 1, length):
        part = x[:, end - length : end]
        scores = step_scores(model, x[:, :end])[0, -1] if every else simulate(model, part).scores[0]
        best = int(np.flatnonzero(scores == scores.max())[0])
        probability = int(softmax(scores, model.fraction_bits)[best])
        labels.append(best if probability >= reject else -1)
        last = labels[-majority:]
        most = max(last.count(label) for label in last)
        tied = [label for label in last if last.count(label) == most]
        yield end, (tied[-1], best, probability, scores.tolist())


def observed(instance: Instance) -> Found:
    return (*instance.result, instance.scores.tolist())


def snapshot(instance: Instance) -> tuple[bytes, ...]:
    """All that an instance is, but for scratch and, when it streams, the next sample."""
    kept = [instance.memory[0], instance.memory[3]]
    if instance.device.model.bidirectional:
        taken = instance.struct.count * instance.device.model.input.channels
        kept.append(instance.x[:taken])
    return (bytes(instance.struct), *(part.tobytes() for part in kept))


def feed(instance: Instance, raw: np.ndarray) -> list[tuple[int, Found]]:
    """Step through samples; return (samples taken, result) of those that made one ready."""
    found = []
    for index, sample in enumerate(raw):
        status = instance.step(sample)
        assert status in (READY, OK)
        if status == READY:
            found.append((index + 1, observed(instance)))
    return found


def allowed(model: QuantizedModel, chosen: dict[str, int]) -> dict[str, int]:
    return {**chosen, "every": 0} if model.bidirectional else chosen
