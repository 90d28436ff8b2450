"""The optimisation: batches, learning rate, early stopping."""

import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnedge.arrays import F32, F64
from rnnedge.errors import ModelError
from rnnedge.kerasbackend import keras, quiet
from rnnedge.train.options import TrainOptions
from rnnedge.train.progress import Progress
from rnnedge.train.split import Split

_VALIDATION_BATCH = 512
_LEAST_RATE = 0.01
_COLUMNS = {
    "loss": "loss",
    "accuracy": "accuracy",
    "val_loss": "validation_loss",
    "val_accuracy": "validation_accuracy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The figures of every epoch.

    Attributes:
        epochs: loss and accuracy on the (changed) training windows and on the validation part.
        best: index of the epoch whose weights were kept.
    """

    epochs: tuple[dict[str, float], ...]
    best: int


def optimise(
    model: Any, parts: Split, options: TrainOptions, mean: F64, std: F64, progress: Progress
) -> History:
    """Fit a model in place; it keeps the weights of the best epoch of the second half.

    Args:
        model: a keras.Sequential, raw windows in, class probabilities out.
        parts: training decides the weights, validation the epoch.
        options: how to train.
        mean: float64 (channels,), raw units.
        std: float64 (channels,), raw units.
        progress: follows the epochs.

    Raises:
        ModelError: the loss became infinite or NaN.
    """
    size = options.batch(len(parts.train))
    updates, epochs = options.updates(len(parts.train)), options.passes(len(parts.train))
    first = epochs // 2
    schedule = keras().optimizers.schedules.CosineDecay(
        options.learning_rate, decay_steps=epochs * updates, alpha=_LEAST_RATE
    )
    model.compile(
        optimizer=keras().optimizers.Adam(schedule, global_clipnorm=1.0),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=True,
    )
    eye = np.eye(len(parts.classes), dtype=np.float32)

    def report(epoch: int, logs: dict[str, float]) -> None:
        progress.update(epoch + 1, logs["loss"], logs["accuracy"], logs["val_accuracy"])

    callbacks = keras().callbacks
    progress.start(epochs)
    # Keras prints remarks of its own, such as that of TerminateOnNaN
    with quiet(), redirect_stdout(sys.stderr):
        fitted = model.fit(
            _batches(parts, size, options, mean, std),
            steps_per_epoch=updates,
            epochs=epochs,
            validation_data=(parts.validation.X, eye[parts.validation.y]),
            validation_batch_size=_VALIDATION_BATCH,
            callbacks=[
                callbacks.TerminateOnNaN(),
                callbacks.EarlyStopping(
                    monitor="val_loss",
                    patience=options.patience or max(1, epochs // 3),
                    restore_best_weights=True,
                    start_from_epoch=first,
                ),
                callbacks.LambdaCallback(on_epoch_end=report),
            ],
            verbose=0,
        )
    figures: dict[str, list[float]] = fitted.history
    if not np.isfinite(figures["loss"]).all():
        raise ModelError(
            f"the loss is no number after {len(figures['loss'])} epochs; train with a learning "
            f"rate below {options.learning_rate:g}"
        )
    return History(
        epochs=tuple(
            {name: float(figures[key][epoch]) for key, name in _COLUMNS.items()}
            for epoch in range(len(figures["loss"]))
        ),
        best=first + int(np.argmin(figures["val_loss"][first:])),
    )


def _batches(
    parts: Split, size: int, options: TrainOptions, mean: F64, std: F64
) -> Iterator[tuple[F32, F32]]:
    """Yield batches for ever: every pass in another order, windows changed at random."""
    rng = np.random.Generator(np.random.PCG64(options.seed))
    X, y = parts.train.X, parts.train.y
    augment = options.changes(len(X))
    eye = np.eye(len(parts.classes), dtype=np.float32)
    while True:
        order = rng.permutation(len(X))
        for start in range(0, len(X) - size + 1, size):
            chosen = order[start : start + size]
            yield augment.apply(X[chosen], eye[y[chosen]], mean, std, rng)
