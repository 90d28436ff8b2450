"""Instances against the simulator and an independent oracle of the rules: every result equal."""

import ctypes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.simulator import quantize, softmax, step_scores
from rnnedge.spec import QuantizedModel
from tests.instances import Golden, Instance
from tests.models import float_model, quantized, raw_windows
from tests.runtime import Device
from tests.streams import (
    INPUT,
    NULL,
    OK,
    READY,
    RULES,
    STREAM,
    Found,
    allowed,
    feed,
    networks,
    observed,
    oracle,
    rules,
    snapshot,
)


@given(networks(), rules)
def test_every_result_is_the_oracles(
    library: ctypes.CDLL, drawn: tuple[QuantizedModel, np.ndarray], chosen: dict[str, int]
) -> None:
    model, raw = drawn
    chosen = allowed(model, chosen)
    instance = Instance(Device(library, model), **chosen)
    assert instance.result == (-1, -1, 0)
    assert feed(instance, raw) == list(oracle(model, raw, **chosen))


@given(networks(), rules, st.data())
def test_run_under_any_chunking_stops_at_each_result(
    library: ctypes.CDLL,
    drawn: tuple[QuantizedModel, np.ndarray],
    chosen: dict[str, int],
    data: st.DataObject,
) -> None:
    model, raw = drawn
    chosen = allowed(model, chosen)
    instance = Instance(Device(library, model), **chosen)
    at, found = 0, []
    while at < len(raw):
        steps = data.draw(st.integers(0, len(raw) - at + 3))
        steps = min(steps, len(raw) - at)
        done = ctypes.c_uint32(99)
        part = np.ascontiguousarray(raw[at:])
        status = instance.call("rnnedge_run", part, ctypes.c_uint32(steps), ctypes.byref(done))
        assert done.value == steps or (status == READY and done.value < steps)
        at += done.value
        if status == READY:
            found.append((at, observed(instance)))
        else:
            assert status == OK
        if steps == 0:
            found += [(at + 1, result) for _, result in feed(instance, raw[at : at + 1])]
            at += 1
    assert found == list(oracle(model, raw, **chosen))


@given(networks(), rules, st.data())
def test_a_value_that_is_no_number_leaves_an_instance_as_it_was(
    library: ctypes.CDLL,
    drawn: tuple[QuantizedModel, np.ndarray],
    chosen: dict[str, int],
    data: st.DataObject,
) -> None:
    model, raw = drawn
    chosen = allowed(model, chosen)
    instance = Instance(Device(library, model), **chosen)
    cut = data.draw(st.integers(0, len(raw) - 1))
    found = feed(instance, raw[:cut])
    before, bad = snapshot(instance), raw[cut].copy()
    bad[data.draw(st.integers(0, len(bad) - 1))] = np.nan
    assert instance.step(bad) == INPUT
    assert snapshot(instance) == before
    done = ctypes.c_uint32(99)
    pair = np.ascontiguousarray(np.concatenate([bad, bad]), np.float32)
    status = instance.call("rnnedge_run", pair, ctypes.c_uint32(2), ctypes.byref(done))
    assert (status, done.value) == (INPUT, 0)
    found += [(at + cut, result) for at, result in feed(instance, raw[cut:])]
    assert found == list(oracle(model, raw, **chosen))


@given(networks(), networks(), rules, rules)
def test_instances_of_several_models_interleave(
    library: ctypes.CDLL,
    first: tuple[QuantizedModel, np.ndarray],
    second: tuple[QuantizedModel, np.ndarray],
    one: dict[str, int],
    two: dict[str, int],
) -> None:
    """Two instances of one model by different rules, one of another; all share scratch."""
    (a, raw_a), (b, raw_b) = first, second
    device = Device(library, a)
    instances = [
        (Instance(device, **allowed(a, one)), a, raw_a, allowed(a, one)),
        (Instance(device, **allowed(a, two)), a, raw_a[::-1], allowed(a, two)),
        (Instance(Device(library, b), **allowed(b, two)), b, raw_b, allowed(b, two)),
    ]
    largest = max((each[0] for each in instances), key=lambda each: each.scratch.size)
    for instance, *_ in instances:
        instance.struct.scratch = largest.scratch.ctypes.data
    found: list[list[tuple[int, Found]]] = [[], [], []]
    for t in range(max(len(raw_a), len(raw_b))):
        for index, (instance, _, raw, _) in enumerate(instances):
            if t < len(raw) and instance.step(raw[t]) == READY:
                found[index].append((t + 1, observed(instance)))
    for index, (_, model, raw, chosen) in enumerate(instances):
        assert found[index] == list(oracle(model, raw, **chosen))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_reset_new_rules_and_the_selftest_start_anew(
    library: ctypes.CDLL, bidirectional: bool
) -> None:
    source = float_model(8, classes=5, bidirectional=bidirectional)
    model = quantized(source, window=4)
    raw = raw_windows(source, 8, 1, 43)[0]
    chosen = allowed(model, {"every": 3, "reject": 0, "majority": 5})
    other = {"every": 0, "reject": 20000, "majority": 2}
    instance = Instance(Device(library, model), **chosen)
    fresh = list(oracle(model, raw, **chosen))
    assert feed(instance, raw) == fresh
    # the votes that there are now would change the first results
    assert feed(instance, raw[::-1]) != list(oracle(model, raw[::-1], **chosen))
    feed(instance, raw[:2])
    assert instance.call("rnnedge_reset") == OK
    assert instance.result == (-1, -1, 0)
    assert feed(instance, raw) == fresh
    feed(instance, raw[:2])
    nothing = Golden(windows=0, steps=1)
    assert instance.call("rnnedge_selftest", ctypes.byref(nothing)) == OK
    assert feed(instance, raw) == fresh
    assert instance.set_rules(**other) == OK
    assert feed(instance, raw) == list(oracle(model, raw, **other))


def test_rules_out_of_range_are_refused(library: ctypes.CDLL) -> None:
    for bidirectional in (False, True):
        instance = Instance(
            Device(library, quantized(float_model(1, bidirectional=bidirectional))), majority=2
        )
        before = snapshot(instance)
        assert instance.set_rules(majority=0) == RULES
        assert instance.set_rules(majority=16) == RULES
        assert instance.set_rules(reject=32769) == RULES
        assert instance.set_rules(every=1) == (STREAM if bidirectional else OK)
        if bidirectional:
            assert snapshot(instance) == before
        assert instance.set_rules(majority=15, reject=32768) == OK


def test_a_bidirectional_model_leaves_the_scores_of_every_step(library: ctypes.CDLL) -> None:
    source = float_model(5, bidirectional=True, sequences=True)
    model = quantized(source, window=6)
    raw = raw_windows(source, 5, 1, 6)[0]
    instance = Instance(Device(library, model))
    feed(instance, raw)
    expected = step_scores(model, quantize(model.input, raw)[None])[0]
    assert np.array_equal(instance.outputs.reshape(6, -1), expected)
    assert np.array_equal(instance.scores, expected[-1])


def test_init_refuses_what_it_cannot_run(library: ctypes.CDLL) -> None:
    model = quantized(float_model(1))
    for field, value, status in (("abi", 1, -2), ("inputs", 4, -3), ("window", 0, -3)):
        instance = Instance(Device(library, model))
        setattr(instance.device.struct, field, value)
        pointers = [ctypes.c_void_p(part.ctypes.data) for part in instance.memory]
        struct = ctypes.byref(instance.device.struct)
        assert instance.call("rnnedge_init", struct, *pointers) == status
        assert instance.step(np.zeros(3)) == NULL
        assert instance.call("rnnedge_reset") == NULL


def test_every_pointer_of_an_instance_is_checked(library: ctypes.CDLL) -> None:
    instance = Instance(Device(library, quantized(float_model(1))))
    raw, saved = np.zeros(3, np.float32), instance.save()
    counts, table = np.zeros(3, np.int16), np.zeros(6, np.int64)
    table.view(np.int32)[2::4] = 1  # multipliers
    done, steps = np.zeros(1, np.uint32), ctypes.c_uint32(1)
    struct = ctypes.byref(instance.device.struct)
    calls: list[tuple[str, list[object]]] = [
        ("rnnedge_init", [struct, *instance.memory]),
        ("rnnedge_reset", []),
        ("rnnedge_step", [raw]),
        ("rnnedge_run", [raw, steps, done]),
        ("rnnedge_step_counts", [table, counts]),
        ("rnnedge_run_counts", [table, counts, steps, done]),
        ("rnnedge_save", [saved]),
        ("rnnedge_restore", [saved]),
        ("rnnedge_set_rules", [np.array([0, 0, 1], np.uint16)]),
    ]
    for function, arguments in calls:
        assert getattr(library, function)(None, *(None for _ in arguments)) == NULL
        for index, argument in enumerate(arguments):
            if argument is not steps:
                broken = [*arguments[:index], None, *arguments[index + 1 :]]
                assert instance.call(function, *broken) == NULL, (function, index)
        assert instance.call("rnnedge_init", struct, *instance.memory) == OK
        assert instance.call(function, *arguments) == OK, function


@given(st.lists(st.integers(-(2**31) + 1, 2**31 - 1), min_size=1, max_size=9), st.integers(0, 30))
def test_one_probability_is_that_of_the_softmax(
    library: ctypes.CDLL, scores: list[int], fraction_bits: int
) -> None:
    values = np.array(scores, np.int32)
    expected = softmax(values, fraction_bits).tolist()
    count, bits = ctypes.c_uint16(len(scores)), ctypes.c_uint8(fraction_bits)
    function = library.rnnedge_probability
    function.restype = ctypes.c_uint16
    pointer = ctypes.c_void_p(values.ctypes.data)
    assert [function(pointer, count, bits, ctypes.c_uint16(i)) for i in range(len(scores))] == (
        expected
    )


@pytest.mark.parametrize("score", [0, 1, -1, 2**24 + 1, 2**31 - 1, -(2**31)])
def test_a_value_is_the_score_times_its_unit(library: ctypes.CDLL, score: int) -> None:
    model = quantized(float_model(1))
    library.rnnedge_value.restype = ctypes.c_float
    for fraction_bits in (0, model.fraction_bits, 30):
        device = Device(library, model)
        device.struct.fraction_bits = fraction_bits
        found = library.rnnedge_value(ctypes.byref(device.struct), ctypes.c_int32(score))
        assert found == float(np.float32(score)) * 2.0**-fraction_bits
    assert library.rnnedge_value(None, ctypes.c_int32(1)) == 0


def test_class_names_are_cut_between_characters(library: ctypes.CDLL) -> None:
    import dataclasses

    model = dataclasses.replace(
        quantized(float_model(1, classes=3)), classes=("walking", "größer", "")
    )
    struct = ctypes.byref((device := Device(library, model)).struct)

    def name(label: int, size: int) -> tuple[int, bytes]:
        memory = ctypes.create_string_buffer(b"#" * 32, 32)
        arguments = (ctypes.c_int16(label), memory, ctypes.c_uint16(size))
        status = library.rnnedge_class_name(struct, *arguments)
        assert memory.raw[size:] == b"#" * (32 - size)
        return status, memory.value if size else b""

    assert name(0, 8) == (OK, b"walking")
    assert name(0, 7) == (OK, b"walkin")
    assert name(0, 1) == (OK, b"")
    assert name(-1, 16) == (OK, b"none")
    assert name(2, 16) == (OK, b"")
    text = "größer"
    for size in range(1, 10):
        whole = max((text[:n] for n in range(7) if len(text[:n].encode()) < size), key=len)
        assert name(1, size) == (OK, whole.encode()), size
    assert name(3, 16) == (INPUT, b"")
    assert name(-2, 16) == (INPUT, b"")
    assert name(0, 0) == (INPUT, b"")
    assert library.rnnedge_class_name(None, ctypes.c_int16(0), None, ctypes.c_uint16(9)) == NULL
    device.struct.classes = None
    assert name(0, 9) == (NULL, b"")
