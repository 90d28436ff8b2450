"""One step of every cell in real numbers, and how far the emitted operators may be from it.

The bounds follow from the formats, operator by operator, elementwise and first order: the
derivative of the sigmoid is at most 1/4, that of tanh at most 1. State and input are exact: they
are read from the interpreter. Roundings count 1.1 times where a rescaling follows.
"""

import numpy as np

LSB = 2.0**-15  # of states and gates
GATE = 2.0**-12  # of pre-activations
WIDE = {"16x8": 2.0**-11, "8x8": GATE}  # where there are gates among them
TABLE = 1.5 * LSB  # of the kernels' sigmoid; tanh has twice that


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def clip(p, unit=GATE):
    return np.clip(p, -(2.0**15) * unit, (2.0**15 - 1) * unit)


class Rows:
    """Pre-activations of some rows of a layer, and the bound of their error."""

    def __init__(self, layer, precision):
        self.layer, self.precision = layer, precision
        self.units = (2.0**layer.input_exponent, 2.0 ** (layer.output_shift - 15))

    def __call__(self, x, h, W, U, bias, scale, out=GATE):
        """`x`: integers as the graph takes them; `h`: int16; `bias`: real, of the rows."""
        wide = self.precision == "16x8"
        parts, reach = [], []
        for v, rows, unit, b in zip((x, h), (W, U), self.units, (0 * bias, bias), strict=True):
            if not wide:
                unit = unit * 2**8
                v = v if v.dtype == np.int8 else np.clip((v + 128) // 256, -128, 127)
            full = 2.0**15 if wide else 2.0**7
            parts.append(v @ rows.T.astype(float) * unit * scale + b)
            reach.append(np.abs(rows.astype(float)).sum(axis=1) * unit * full + np.abs(b) / scale)
        if wide:
            total = max((reach[0] + reach[1]).max() / 32767, max(self.units) / 2**6)
            error = 1.002 * total * scale + 0.55 * out
            return clip(sum(parts), out), np.broadcast_to(error, parts[0].shape)
        p, error = 0.0, 0.0
        for part, reached in zip(parts, reach, strict=True):
            narrow = min((reached * scale).max(), 8.0) / 127
            p = p + clip(np.clip(part, -128 * narrow, 127 * narrow), out)
            error = error + 0.52 * narrow + 0.55 * out
        return clip(p, out), np.broadcast_to(error + 0.1 * out, parts[0].shape)


def rounded_state(h, precision):
    """Where the state's top byte may round either way: half a byte's step, else nothing."""
    return np.zeros(h.shape) if precision == "16x8" else (h % 256 == 128) * 2.0**-7


def gru(layer, x, state, precision):
    (h,) = state
    H, scale, bias = layer.units, layer.row_scale, layer.real_bias
    rows, v = Rows(layer, precision), h * LSB
    W, U = layer.W, layer.U
    gates, cand = np.s_[: 2 * H], np.s_[2 * H :]
    tie = rounded_state(h, precision)
    if layer.reset_after:
        W4 = np.concatenate([W, 0 * W[:H]])
        U4 = np.concatenate([U[gates], 0 * U[:H], U[cand]])
        scale4 = np.concatenate([scale, scale[cand]])
        bias4 = np.concatenate([bias, layer.real_recurrent_bias])
        p, error = rows(x, h, W4, U4, bias4, scale4, WIDE[precision])
        error = error + tie @ np.abs(U4).T * scale4
        zr, zr_error = p[:, : 2 * H], error[:, : 2 * H]
    else:
        zr, zr_error = rows(x, h, W[gates], U[gates], bias[gates], scale[gates], WIDE[precision])
        zr_error = zr_error + tie @ np.abs(U[gates]).T * scale[gates]
    both, both_error = sigmoid(zr), zr_error / 4 + TABLE
    z, r = both[:, :H], both[:, H:]
    z_error, r_error = both_error[:, :H], both_error[:, H:]
    if layer.reset_after:
        a, b = p[:, 2 * H : 3 * H], p[:, 3 * H :]
        n = clip(a + r * b)
        n_error = error[:, 2 * H : 3 * H] + r_error * np.abs(b) + r * error[:, 3 * H :]
        n_error = n_error + 1.1 * GATE
    else:
        g_error = r_error * np.abs(v) + 0.55 * LSB
        g = np.rint(r * v / LSB).astype(np.int64)
        n, n_error = rows(x, g, W[cand], U[cand], bias[cand], scale[cand])
        step = 2.0**-7 if precision == "8x8" else 0.0  # its top byte may be the next one
        n_error = n_error + (g_error + LSB + step) @ np.abs(U[cand]).T * scale[cand]
    n, n_error = np.tanh(n), n_error + 2 * TABLE
    after = v + (1 - z) * (n - v)
    update = (1 - z) * 1.1 * LSB + 1.1 * LSB + 0.55 * LSB  # SUB and MUL at 2**-14, ADD at 2**-15
    return [after], [z_error * np.abs(n - v) + (1 - z) * n_error + update]


def lstm(layer, x, state, precision):
    h, c = state
    H, c_unit = layer.units, 2.0 ** (layer.state_shift - 15)
    rows = Rows(layer, precision)
    p, error = rows(x, h, layer.W, layer.U, layer.real_bias, layer.row_scale, WIDE[precision])
    error = error + rounded_state(h, precision) @ np.abs(layer.U).T * layer.row_scale
    (pi, pf, pg, po), errors = np.split(p, 4, axis=1), np.split(error, 4, axis=1)
    i, f, g, o = sigmoid(pi), sigmoid(pf), np.tanh(pg), sigmoid(po)
    i_error, f_error, o_error = (errors[k] / 4 + TABLE for k in (0, 1, 3))
    g_error = errors[2] + 2 * TABLE
    v = c * c_unit
    c_after = clip(f * v + i * g, c_unit)
    c_error = f_error * np.abs(v) + i_error * np.abs(g) + i * g_error
    c_error = c_error + 1.2 * c_unit + 0.6 * LSB
    h_after = o * np.tanh(c_after)
    h_error = o_error + o * (c_error + 2 * TABLE) + 0.6 * LSB
    assert h.shape[1] == H
    return [h_after, c_after], [h_error, c_error]


def rnn(layer, x, state, precision):
    (h,) = state
    relu = layer.activation == "relu"
    out = 2.0 ** (layer.state_shift - 15) if relu else GATE
    p, error = Rows(layer, precision)(x, h, layer.W, layer.U, layer.real_bias, layer.row_scale, out)
    tie = rounded_state(h, precision) * 2.0**layer.output_shift
    error = error + tie @ np.abs(layer.U).T * layer.row_scale
    if relu:
        return [np.maximum(p, 0)], [error]
    return [np.tanh(p)], [error + 2 * TABLE]


STEPS = {"gru": gru, "lstm": lstm, "rnn": rnn}


def scores(layers, v):
    """The dense layers' scores of an int16 input, and the bound of their error."""
    v, error = v * LSB, np.zeros(v.shape)
    for layer in layers[:-1]:
        W, scale, out = layer.W.astype(float), layer.row_scale, 2.0**-layer.fraction_bits
        reach = np.abs(W).sum(axis=1) + np.abs(layer.real_bias) / scale
        error = error @ np.abs(W).T * scale + 0.51 * reach.max() / 32767 * scale + 0.55 * out
        v = clip(v @ W.T * scale + layer.real_bias, out)
        v = np.maximum(v, 0) if layer.activation == "relu" else v
        v, error = v / out * LSB, error / out * LSB  # the next weights count it as Q0.15
    last = layers[-1]
    W = last.W * last.row_scale[:, None]
    one = np.abs(W).max() / 127 * 1.0002  # one scale for all rows: half a step off
    reach = np.abs(W).sum(axis=1).max() + one * v.shape[1] / 2 + np.abs(last.real_bias).max()
    unit = 2.0 ** np.ceil(np.log2(reach)) / 2**15
    rounding = 0.51 * one * np.abs(v).sum(axis=1, keepdims=True) + 1.01 * unit
    return v @ W.T + last.real_bias, error @ np.abs(W).T + rounding
