"""The models that every test of this folder runs through: each cell, stack and head."""

import functools
import math

import numpy as np

from rnnedge.convert.floatmodel import FloatBidirectional
from tests.models import float_model, quantized

CASES = {
    "gru": {"cells": ("gru",)},
    "gru_before": {"cells": ("gru_before",)},
    "lstm": {"cells": ("lstm",)},
    "rnn": {"cells": ("rnn",)},
    "rnn_relu": {"cells": ("rnn_relu",)},
    "two_lstm": {"cells": ("lstm", "lstm")},
    "mixed": {"cells": ("rnn_relu", "gru", "lstm")},
    "dense": {"cells": ("gru_before",), "hidden": (6, 5)},
    "every_step": {"cells": ("gru", "rnn"), "sequences": True, "hidden": (5,)},
    "lstm_every_step": {"cells": ("lstm",), "sequences": True, "hidden": (5,)},
    "both_ways": {"cells": ("gru",), "bidirectional": True},
    "both_ways_twice": {"cells": ("rnn_relu", "lstm"), "bidirectional": True, "hidden": (5,)},
    "both_ways_every_step": {"cells": ("gru_before",), "bidirectional": True, "sequences": True},
}
STREAMS = tuple(name for name, options in CASES.items() if "bidirectional" not in options)


@functools.lru_cache
def case(name, *, seed=1, units=7, channels=3, window=6, limit=5.3, input_bits=16, spread=1.0):
    """A random quantised model of a case."""
    model = float_model(seed, units=units, channels=channels, spread=spread, **CASES[name])
    for layer in model.recurrent:
        both = isinstance(layer, FloatBidirectional)
        for cell in (layer.forward, layer.backward) if both else (layer,):
            cell.W[:] /= math.sqrt(len(cell.W))
    return quantized(model, window=window, limit=limit, input_bits=input_bits)


def samples(model, count, *, steps=None, spread=1.0):
    """Normal int16 windows of normalised deviation `spread`; the last is extreme."""
    rng = np.random.default_rng(count)
    size = (count, steps or model.window, model.input.channels)
    x = np.rint(rng.normal(size=size) * spread * 2**15 / model.input.limit)
    x[-1] = rng.choice([-32768, 32767], size[1:])
    return np.clip(x, -32768, 32767).astype(np.int16)
