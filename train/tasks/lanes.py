"""Recordings side by side in lanes, chunk after chunk: truncated back-propagation through time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rnnedge.arrays import F32, F64
from rnnedge.train.augment import Augmentation
from rnnedge.train.problem import Batch, epoch_rng
from rnnedge.train.tasks.series import Scale, Series, stacked_answers, targets_and_weights

_FEWEST_UPDATES = 50
_MOST_LANES = 32
_FEWEST_CHUNKS = 4

_Chunk = tuple[int, int, bool]  # series, first row, whether the state goes on


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lanes:
    """How series are laid into batches of `lanes` rows of `steps` steps.

    In each pass the recordings come in another order and, but for short ones, begin a few rows
    later. The state runs on from chunk to chunk; it is zero where a recording begins, where one is
    divided between two lanes, and now and then within one, as a device may begin anywhere. What
    random changes a lane has, it keeps for a whole pass.

    Attributes:
        series: the training part.
        scale: of the answers.
        steps: of a chunk, as far as errors are propagated back.
        lanes: rows of a batch.
        burn_in: steps from a zero state that are not learnt from.
        seed: decides the order.
        augment: changes of the samples; None: none.
        mean: float64 (channels,), raw units, of what is changed.
        std: float64 (channels,), raw units.
        groups: three channels each, the axes to turn.
        restart: share of the chunks within a recording that begin from a zero state.
    """

    series: Sequence[Series]
    scale: Scale
    steps: int
    lanes: int
    burn_in: int
    seed: int
    augment: Augmentation | None = None
    mean: F64 = field(default_factory=lambda: np.zeros(1))
    std: F64 = field(default_factory=lambda: np.ones(1))
    groups: Sequence[tuple[int, ...]] = ()
    restart: float = 0.0

    @property
    def depth(self) -> int:
        """Chunks of a lane in one pass."""
        return -(-chunk_count(self.series, self.steps) // self.lanes)

    @property
    def updates(self) -> int:
        """Batches of an epoch, whole passes."""
        return self.depth * -(-_FEWEST_UPDATES // self.depth)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch: {"x", "keep"}, answers, weights."""
        rng = epoch_rng(self.seed, epoch)
        for number in range(self.updates // self.depth):
            for row in zip(*self._pass(rng), strict=True):
                inputs, y, weights = self._batch(row)
                changed = self._changed(inputs["x"], (self.seed, epoch, number), rng)
                yield {**inputs, "x": changed}, y, weights

    def _changed(self, x: F32, one_pass: tuple[int, ...], rng: np.random.Generator) -> F32:
        """Change lanes: the same in all batches of one pass, but for noise."""
        if self.augment is None:
            return x
        same = np.random.Generator(np.random.PCG64(np.random.SeedSequence(one_pass)))
        nothing = np.zeros((len(x), 1), np.float32)
        still, noise = replace(self.augment, jitter=0.0), Augmentation(jitter=self.augment.jitter)
        x, _ = still.apply(x, nothing, self.mean, self.std, same, self.groups)
        return noise.apply(x, nothing, self.mean, self.std, rng)[0]

    def _pass(self, rng: np.random.Generator) -> list[list[_Chunk | None]]:
        """Return the chunks of each lane."""
        lanes: list[list[_Chunk | None]] = [[]]
        for index in rng.permutation(len(self.series)):
            rows = len(self.series[index].x)
            late = int(rng.integers(self.steps)) if rows > 2 * self.steps else 0
            for first in range(late, rows, self.steps):
                if len(lanes[-1]) == self.depth:
                    lanes.append([])
                goes_on = first > late and bool(lanes[-1])
                goes_on = goes_on and (not self.restart or rng.random() >= self.restart)
                lanes[-1].append((int(index), first, goes_on))
        lanes += [[] for _ in range(self.lanes - len(lanes))]
        return [lane + [None] * (self.depth - len(lane)) for lane in lanes]

    def _batch(self, chunks: Sequence[_Chunk | None]) -> Batch:
        one = self.series[0]
        x = np.zeros((self.lanes, self.steps, one.x.shape[1]), np.float32)
        keep = np.zeros((self.lanes, 1), np.float32)
        answers = []
        for lane, chunk in enumerate(chunks):
            if chunk is None:
                answers.append(one.y[:0])
                continue
            index, first, goes_on = chunk
            part = self.series[index].x[first : first + self.steps]
            x[lane, : len(part)] = part
            keep[lane] = goes_on
            answers.append(self.series[index].y[first : first + self.steps])
        y, weights = targets_and_weights(stacked_answers(answers, self.steps), self.scale)
        if self.burn_in:
            weights[keep[:, 0] == 0, : self.burn_in] = 0
        return {"x": x, "keep": keep}, y, scaled(weights)


def lane_count(series: Sequence[Series], steps: int, batch: int | None) -> int:
    """Return a number of lanes that gives every lane some chunks, unless `batch` says it."""
    if batch is not None:
        return batch
    return max(1, min(_MOST_LANES, chunk_count(series, steps) // _FEWEST_CHUNKS))


def chunk_count(series: Sequence[Series], steps: int) -> int:
    """Return the number of stretches of `steps` steps, the last of a recording may be shorter."""
    return sum(-(-len(item.x) // steps) for item in series)


def scaled(weights: np.ndarray) -> np.ndarray:
    """Return weights whose mean is 1, as Keras divides by their number; all 0 stay so."""
    total = float(weights.sum())
    return (weights * (weights.size / total)).astype(np.float32) if total > 0 else weights
