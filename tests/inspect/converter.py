"""Make .tflite and .keras files as users make them; run in a process of its own.

python converter.py FOLDER
"""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

L, OPS = keras.layers, tf.lite.OpsSet


def model(*layers, batch=1, steps=8):
    return keras.Sequential([keras.Input((steps, 3), batch_size=batch), *layers])


def converter(*layers, batch=1):
    return tf.lite.TFLiteConverter.from_keras_model(model(*layers, batch=batch))


def dense(*, units=32, activation="relu"):
    return L.Flatten(), L.Dense(units, activation=activation), L.Dense(4)


def calibrated(made, *ops, integer_edges=False):
    def samples():
        rng = np.random.default_rng(0)
        for _ in range(20):
            yield [rng.normal(size=(1, 8, 3)).astype(np.float32)]

    made.optimizations = [tf.lite.Optimize.DEFAULT]
    made.representative_dataset = samples
    made.target_spec.supported_ops = list(ops)
    if integer_edges:
        made.inference_input_type = made.inference_output_type = tf.int8
    return made


def hybrid(made):
    made.optimizations = [tf.lite.Optimize.DEFAULT]
    return made


def with_tensor_lists(made):
    made.target_spec.supported_ops = [OPS.TFLITE_BUILTINS, OPS.SELECT_TF_OPS]
    made._experimental_lower_tensor_list_ops = False
    return made


INT8, INT16 = (
    OPS.TFLITE_BUILTINS_INT8,
    OPS.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
)
UNROLLED = lambda: converter(L.GRU(8, unroll=True), L.Dense(4))  # noqa: E731
TFLITE = {
    "lstm_float": lambda: converter(L.LSTM(8), L.Dense(4)),
    "rnn_float": lambda: converter(L.SimpleRNN(5), L.Dense(4)),
    "lstm_lists": lambda: with_tensor_lists(converter(L.LSTM(8), L.Dense(4))),
    "gru_unrolled_int8": lambda: calibrated(UNROLLED(), INT8, integer_edges=True),
    "gru_unrolled_16x8": lambda: calibrated(UNROLLED(), INT16),
    "lstm_unrolled": lambda: converter(L.LSTM(8, unroll=True), L.Dense(4)),
    "dense_int8": lambda: calibrated(converter(*dense()), INT8, integer_edges=True),
    "dense_16x8": lambda: calibrated(converter(*dense()), INT16),
    "dense_hybrid": lambda: hybrid(converter(*dense(units=64), L.Dense(64), L.Dense(4))),
    "dense_float": lambda: converter(*dense()),
    "dense_open": lambda: converter(L.Flatten(), L.Dense(4), batch=None),
    "gelu": lambda: converter(*dense(activation="gelu")),
}


@keras.saving.register_keras_serializable("tests")
class Mine(L.Layer):
    def call(self, x):
        return x


KERAS = {
    "good": lambda: model(
        L.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 2.0, 3.0]),
        L.GRU(8, return_sequences=True),
        L.Bidirectional(L.LSTM(6)),
        L.Dense(5, activation="relu"),
        L.Dense(4, activation="softmax"),
        batch=None,
    ),
    "open": lambda: model(L.LSTM(8), L.Dense(4), batch=None, steps=None),
    "unrolled": lambda: model(L.GRU(8, unroll=True), L.Dense(4)),
    "convolution": lambda: model(L.Conv1D(8, 3), L.GRU(8), L.Dense(4)),
    "own": lambda: model(Mine(), L.GRU(8), L.Dense(4)),
}


def main(folder):
    keras.utils.set_random_seed(0)
    for name, make in KERAS.items():
        make().save(folder / f"{name}.keras")
    for name, make in TFLITE.items():
        (folder / f"{name}.tflite").write_bytes(make().convert())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
