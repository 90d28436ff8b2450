"""Keras against the NumPy reading of its weights, and the layers that are refused."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnedge.convert.extract import extract
from rnnedge.errors import ModelError, ToolError, UnsupportedLayerError
from rnnedge.kerasbackend import keras as import_keras


@pytest.fixture(scope="module")
def keras() -> Any:
    return import_keras()


def save(keras: Any, path: Path, *layers: Any, shape: tuple[int, int] = (20, 3)) -> Path:
    """A sequential model of `layers` with random biases, saved."""
    model = keras.Sequential([keras.Input(shape), *layers])
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.normal(size=w.shape) * 0.2 for w in model.get_weights()])
    model.save(path)
    return path


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("units", [1, 5, 32])
def test_keras_and_the_numpy_reading_agree_to_1e_5(
    keras: Any, tmp_path: Path, units: int, reset_after: bool, use_bias: bool
) -> None:
    """Gate order, bias shapes, normalisation and the order of the update are all in this."""
    layers = keras.layers
    rng = np.random.default_rng(units)
    mean, variance = rng.normal(size=3) * 20, rng.uniform(0.1, 30, size=3)
    path = save(
        keras,
        tmp_path / "m.keras",
        layers.Normalization(mean=mean, variance=variance),
        layers.GRU(units, reset_after=reset_after, use_bias=use_bias, return_sequences=True),
        layers.Dropout(0.5),
        layers.GRU(units, reset_after=reset_after, use_bias=use_bias),
        layers.Dense(4),
    )
    X = (rng.normal(size=(30, 20, 3)) * np.sqrt(variance) + mean).astype(np.float32)
    model = keras.saving.load_model(path)
    inner = keras.Model(model.inputs, [model.layers[1].output, model.layers[3].output])
    first, last = inner.predict(X, verbose=0)
    states, scores = extract(path).forward(X)
    assert np.abs(states[0] - first).max() <= 1e-5
    assert np.abs(states[1][:, -1] - last).max() <= 1e-5
    assert np.abs(scores - model.predict(X, verbose=0)).max() <= 1e-5


def test_what_cannot_be_quantised_is_named_with_what_can(keras: Any, tmp_path: Path) -> None:
    layers = keras.layers
    gru, dense = (lambda **k: layers.GRU(4, **k)), (lambda **k: layers.Dense(2, **k))
    path = tmp_path / "m.keras"
    for message, *stack in (
        ("Conv1D layers", layers.Conv1D(4, 3), gru(), dense()),
        ("merge_mode='sum'", layers.Bidirectional(gru(), merge_mode="sum"), dense()),
        ("activation='sigmoid'", layers.SimpleRNN(4, activation="sigmoid"), dense()),
        ("activation='relu'", layers.LSTM(4, activation="relu"), dense()),
        ("activation='relu'", gru(activation="relu"), dense()),
        ("recurrent_activation='hard_sigmoid'", gru(recurrent_activation="hard_sigmoid"), dense()),
        ("go_backwards=True", gru(go_backwards=True), dense()),
        ("activation='elu'", gru(), dense(activation="elu")),
        ("activation='tanh'", gru(), dense(activation="tanh"), dense()),
        ("activation='sigmoid'", gru(), dense(activation="sigmoid"), dense()),
        ("layers GRU are not a model", gru()),
        ("Dense before the recurrent layers", dense(), gru(), dense()),
        ("Softmax here", gru(), layers.Softmax(), dense()),
        ("are not a model", gru(return_sequences=True), layers.Normalization(), gru(), dense()),
    ):
        save(keras, path, *stack)
        with pytest.raises(UnsupportedLayerError) as raised:
            extract(path)
        assert message in str(raised.value)
        assert "supported" in str(raised.value) and "GRU, LSTM" in str(raised.value)
        assert "\n" not in str(raised.value)


def test_damaged_keras_files_end_in_one_line(keras: Any, tmp_path: Path) -> None:
    path = save(keras, tmp_path / "m.keras", keras.layers.GRU(4), keras.layers.Dense(2))
    whole = path.read_bytes()
    for content in (b"", b"no zip", whole[: len(whole) // 2], whole[:-30], whole[200:]):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=r"m\.keras: ") as raised:
            extract(path)
        assert "\n" not in str(raised.value)
    with pytest.raises(ModelError, match="no such file"):
        extract(tmp_path / "nothing.keras")


def test_a_missing_tensorflow_is_not_taken_for_a_damaged_file(
    keras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Any:
        raise ToolError("TensorFlow cannot be imported")

    path = save(keras, tmp_path / "m.keras", keras.layers.GRU(4), keras.layers.Dense(2))
    monkeypatch.setattr("rnnedge.kerasbackend.keras", missing)
    with pytest.raises(ToolError, match="TensorFlow cannot be imported"):
        extract(path)


def test_weights_that_are_no_numbers_are_refused(keras: Any, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((5, 2)), keras.layers.GRU(3), keras.layers.Dense(2)])
    weights = model.get_weights()
    weights[0][0, 0] = np.nan
    model.set_weights(weights)
    model.save(tmp_path / "m.keras")
    with pytest.raises(ModelError, match="layer 'gru.*NaN or infinite"):
        extract(tmp_path / "m.keras")


def test_a_layer_used_twice_or_called_with_more_is_refused(keras: Any, tmp_path: Path) -> None:
    """What these compute is not what their list of layers says."""
    layers, path = keras.layers, tmp_path / "m.keras"
    x = keras.Input((8, 3))
    dense = layers.Dense(4)
    twice = dense(dense(layers.GRU(4)(x)))
    mask = np.arange(8)[None] < 4
    for message, output in (
        ("used 2 times", twice),
        ("called with mask", layers.Dense(2)(layers.LSTM(5)(x, mask=mask))),
    ):
        keras.Model(x, output).save(path)
        with pytest.raises(UnsupportedLayerError, match=message):
            extract(path)


def test_what_only_looks_like_a_supported_layer_is_refused(keras: Any, tmp_path: Path) -> None:
    layers, path = keras.layers, tmp_path / "m.keras"
    gru, back = layers.GRU(4), layers.GRU(4, reset_after=False, go_backwards=True)
    sequences = layers.GRU(4, return_sequences=True)
    for message, *stack in (
        ("different reset_after", layers.Bidirectional(gru, backward_layer=back), layers.Dense(2)),
        ("Softmax here", sequences, layers.Dense(2), layers.Softmax(axis=1)),
        ("ReLU here", layers.GRU(4), layers.Dense(3), layers.ReLU(max_value=0.0), layers.Dense(2)),
    ):
        save(keras, path, *stack)
        with pytest.raises(UnsupportedLayerError, match=message):
            extract(path)
    unbuilt = keras.Sequential([layers.GRU(4), layers.Dense(2)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras says so, too
        unbuilt.save(path)
    with pytest.raises((ModelError, UnsupportedLayerError)) as raised:
        extract(path)
    assert "\n" not in str(raised.value)
    save(keras, path, layers.Normalization(mean=1.0, variance=-2.0), gru, layers.Dense(2))
    with pytest.raises(ModelError, match="negative variance"):
        extract(path)
