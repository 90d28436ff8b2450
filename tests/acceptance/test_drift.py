"""No drift: after 10^6 steps of a slow sensor the state is as close to float as after 10^3."""

import ctypes

import numpy as np
import pytest

from rnnedge.arrays import F64
from rnnedge.convert.floatcells import _sigmoid
from rnnedge.convert.floatmodel import FloatModel
from rnnedge.simulator import quantize
from tests.models import float_model, quantized
from tests.runtime import Device

PERIOD = 1_000  # steps of the sensor's slow cycle
STEPS = 1_000_000


def float_states(model: FloatModel, raw: F64, kept: list[slice]) -> list[F64]:
    """The float model's h, step by step over the whole sequence; only some parts are kept."""
    layer = model.recurrent[0]
    H = layer.units
    ax = model.normalise(raw[:PERIOD].astype(np.float64)) @ layer.W + layer.bias
    U, h, c = layer.U, np.zeros(H), np.zeros(H)
    out = [np.empty((part.stop - part.start, H)) for part in kept]
    for t in range(STEPS):
        a, b = ax[t % PERIOD], h @ U
        if hasattr(layer, "recurrent_bias"):
            b = b + layer.recurrent_bias
            zr = _sigmoid(a[: 2 * H] + b[: 2 * H])
            z, r = zr[:H], zr[H:]
            h = z * h + (1 - z) * np.tanh(a[2 * H :] + r * b[2 * H :])
        elif U.shape[1] == 4 * H:
            p = a + b
            gates = _sigmoid(p)
            c = gates[H : 2 * H] * c + gates[:H] * np.tanh(p[2 * H : 3 * H])
            h = gates[3 * H :] * np.tanh(c)
        else:
            h = np.tanh(a + b)
        for part, states in zip(kept, out, strict=True):
            if part.start <= t < part.stop:
                states[t - part.start] = h
    return out


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_the_error_after_a_million_steps_is_that_after_a_thousand(
    library: ctypes.CDLL, cell: str
) -> None:
    """A slow sensor: its cycle takes 1,000 steps, its value moves by less than a step of int8.

    Compared are the cycle that ends after 2,000 steps and the last one, RMS over all units.
    """
    model = float_model(11, units=8, channels=2, cells=(cell,), spread=0.7)
    if cell == "gru":
        model.recurrent[0].bias[:8] += 4.0  # slow update gates
    angle = 2 * np.pi * np.arange(PERIOD) / PERIOD
    slow = np.stack([np.sin(angle), 0.5 * np.cos(2 * angle) + 0.1], axis=1)
    raw = (slow * model.std + model.mean).astype(np.float32)
    q = quantized(model, limit=2.0)
    x = quantize(q.input, raw)
    device = Device(library, q)
    state = np.zeros(q.state_size, np.int16)
    scratch = np.zeros(device.struct.scratch_size, np.int32)
    kept = [slice(PERIOD, 2 * PERIOD), slice(STEPS - PERIOD, STEPS)]
    states: list[np.ndarray] = []

    step = ctypes.c_uint32(PERIOD)
    for cycle in range(STEPS // PERIOD):
        if cycle in (1, STEPS // PERIOD - 1):
            part = np.empty((PERIOD, 8))
            for t in range(PERIOD):
                assert device.call("rnnedge_model_step", state, x[t], scratch) == 0
                part[t] = state[:8]
            states.append(part / 2**15)
        else:
            assert device.call("rnnedge_model_run", state, x, step, scratch) == 0
    exact = float_states(model, raw, kept)
    early, late = (
        float(np.sqrt(np.mean((got - want) ** 2))) for got, want in zip(states, exact, strict=True)
    )
    assert 0 < late <= 1.1 * early, (early, late)
    assert early < 0.02
