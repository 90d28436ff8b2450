"""The optimisation: learning rate, the epochs, early stopping."""

import math
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rnnedge.errors import ModelError
from rnnedge.kerasbackend import keras, quiet
from rnnedge.plaintext import counted
from rnnedge.train.checkpoint import Checkpoint, State
from rnnedge.train.options import TrainOptions
from rnnedge.train.problem import Problem
from rnnedge.train.progress import Progress
from rnnedge.train.tensorboard import log_to

_VALIDATION_BATCH = 512
_LEAST_RATE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The figures of every epoch.

    Attributes:
        epochs: loss and metrics of the (changed) training part, under Keras's names, and those of
            the validation part, as "validation_loss" and so on.
        best: index of the epoch whose weights were kept.
    """

    epochs: tuple[dict[str, float], ...]
    best: int


def optimise(
    model: Any,
    problem: Problem,
    options: TrainOptions,
    progress: Progress,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Fit a model in place; it keeps the weights of the best epoch of the second half.

    Args:
        model: a Keras model that takes the inputs of the problem.
        problem: the batches and what they cost.
        options: how to train.
        progress: follows the epochs.
        checkpoint: where each epoch is kept, and where the training goes on from; None: nowhere.

    Raises:
        ModelError: the loss became infinite or NaN, or the checkpoint is damaged.
        OutputError: the checkpoint cannot be written.
    """
    epochs = options.passes(problem.updates)
    first = epochs // 2
    schedule = keras().optimizers.schedules.CosineDecay(
        options.learning_rate, decay_steps=epochs * problem.updates, alpha=_LEAST_RATE
    )
    model.compile(
        optimizer=keras().optimizers.Adam(schedule, global_clipnorm=1.0),
        loss=problem.loss,
        metrics=list(problem.metrics),
        weighted_metrics=list(problem.weighted_metrics),
        jit_compile=True,
    )
    watch = _Watch(model, problem.monitor, first, options.patience or max(1, epochs // 3))
    state = None if checkpoint is None else checkpoint.load()
    if checkpoint is not None and state is not None:
        try:
            watch.go_on(state)
        except (ValueError, KeyError, TypeError) as error:
            what = str(error).splitlines()[0]
            raise ModelError(
                f"{checkpoint.folder}: of another model, or damaged ({what}); begin again with "
                "--force"
            ) from None

    def epoch_end(epoch: int, logs: dict[str, float]) -> None:
        watch.see(epoch, logs)
        if checkpoint is not None and watch.finite:
            checkpoint.save(watch.state())
        progress.update(epoch + 1, watch.epochs[-1])

    logs = [] if options.tensorboard is None else [log_to(options.tensorboard)]
    progress.start(epochs)
    begin = epochs if watch.ended else len(watch.epochs)
    try:
        # Keras prints remarks of its own, such as that of TerminateOnNaN
        with quiet(), redirect_stdout(sys.stderr):
            if begin < epochs:
                model.fit(
                    _all_batches(problem, begin, epochs),
                    steps_per_epoch=problem.updates,
                    initial_epoch=begin,
                    epochs=epochs,
                    validation_data=problem.validation and _given(problem.validation),
                    validation_batch_size=_VALIDATION_BATCH,
                    callbacks=[
                        *problem.callbacks,
                        *logs,
                        keras().callbacks.TerminateOnNaN(),
                        keras().callbacks.LambdaCallback(on_epoch_end=epoch_end),
                    ],
                    verbose=0,
                )
    except (KeyboardInterrupt, SystemExit):
        if checkpoint is not None:
            checkpoint.keep_model(model, watch.weights)
        raise
    if not watch.finite:
        raise ModelError(
            f"the loss is no number after {len(watch.epochs)} epochs; train with a learning "
            f"rate below {options.learning_rate:g}"
        )
    model.set_weights(watch.weights)
    count = counted(len(watch.epochs), "epoch")
    progress.note(f"trained {count}, kept the weights of {watch.best + 1}")
    return History(epochs=tuple(watch.epochs), best=watch.best)


class _Watch:
    """The figures of the epochs, and the weights of the best one."""

    def __init__(self, model: Any, monitor: str, first: int, patience: int) -> None:
        self._model, self._monitor = model, monitor
        self._first, self._patience = first, patience
        self.epochs: list[dict[str, float]] = []
        self.best = 0
        self.weights: list[Any] = []
        self.finite = True
        self.ended = False
        self._least = math.inf

    def see(self, epoch: int, logs: dict[str, float]) -> None:
        """Note an epoch; end the training where no better one is to be expected."""
        self.epochs.append(
            {name.replace("val_", "validation_", 1): float(logs[name]) for name in logs}
        )
        value = float(logs[self._monitor])
        self.finite = math.isfinite(value) and math.isfinite(self.epochs[-1]["loss"])
        if not self.finite:
            self.ended = True
        elif epoch >= self._first:
            if value < self._least:
                self.best, self._least = epoch, value
                self.weights = self._model.get_weights()
            self.ended = epoch - self.best >= self._patience
        self._model.stop_training = self.ended

    def state(self) -> State:
        """Return everything that goes on from here."""
        least = None if math.isinf(self._least) else self._least
        figures = {"epochs": self.epochs, "best": self.best, "least": least, "ended": self.ended}
        return State(
            model=[variable.numpy() for variable in self._model.variables],
            optimizer=[variable.numpy() for variable in self._model.optimizer.variables],
            best=self.weights,
            figures=figures,
        )

    def go_on(self, state: State) -> None:
        """Put model and optimiser where they were."""
        optimizer = self._model.optimizer
        optimizer.build(self._model.trainable_variables)
        for variables, values in (
            (self._model.variables, state.model),
            (optimizer.variables, state.optimizer),
        ):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        self.epochs, self.best = list(state.figures["epochs"]), state.figures["best"]
        self.ended, self.weights = state.figures["ended"], list(state.best)
        least = state.figures["least"]
        self._least = math.inf if least is None else least


def _all_batches(problem: Problem, first: int, epochs: int) -> Iterator[tuple[Any, ...]]:
    """Yield the batches of the epochs from `first` on; Keras takes them ahead, in a thread."""
    for epoch in range(first, epochs):
        yield from map(_given, islice(problem.batches(epoch), problem.updates))


def _given(batch: tuple[Any, ...]) -> tuple[Any, ...]:
    """Leave out weights that are not there."""
    return batch[:2] if batch[2] is None else batch
