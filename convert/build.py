"""From a Keras model and calibration windows to a proven QuantizedModel."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import F32, F64, I64
from rnnedge.convert.calibrate import power_of_two, ranges
from rnnedge.convert.detector import with_threshold
from rnnedge.convert.embedding import quantize_embedding
from rnnedge.convert.floatmodel import FloatLstm, FloatModel, FloatParts, State
from rnnedge.convert.inputbits import InputBits, choose, choose_by_error
from rnnedge.convert.output import quantize_feedback, quantize_output, quantize_start
from rnnedge.convert.proof import prove
from rnnedge.convert.quantize import InputRange, Ranges, quantize_input, quantize_layers
from rnnedge.errors import DataError, ModelError
from rnnedge.run import RunSpec, Windows
from rnnedge.simulator import first_state, simulate, step_scores
from rnnedge.simulator import quantize as quantize_raw
from rnnedge.spec import EmbeddingLayer, InputLayer, QuantizedModel


def quantize(
    model: FloatModel, run: RunSpec, calibration: F32, *, input_bits: int | None = None
) -> QuantizedModel:
    """Return the model of `quantize_and_tell` alone."""
    return quantize_and_tell(model, run, calibration, input_bits=input_bits)[0]


def quantize_and_tell(
    model: FloatModel, run: RunSpec, calibration: F32, *, input_bits: int | None = None
) -> tuple[QuantizedModel, InputBits]:
    """Quantise a model that is nothing but itself: `quantize_parts` without start or encoder."""
    unknown = np.full(len(calibration), -1, np.int64)
    windows = Windows(calibration=calibration, X_test=calibration, y_test=unknown)
    return quantize_parts(FloatParts(model=model), run, windows, input_bits=input_bits)


def quantize_parts(
    parts: FloatParts, run: RunSpec, windows: Windows, *, input_bits: int | None = None
) -> tuple[QuantizedModel, InputBits]:
    """Quantise everything of a trained run: calibrate -> quantise -> prove.

    The first layer reads 8-bit inputs unless 16 bits serve the calibration windows better
    (rnnedge.convert.inputbits): by agreement of the integer model's class with the float model's,
    or by the error of a regression.

    Args:
        parts: float weights, from `extract_run`.
        run: names of channels and classes, window, rate, targets, features.
        windows: calibration windows of the training part, with what they start from; of a detector
            also normal recordings.
        input_bits: 8 or 16 to fix the width of the first layer's input, None to choose it.

    Returns:
        The model, and why its input has the width that it has.

    Raises:
        ModelError: the run does not describe this model.
        DataError: no calibration windows, or values that are not finite.
        RangeError: a value does not fit, or an accumulator could overflow.
    """
    model, calibration = parts.model, windows.calibration
    if len(run.channels) != model.channels or len(run.classes) != model.outputs:
        raise ModelError(
            f"the run names {len(run.channels)} channels and {len(run.classes)} classes, the Keras "
            f"model has {model.channels} and {model.outputs}; they are not of one run"
        )
    if calibration.size == 0 or not np.isfinite(calibration).all():
        raise DataError("calibration needs at least one window of finite values")
    if model.embedding is not None:
        input_bits = 8  # the rows have no more
    if input_bits is not None:
        made = _quantize(parts, run, windows, input_bits)
        return with_threshold(made, run, windows), InputBits(bits=input_bits)
    narrow, wide = (_quantize(parts, run, windows, bits) for bits in (8, 16))
    if run.targets and windows.y_calibration is not None:
        errors = [_errors(made, run, windows) for made in (narrow, wide)]
        chosen = choose_by_error(*errors)
    else:
        _, exact = model.forward(calibration.astype(np.float64), _first(parts, windows))
        agree = [_agreement(made, windows, exact) for made in (narrow, wide)]
        chosen = choose(*agree)
    return with_threshold(wide if chosen.bits == 16 else narrow, run, windows), chosen


def _first(parts: FloatParts, windows: Windows) -> tuple[State, ...]:
    """Return the float states that the calibration windows start from; empty: zeros."""
    if parts.start is None and parts.encoder is None:
        return ()
    return parts.first(
        len(windows.calibration), windows.start_calibration, windows.encoder_calibration,
        windows.encoder_lengths_calibration,
    )  # fmt: skip


def _quantize(parts: FloatParts, run: RunSpec, windows: Windows, bits: int) -> QuantizedModel:
    model = parts.model
    held = ranges(model, windows.calibration.astype(np.float64), bits)
    encoder = None
    if parts.encoder is not None and windows.encoder_calibration is not None:
        encoder = ranges(parts.encoder, windows.encoder_calibration.astype(np.float64), bits)
    held = replace(held, states=_states(parts, windows, held, encoder))
    layers = quantize_layers(model, held)
    source = _input(model, held.source)
    quantized = QuantizedModel(
        name=run.name,
        task=run.task,
        window=run.window,
        every=run.every,
        channels=tuple(channel.name for channel in run.channels),
        channel_units=tuple(channel.unit for channel in run.channels),
        rate=run.rate,
        classes=run.classes,
        input=source,
        layers=layers,
        output=quantize_output(run.targets),
    )
    if encoder is not None and parts.encoder is not None:
        encoder = replace(encoder, states=held.states)
        quantized = replace(quantized, encoder=_encoder(parts.encoder, run, encoder))
    if isinstance(source, InputLayer):
        feedback = quantize_feedback(run, source, quantized.fraction_bits)
        quantized = replace(quantized, feedback=feedback)
    if parts.start is not None and windows.start_calibration is not None:
        features = windows.start_calibration.astype(np.float64)
        start = quantize_start(parts.start, model, quantized.cells, run, features)
        quantized = replace(quantized, start=start)
    prove(quantized)
    return quantized


def _states(
    parts: FloatParts, windows: Windows, held: Ranges, encoder: Ranges | None
) -> tuple[int, ...]:
    """Return the powers of two of the states: those from zero, from a start, of an encoder."""
    found = list(held.states)
    first = _first(parts, windows)
    v = parts.model.normalise(windows.calibration.astype(np.float64))
    for index, state in enumerate(first):
        layer = parts.model.cells[index]
        v, kept = layer.run(v, state)
        begun = state[1] if isinstance(layer, FloatLstm) else np.empty(0)
        found[index] = max(found[index], power_of_two(kept), power_of_two(begun))
    if encoder is not None:
        found = [max(own, other) for own, other in zip(found, encoder.states, strict=True)]
    return tuple(found)


def _input(model: FloatModel, source: InputRange) -> InputLayer | EmbeddingLayer:
    if model.embedding is not None:
        return quantize_embedding(model.embedding, source.limit)
    return quantize_input(model.mean, model.std, source.limit)


def _encoder(model: FloatModel, run: RunSpec, held: Ranges) -> QuantizedModel:
    """Return the integer form of an encoder; its states are those of the model."""
    source, names = _input(model, held.source), run.encoder_classes
    if names and (not isinstance(source, EmbeddingLayer) or len(names) != source.rows):
        raise ModelError(
            f"the run names {len(names)} ids of the encoder's sequence, the Keras encoder has "
            f"{getattr(source, 'rows', 0)}; they are not of one run"
        )
    made = QuantizedModel(
        name=f"{run.name}_encoder",
        task="encode",
        window=run.encoder_window,
        channels=tuple(channel.name for channel in run.encoder_channels),
        channel_units=tuple(channel.unit for channel in run.encoder_channels),
        rate=run.rate,
        classes=names,
        input=source,
        layers=quantize_layers(model, held),
    )
    prove(made)
    return made


def _scores(quantized: QuantizedModel, windows: Windows) -> npt.NDArray[np.int32]:
    """Return the scores at every step of the calibration windows."""
    x = quantize_raw(quantized.input, windows.calibration)
    if quantized.start is None and quantized.encoder is None:
        return step_scores(quantized, x)
    encoded = windows.encoder_calibration if quantized.encoder is not None else None
    first = begun(
        quantized, windows.start_calibration, encoded, windows.encoder_lengths_calibration
    )
    return step_scores(quantized, x, first)


def begun(
    model: QuantizedModel, features: F32 | None, encoded: F32 | None, lengths: I64 | None
) -> npt.NDArray[np.int16] | None:
    """Return the integer states that windows start from; None: zeros.

    Args:
        model: the quantised model.
        features: float32 (windows, features), of a start.
        encoded: float32 (windows, encoder steps, encoder channels), of an encoder.
        lengths: int64 (windows,), encoder steps that count; None: all.
    """
    if model.start is not None and features is not None:
        return first_state(model, features)
    if model.encoder is None or encoded is None:
        return None
    states = simulate(model.encoder, quantize_raw(model.encoder.input, encoded)).states
    steps = np.full(len(encoded), encoded.shape[1]) if lengths is None else lengths
    return np.asarray(states[np.arange(len(states)), steps - 1], np.int16)


def _agreement(quantized: QuantizedModel, windows: Windows, exact: F64) -> npt.NDArray[np.bool_]:
    """Return for each window (or step) whether the class is the float model's."""
    if exact.ndim == 3:
        scores = _scores(quantized, windows)
    else:
        scores = simulate(quantized, quantize_raw(quantized.input, windows.calibration)).scores
    return np.asarray(scores.argmax(axis=-1) == exact.argmax(axis=-1))


def _errors(quantized: QuantizedModel, run: RunSpec, windows: Windows) -> F64:
    """Return the mean squared error of each calibration window, normalised; NaN: nothing known."""
    mean = np.array([target.mean for target in run.targets])
    std = np.array([target.std for target in run.targets])
    real = np.ldexp(_scores(quantized, windows).astype(np.float64), -quantized.fraction_bits)
    error = np.square(real - (np.asarray(windows.y_calibration, np.float64) - mean) / std)
    known = np.isfinite(error)
    count = known.sum(axis=(1, 2))
    total = np.where(known, error, 0).sum(axis=(1, 2))
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), np.float64)
