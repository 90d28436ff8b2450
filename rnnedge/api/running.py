"""The two variants of a run, float and int8, over the same sequences: answers and free runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rnnedge.arrays import F32, F64, I64
from rnnedge.convert.build import begun
from rnnedge.convert.floatmodel import FloatParts
from rnnedge.convert.output import feedback_sources
from rnnedge.run import RunSpec
from rnnedge.simulator import Machine, feedback, quantize, step_scores
from rnnedge.spec import QuantizedModel
from rnnedge.train.tasks.series import stacked

_MOST_VALUES = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Begin:
    """What sequences start from.

    Attributes:
        features: float32 (sequences, features), or None.
        encoded: float32 (sequences, encoder steps, encoder channels), or None.
        lengths: int64 (sequences,), encoder steps that count; None: all.
    """

    features: F32 | None = None
    encoded: F32 | None = None
    lengths: I64 | None = None


class Variant(Protocol):
    """A model that answers."""

    def scores(self, x: F32, begin: Begin) -> F64:
        """Return real scores (sequences, steps, outputs) of raw x (sequences, steps, channels)."""

    def free(self, x: F32, begin: Begin, steps: int) -> F64:
        """Return real scores (sequences, steps, outputs) of free steps behind those fed with x.

        Before anything was answered, a free step takes nothing: x may have no step.
        """


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatVariant:
    """The Keras weights in float64."""

    parts: FloatParts
    run: RunSpec

    def scores(self, x: F32, begin: Begin) -> F64:
        """See `Variant`."""
        first = self.parts.first(len(x), begin.features, begin.encoded, begin.lengths)
        return self.parts.model.forward(x.astype(np.float64), first)[1]

    def free(self, x: F32, begin: Begin, steps: int) -> F64:
        """See `Variant`."""
        model = self.parts.model
        states = self.parts.first(len(x), begin.features, begin.encoded, begin.lengths)
        last = None
        for t in range(x.shape[1]):
            states, last = model.advance(model.normalise(x[:, t].astype(np.float64)), states)
        found = []
        for _ in range(steps):
            states, last = model.advance(self._back(last, len(x)), states)
            found.append(last)
        return np.stack(found, axis=1)

    def _back(self, scores: F64 | None, sequences: int) -> F64:
        """Return what a free step takes, normalised."""
        model, run = self.parts.model, self.run
        if scores is None:
            width = model.mean.size
            return np.zeros((sequences, width))
        if model.embedding is not None:
            rows: F64 = model.embedding[scores.argmax(axis=1)]
            return rows
        places = feedback_sources(run) or []
        found = np.empty((sequences, len(places)))
        for channel, place in enumerate(places):
            target = run.targets[place]
            real = scores[:, place] * target.std + target.mean
            found[:, channel] = (real - model.mean[channel]) / model.std[channel]
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IntegerVariant:
    """The integer simulator."""

    model: QuantizedModel

    def scores(self, x: F32, begin: Begin) -> F64:
        """See `Variant`."""
        first = begun(self.model, begin.features, begin.encoded, begin.lengths)
        got = step_scores(self.model, quantize(self.model.input, x), first)
        return np.ldexp(got.astype(np.float64), -self.model.fraction_bits)

    def free(self, x: F32, begin: Begin, steps: int) -> F64:
        """See `Variant`."""
        machine, model = Machine(self.model), self.model
        state = begun(model, begin.features, begin.encoded, begin.lengths)
        if state is None:
            state = np.zeros((len(x), model.state_size), np.int16)
        last = None
        for t in range(x.shape[1]):
            state = machine.step(state, quantize(model.input, x[:, t]))
            last = machine.scores(state)
        found = []
        for _ in range(steps):
            back = np.zeros((len(x), model.input.channels), np.int16)
            state = machine.step(state, back if last is None else feedback(model, last))
            last = machine.scores(state)
            found.append(last)
        return np.ldexp(np.stack(found, axis=1).astype(np.float64), -model.fraction_bits)


def streamed(variant: Variant, parts: Sequence[F32], outputs: int) -> F64:
    """Return the scores of whole recordings from a zero state, one behind the other.

    Args:
        variant: the model.
        parts: (rows, channels) each; those of like length run side by side.
        outputs: number of scores.

    Returns:
        float64 (rows, outputs).
    """
    found: list[F64] = [np.empty((0, outputs))] * len(parts)
    order = sorted(range(len(parts)), key=lambda index: len(parts[index]))
    while order:
        most = len(parts[order[-1]])
        count = max(1, min(len(order), _MOST_VALUES // max(1, most * 64)))
        together, order = order[-count:], order[:-count]
        x, lengths = stacked([parts[index] for index in together], most)
        scores = variant.scores(np.asarray(x, np.float32), Begin())
        for index, row, length in zip(together, scores, lengths, strict=True):
            found[index] = row[:length]
    return np.concatenate(found)
