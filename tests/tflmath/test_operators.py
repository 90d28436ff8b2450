"""Each operator's NumPy reference against the pinned interpreter, bit for bit."""

import numpy as np
import pytest

from rnnedge.errors import ModelError
from rnnedge.tflmath import Interpreter
from tests.tflmath.files import DTYPES, Case, G, Op, T, one, pack, tflm

ALL16 = np.arange(-32768, 32768, dtype=np.int16)[None]
ALL8 = np.arange(-128, 128, dtype=np.int8)[None]
EDGES = {
    "INT8": [-128, -127, -1, 0, 1, 126, 127],
    "INT16": [-32768, -32767, -16384, -1, 0, 1, 16384, 32766, 32767],
    "INT32": [-(1 << 31), -(1 << 31) + 1, -1, 0, 1, (1 << 31) - 1],
}
COUNT = 400


def values(rng, kind, shape):
    """Random values, half of them extremes."""
    info = np.iinfo(DTYPES[kind])
    x = rng.integers(info.min, info.max + 1, shape)
    return np.where(rng.random(shape) < 0.5, rng.choice(EDGES[kind], shape), x).astype(DTYPES[kind])


def scales(rng, count):
    """Random scales over three orders of magnitude; some are powers of two."""
    found = 10.0 ** rng.uniform(-4, -1, count)
    powers = 2.0 ** rng.integers(-13, -4, count)
    return [float(np.float32(s)) for s in np.where(rng.random(count) < 0.3, powers, found)]


def check(cases):
    """Every output of every call of every case is equal."""
    compared = 0
    for case, expected in zip(cases, tflm(cases), strict=True):
        model = Interpreter(case.tflite)
        for step, (call, wanted) in enumerate(zip(case.calls, expected, strict=True)):
            if step in case.resets:
                model.reset()
            for got, want in zip(model.invoke(call), wanted, strict=True):
                assert got.dtype == want.dtype
                assert got.shape == want.shape
                assert np.array_equal(got, want)
                compared += want.size
    assert compared


def zero(rng, kind):
    return int(rng.integers(-128, 128)) if kind == "INT8" else 0


@pytest.mark.parametrize("kind", ["INT8", "INT16"])
@pytest.mark.parametrize("op", ["ADD", "SUB", "MUL"])
def test_elementwise_operators_with_any_scales(op, kind):
    rng = np.random.default_rng(1)
    options, cases = f"{op.title()}Options", []
    for number in range(40):
        a, b = scales(rng, 2)
        # sums that fill the output's range, exceed it, or use little of it
        out = (a * b * 127 if op == "MUL" else max(a, b)) * float(rng.choice([0.3, 1, 2, 7]))
        shapes = [((1, COUNT), (1, COUNT)), ((4, 100), (1, 100)), ((4, 1), (4, 100)),
                  ((COUNT,), (1,))][number % 4]  # fmt: skip
        activation = [0, 0, 1, 3, 2][number % 5]
        tensors = [
            T(type=kind, shape=shapes[0], scale=a, zero=zero(rng, kind)),
            T(type=kind, shape=shapes[1], scale=b, zero=zero(rng, kind)),
        ]
        shape = np.broadcast_shapes(*shapes)
        result = T(type=kind, shape=shape, scale=float(np.float32(out)), zero=zero(rng, kind))
        tflite = one(op, tensors, [result], options, fusedActivationFunction=activation)
        cases.append(Case(tflite=tflite, calls=[[values(rng, kind, s) for s in shapes]]))
    check(cases)


@pytest.mark.parametrize("op", ["ADD", "SUB", "MUL"])
def test_elementwise_int8_operators_on_every_pair(op):
    rng, cases = np.random.default_rng(13), []
    for _ in range(24):
        a, b = scales(rng, 2)
        out = float(np.float32((a * b * 127 if op == "MUL" else max(a, b)) * rng.uniform(1, 3)))
        shapes = ((256, 1), (1, 256))
        tensors = [
            T(type="INT8", shape=shape, scale=s, zero=zero(rng, "INT8"))
            for shape, s in zip(shapes, (a, b), strict=True)
        ]
        result = T(type="INT8", shape=(256, 256), scale=out, zero=zero(rng, "INT8"))
        tflite = one(op, tensors, [result], f"{op.title()}Options")
        cases.append(Case(tflite=tflite, calls=[[ALL8.T.copy(), ALL8]]))
    check(cases)


@pytest.mark.parametrize("op", ["ADD", "SUB", "MUL"])
def test_elementwise_operators_of_counters(op):
    rng = np.random.default_rng(2)
    tensors = [T(type="INT32", shape=(COUNT,)) for _ in range(3)]
    tflite = one(op, tensors[:2], tensors[2:], f"{op.title()}Options")
    limit = 40_000 if op == "MUL" else 1 << 30
    x, y = rng.integers(-limit, limit, (2, COUNT)).astype(np.int32)
    check([Case(tflite=tflite, calls=[[x, y]])])


@pytest.mark.parametrize("scale", [2.0**-12, 2.0**-11, 2.0**-13, 1e-4, 3.3e-4, 1.1e-3, 0.4])
@pytest.mark.parametrize("op", ["LOGISTIC", "TANH"])
def test_int16_gates_on_every_input(op, scale):
    x = T(type="INT16", shape=ALL16.shape, scale=scale)
    y = T(type="INT16", shape=ALL16.shape, scale=2.0**-15)
    check([Case(tflite=one(op, [x], [y]), calls=[[ALL16]])])


@pytest.mark.parametrize("op", ["LOGISTIC", "TANH"])
def test_int8_gates_on_every_input(op):
    rng = np.random.default_rng(3)
    y = T(type="INT8", shape=ALL8.shape, scale=2.0**-8, zero=-128)
    if op == "TANH":
        y = T(type="INT8", shape=ALL8.shape, scale=2.0**-7)
    cases = []
    for scale in [*scales(rng, 30), 2.0**-4, 2.0**-5, 0.12, 0.4]:
        x = T(type="INT8", shape=ALL8.shape, scale=scale, zero=zero(rng, "INT8"))
        cases.append(Case(tflite=one(op, [x], [y]), calls=[[ALL8]]))
    check(cases)


def dense(rng, kind, *, bias, per_channel=False, activation=0, loud=1.0, rows=24, columns=40):
    """A FULLY_CONNECTED with random weights, called with random and extreme inputs."""
    x = T(type=kind, shape=(2, columns), scale=scales(rng, 1)[0], zero=zero(rng, kind))
    w_scale = scales(rng, rows) if per_channel else scales(rng, 1)[0]
    w = T(
        type="INT8", shape=(rows, columns), scale=w_scale, data=values(rng, "INT8", (rows, columns))
    )
    largest = max(w_scale) if per_channel else w_scale
    full = x.scale * largest * (1 << (15 if kind == "INT16" else 7)) * 127 * columns
    y = T(
        type=kind,
        shape=(2, rows),
        scale=float(np.float32(full * loud / (1 << (15 if kind == "INT16" else 7)))),
        zero=zero(rng, kind),
    )
    inputs = [x, w]
    if bias is not None:
        b_scale = [x.scale * s for s in w_scale] if per_channel else x.scale * w_scale
        room = full / (x.scale * largest) / 2
        room = min(room, 2.0**30)
        b = rng.integers(-int(room), int(room), rows)
        inputs.append(T(type=bias, shape=(rows,), scale=b_scale, data=b))
    tflite = one("FULLY_CONNECTED", inputs, [y], "FullyConnectedOptions",
                 fusedActivationFunction=activation)  # fmt: skip
    return Case(tflite=tflite, calls=[[values(rng, kind, x.shape)] for _ in range(4)])


@pytest.mark.parametrize("per_channel", [False, True], ids=["tensor", "channel"])
@pytest.mark.parametrize(
    ("kind", "bias"),
    [("INT8", "INT32"), ("INT8", None), ("INT16", "INT64"), ("INT16", "INT32"), ("INT16", None)],
)
def test_fully_connected(kind, bias, per_channel):
    rng = np.random.default_rng(4)
    cases = [
        dense(rng, kind, bias=bias, per_channel=per_channel, activation=activation, loud=loud)
        for activation in (0, 1, 3)
        for loud in (1.0, 0.1, 0.01)  # 0.01: most outputs saturate
        for _ in range(3)
    ]
    check(cases)


@pytest.mark.parametrize("kind", ["INT8", "INT16"])
def test_relu(kind):
    rng = np.random.default_rng(5)
    every = ALL8 if kind == "INT8" else ALL16
    cases = []
    for _ in range(20):
        a, b = scales(rng, 2)
        x = T(type=kind, shape=every.shape, scale=a, zero=zero(rng, kind))
        y = T(type=kind, shape=every.shape, scale=min(b, a * 4), zero=zero(rng, kind))
        cases.append(Case(tflite=one("RELU", [x], [y]), calls=[[every]]))
    check(cases)


@pytest.mark.parametrize("after", ["INT8", "INT16", "INT32"])
@pytest.mark.parametrize("before", ["INT8", "INT16"])
def test_quantize(before, after):
    rng = np.random.default_rng(6)
    every = ALL8 if before == "INT8" else ALL16
    cases = []
    for _ in range(20):
        a, b = scales(rng, 2)
        x = T(type=before, shape=every.shape, scale=a, zero=zero(rng, before))
        y = T(type=after, shape=every.shape, scale=b, zero=zero(rng, after))
        cases.append(Case(tflite=one("QUANTIZE", [x], [y], "QuantizeOptions"), calls=[[every]]))
    check(cases)


def test_less():
    rng = np.random.default_rng(7)
    tensors = [T(type="INT32", shape=(COUNT,)), T(type="INT32", shape=(COUNT,))]
    tflite = one("LESS", tensors, [T(type="BOOL", shape=(COUNT,))], "LessOptions")
    check([Case(tflite=tflite, calls=[[values(rng, "INT32", (COUNT,)) for _ in range(2)]])])


@pytest.mark.parametrize("kind", ["INT8", "INT16", "INT32"])
def test_moving_values_around(kind):
    rng = np.random.default_rng(8)
    scale = None if kind == "INT32" else 0.5

    def tensor(*shape):
        return T(type=kind, shape=shape, scale=scale)

    def constant(*numbers):
        return T(type="INT32", shape=(len(numbers),), data=numbers)

    x = values(rng, kind, (2, 6, 4))
    cases = [
        Case(
            tflite=one("SPLIT", [constant(axis), tensor(2, 6, 4)], [tensor(*part)] * 2,
                       "SplitOptions", numSplits=2),
            calls=[[x]],
            outputs=2,
        )
        for axis, part in ((0, (1, 6, 4)), (1, (2, 3, 4)), (-1, (2, 6, 2)))
    ]  # fmt: skip
    for begin, size, shape in (
        ((0, 2, 1), (2, 3, 2), (2, 3, 2)),
        ((1, 0, 3), (-1, 6, 1), (1, 6, 1)),
    ):
        inputs = [tensor(2, 6, 4), constant(*begin), constant(*size)]
        cases.append(Case(tflite=one("SLICE", inputs, [tensor(*shape)]), calls=[[x]]))
    begin = T(type="INT32", shape=(1,))
    moving = one("SLICE", [tensor(48), begin, constant(4)], [tensor(4)])
    flat = x.reshape(-1)
    calls = [[flat, np.array([at], np.int32)] for at in (0, 4, 44)]
    cases.append(Case(tflite=moving, calls=calls))
    cases.append(Case(tflite=one("RESHAPE", [tensor(2, 6, 4)], [tensor(4, 12)]), calls=[[x]]))
    for axis, shape in ((0, (4, 6, 4)), (2, (2, 6, 8)), (-2, (2, 12, 4))):
        tflite = one("CONCATENATION", [tensor(2, 6, 4)] * 2, [tensor(*shape)],
                     "ConcatenationOptions", axis=axis)  # fmt: skip
        cases.append(Case(tflite=tflite, calls=[[x, x[::-1].copy()]]))
    check(cases)


def counting_loop(steps):
    """``while i < steps: i += 1; h += x``; the state passes through three subgraphs."""
    i, h, x = (T(type="INT32", shape=(1,)), T(type="INT16", shape=(1, 5), scale=0.01),
               T(type="INT16", shape=(1, 5), scale=0.02))  # fmt: skip
    end = T(type="INT32", shape=(1,), data=[steps])
    step = T(type="INT32", shape=(1,), data=[1])
    main = G(tensors=[i, h, x, i, h, x], inputs=[0, 1, 2], outputs=[3, 4, 5], operators=[
        Op(name="WHILE", inputs=[0, 1, 2], outputs=[3, 4, 5], options="WhileOptions",
           values={"condSubgraphIndex": 1, "bodySubgraphIndex": 2})])  # fmt: skip
    more = T(type="BOOL", shape=(1,))
    cond = G(tensors=[i, h, x, end, more], inputs=[0, 1, 2], outputs=[4], operators=[
        Op(name="LESS", inputs=[0, 3], outputs=[4], options="LessOptions")])  # fmt: skip
    body = G(tensors=[i, h, x, step, i, h], inputs=[0, 1, 2], outputs=[4, 5, 2], operators=[
        Op(name="ADD", inputs=[0, 3], outputs=[4], options="AddOptions"),
        Op(name="ADD", inputs=[1, 2], outputs=[5], options="AddOptions")])  # fmt: skip
    return pack(main, cond, body)


@pytest.mark.parametrize("steps", [0, 1, 17])
def test_while(steps):
    rng = np.random.default_rng(9)
    h, x = values(rng, "INT16", (1, 5)), values(rng, "INT16", (1, 5))
    calls = [[np.zeros(1, np.int32), h, x], [np.full(1, 3, np.int32), h, x]]
    check([Case(tflite=counting_loop(steps), calls=calls, outputs=3)])


def accumulator(kind, zero_point, *, first):
    """``state = state + x`` in a resource variable that CALL_ONCE fills with `first`."""
    value = T(type=kind, shape=(1, 6), scale=0.01, zero=zero_point)
    handle = T(type="RESOURCE", shape=(1,))
    named = {"container": "", "sharedName": "h"}
    main = G(tensors=[value, handle, value, value], inputs=[0], outputs=[3], operators=[
        Op(name="CALL_ONCE", inputs=[], outputs=[], options="CallOnceOptions",
           values={"initSubgraphIndex": 1}),
        Op(name="VAR_HANDLE", inputs=[], outputs=[1], options="VarHandleOptions", values=named),
        Op(name="READ_VARIABLE", inputs=[1], outputs=[2], options="ReadVariableOptions"),
        Op(name="ADD", inputs=[2, 0], outputs=[3], options="AddOptions"),
        Op(name="ASSIGN_VARIABLE", inputs=[1, 3], outputs=[], options="AssignVariableOptions"),
    ])  # fmt: skip
    start = T(type=kind, shape=(1, 6), scale=0.01, zero=zero_point, data=first)
    init = G(tensors=[handle, start], inputs=[], outputs=[], operators=[
        Op(name="VAR_HANDLE", inputs=[], outputs=[0], options="VarHandleOptions", values=named),
        Op(name="ASSIGN_VARIABLE", inputs=[0, 1], outputs=[], options="AssignVariableOptions"),
    ])  # fmt: skip
    return pack(main, init)


@pytest.mark.parametrize(("kind", "zero_point"), [("INT16", 0), ("INT8", 0), ("INT8", -7)])
def test_variables_over_calls_and_resets(kind, zero_point):
    rng = np.random.default_rng(10)
    tflite = accumulator(kind, zero_point, first=[[1, -2, 3, -4, 5, 100]])
    calls = [[values(rng, kind, (1, 6))] for _ in range(6)]
    check([Case(tflite=tflite, calls=calls, resets={3})])


def lstm(rng, kind, *, clip=10.0, cell=2.0**-11, units=8, inputs=3, steps=5, loud=1.0,
         time_major=False, batch=1, zeros=(0, 0)):  # fmt: skip
    """A UNIDIRECTIONAL_SEQUENCE_LSTM with random weights."""
    bias = "INT64" if kind == "INT16" else "INT32"
    lead = (steps, batch) if time_major else (batch, steps)
    x = T(type=kind, shape=(*lead, inputs), scale=3 / np.iinfo(DTYPES[kind]).max, zero=zeros[0])
    h_scale = 2.0**-15 if kind == "INT16" else 2.0**-7
    tensors = [x]
    for width in (inputs, units):
        for _ in range(4):
            scale = float(np.float32(rng.uniform(0.002, 0.02) * loud))
            data = values(rng, "INT8", (units, width))
            tensors.append(T(type="INT8", shape=(units, width), scale=scale, data=data))
    biases = []
    for gate in range(4):
        scale = x.scale * tensors[1 + gate].scale
        data = np.rint(rng.normal(size=units) * loud / scale)
        biases.append(T(type=bias, shape=(units,), scale=scale, data=data))
    hidden = T(type=kind, shape=(batch, units), scale=h_scale, zero=zeros[1], variable=True)
    state = T(type="INT16", shape=(batch, units), scale=cell, variable=True)
    out = T(type=kind, shape=(*lead, units), scale=h_scale, zero=zeros[1])
    tensors += [*biases, hidden, state, out]
    places = [*range(9), -1, -1, -1, 9, 10, 11, 12, -1, -1, 13, 14, -1, -1, -1, -1]
    options = {"fusedActivationFunction": 4, "cellClip": clip, "timeMajor": time_major}
    op = Op(name="UNIDIRECTIONAL_SEQUENCE_LSTM", inputs=places, outputs=[15], version=3,
            options="UnidirectionalSequenceLSTMOptions", values=options)  # fmt: skip
    tflite = pack(G(tensors=tensors, inputs=[0], outputs=[15], operators=[op]))
    calls = [[values(rng, kind, x.shape)] for _ in range(6)]
    return Case(tflite=tflite, calls=calls, resets={4})


@pytest.mark.parametrize("kind", ["INT8", "INT16"])
def test_the_fused_lstm_over_calls_and_resets(kind):
    rng = np.random.default_rng(11)
    cases = [
        lstm(rng, kind, clip=clip, cell=cell, loud=loud)
        for clip in (0.0, 10.0, 0.7)
        for cell in (2.0**-11, 2.0**-12, 2.0**-15, 2.0**-10, 2.0**-17)
        for loud in (0.3, 1.0, 5.0)  # 5.0: gates and cell saturate
    ]
    cases += [
        lstm(rng, kind, time_major=True, batch=2),
        lstm(rng, kind, steps=1),
        lstm(rng, kind, units=17, inputs=9),
    ]
    if kind == "INT8":
        cases += [lstm(rng, kind, zeros=(5, -9), loud=loud) for loud in (0.3, 1.0, 3.0)]
    check(cases)


def test_types_without_a_reference_are_refused():
    x = T(type="FLOAT32", shape=(1, 4))
    model = one("LOGISTIC", [T(type="INT32", shape=(1, 4))], [T(type="INT32", shape=(1, 4))])
    with pytest.raises(ModelError, match="LOGISTIC of INT32 has no reference"):
        Interpreter(model).invoke([np.zeros((1, 4), np.int32)])
    with pytest.raises(ModelError, match="COS has no reference"):
        Interpreter(one("COS", [x], [x]))


@pytest.mark.parametrize("factor", [0.9999, 0.999985, 0.99999, 0.999999, 1.0, 1.00001])
def test_int16_products_keep_15_bits_of_the_multiplier(factor):
    """The largest mantissas, which would round to 2**15, are cut to 2**15 - 1."""
    x = T(type="INT16", shape=(1, 1), scale=0.5)
    bias = np.concatenate([np.arange(-32768, 32768, 7), [-(1 << 40), 1 << 40]])
    w = T(type="INT8", shape=(bias.size, 1), scale=0.5, data=np.zeros((bias.size, 1)))
    y = T(type="INT16", shape=(1, bias.size), scale=float(np.float32(0.25 / factor)))
    tensors = [x, w, T(type="INT64", shape=bias.shape, scale=0.25, data=bias)]
    tflite = one("FULLY_CONNECTED", tensors, [y], "FullyConnectedOptions")
    check([Case(tflite=tflite, calls=[[np.zeros((1, 1), np.int16)]])])


def test_the_product_of_scales_is_rounded_as_the_kernel_rounds_it():
    """Accumulators next to a half, where one float32 rounding of the multiplier shows."""
    rng, cases = np.random.default_rng(12), []
    for _ in range(10):
        a, b = (float(np.float32(s)) for s in rng.uniform(1e-3, 2e-3, 2))
        out = float(np.float32(a * b * 1e6))
        halves = (np.arange(120) + 0.5) / (a * b / out)
        bias = np.concatenate([np.floor(halves) + offset for offset in range(-6, 8)])
        x = T(type="INT8", shape=(1, 1), scale=a)
        w = T(type="INT8", shape=(bias.size, 1), scale=b, data=np.ones((bias.size, 1)))
        y = T(type="INT8", shape=(1, bias.size), scale=out)
        tensors = [x, w, T(type="INT32", shape=bias.shape, scale=a * b, data=bias)]
        tflite = one("FULLY_CONNECTED", tensors, [y], "FullyConnectedOptions")
        cases.append(Case(tflite=tflite, calls=[[np.zeros((1, 1), np.int8)]]))
    check(cases)
