"""Ids, free steps, starts, encoders, detectors through instances: the simulator's values."""

import ctypes
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.simulator import detect, quantize, run_free, softmax, step_scores
from rnnedge.spec import EmbeddingLayer, QuantizedModel
from tests.instances import Instance
from tests.models import float_model, quantized
from tests.runtime import Device
from tests.streams import INPUT, NULL, OK, READY, snapshot
from tests.taskmodels import GENERATING, task_data, task_model, task_models

TASK = -9


def asleep(instance: Instance) -> Instance:
    """Another instance of the model, restored from what this one saves; all else is dirty."""
    other = Instance(instance.device)
    other.struct.current, other.struct.steps, other.struct.level = 1, 7, 12345
    other.memory[0][:] = 0x5AA5
    other.memory[3][:] = 0x5AA5
    assert other.call("rnnedge_restore", instance.save()) == OK
    return other


def feed_sample(instance: Instance, sample: np.ndarray, by_id: bool) -> int:
    """One fed step, of an id through the call that takes it."""
    if by_id:
        return instance.call("rnnedge_step_id", ctypes.c_uint16(int(sample[0])))
    return instance.step(sample)


@given(task_models(GENERATING, small=True), st.data())
def test_sequences_are_the_simulators(
    library: ctypes.CDLL, model: QuantizedModel, data: st.DataObject
) -> None:
    """Start, encode, feed and run freely, with sleep anywhere: every state and score."""
    fed, back = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 5))
    encoded = data.draw(st.integers(1, 4))
    given_raw = task_data(model, data.draw(st.integers(0, 99)), 1, max(fed, 1), encoded)
    x = quantize(model.input, given_raw.raw)[:, :fed]
    expected = run_free(
        model, back, x=x, features=given_raw.features, encoder_raw=given_raw.encoder
    )
    sleeps = data.draw(st.sets(st.integers(0, fed + back + encoded)))
    ids = isinstance(model.input, EmbeddingLayer)
    instance, states, scores = Instance(Device(library, model)), [], []

    def after(status: int, found: int) -> None:
        nonlocal instance
        assert status == found
        states.append(instance.state.copy())
        if found == READY:
            scores.append(instance.scores)
            check_result(instance, model)
        if len(states) in sleeps:
            instance = asleep(instance)

    if given_raw.features is not None:
        instance.step(given_raw.raw[0, 0])  # something before: a start is a start
        assert instance.call("rnnedge_start", given_raw.features[0]) == OK
    if given_raw.encoder is not None:
        assert model.encoder is not None
        for sample in given_raw.encoder[0]:
            if isinstance(model.encoder.input, EmbeddingLayer) and len(states) % 2:
                id_ = ctypes.c_uint16(int(sample[0]))
                after(instance.call("rnnedge_encode_id", id_), OK)
            else:
                after(instance.call("rnnedge_encode", np.ascontiguousarray(sample)), OK)
    for t in range(fed):
        after(feed_sample(instance, given_raw.raw[0, t], ids and t % 2 == 1), READY)
    for _ in range(back):
        after(instance.call("rnnedge_step_back"), READY)
    assert np.array_equal(states, expected.states[0])
    assert np.array_equal(scores[-back:], expected.scores[0, -back:])
    every = step_scores_after(model, expected.states)
    assert np.array_equal(scores, every[len(every) - len(scores) :])


def step_scores_after(model: QuantizedModel, states: np.ndarray) -> np.ndarray:
    """The scores of states (1, steps, state_size), by the simulator."""
    from rnnedge.simulator.generate import Machine

    machine = Machine(model)
    return np.stack([machine.scores(state[None])[0] for state in states[0]])


def check_result(instance: Instance, model: QuantizedModel) -> None:
    """Classes: the largest score and its probability; values: nothing but scores."""
    if model.detector is not None:
        return
    if model.output is not None:
        assert instance.result == (-1, -1, 0)
        return
    best = int(instance.scores.argmax())
    probability = int(softmax(instance.scores, model.fraction_bits)[best])
    assert instance.result == (best, best, probability)


@given(task_models(("label", "forecast", "map", "tag"), small=True), st.integers(0, 99))
def test_a_streaming_model_answers_every_step(
    library: ctypes.CDLL, model: QuantizedModel, seed: int
) -> None:
    raw = task_data(model, seed, 1, 11).raw[0]
    instance, scores = Instance(Device(library, model)), []
    for sample in raw:
        assert instance.step(sample) == READY
        check_result(instance, model)
        scores.append(instance.scores)
        instance = asleep(instance)
    assert np.array_equal(scores, step_scores(model, quantize(model.input, raw)[None])[0])
    back = instance.call("rnnedge_step_back")
    assert back == (READY if model.generates else TASK)


@given(task_models(("anomaly",), small=True), st.integers(0, 99), st.integers(1, 4), st.data())
def test_a_detector_is_the_simulators(
    library: ctypes.CDLL, model: QuantizedModel, seed: int, every: int, data: st.DataObject
) -> None:
    """Level after each step, label at each result, through sleep and free steps in between."""
    raw = task_data(model, seed, 1, 30).raw
    expected = detect(model, quantize(model.input, raw))
    sleeps = data.draw(st.sets(st.integers(0, 29)))
    instance = Instance(Device(library, model), every=every)
    assert (instance.struct.level, instance.result) == (0, (-1, -1, 0))
    for t, sample in enumerate(raw[0]):
        status = instance.step(sample)
        assert status == (READY if (t + 1) % every == 0 else OK)
        assert instance.struct.level == expected.levels[0, t]
        if status == READY:
            label = int(expected.labels[0, t])
            assert instance.result == (label, label, 0)
        if t in sleeps:
            instance = asleep(instance)
    level = instance.struct.level
    instance.call("rnnedge_step_back")
    assert instance.struct.level == level
    assert instance.call("rnnedge_reset") == OK
    assert instance.struct.level == 0


def test_detectors_find_what_is_normal_and_what_is_not(library: ctypes.CDLL) -> None:
    """So that the test above compares more than one label; and their names."""
    found: set[int] = set()
    for seed in range(6):
        model = task_model(seed, "anomaly")
        raw = task_data(model, seed, 1, 40).raw
        found |= set(detect(model, quantize(model.input, raw)).labels.ravel().tolist())
    assert found == {0, 1}
    model = task_model(1, "anomaly")
    device = Device(library, model)
    for label, name in ((0, b"normal"), (1, b"anomaly"), (-1, b"none")):
        text = ctypes.create_string_buffer(16)
        call = [ctypes.c_int16(label), text, ctypes.c_uint16(16)]
        assert device.call("rnnedge_class_name", *call) == OK
        assert text.value == name
    call[0] = ctypes.c_int16(2)
    assert device.call("rnnedge_class_name", *call) == INPUT


def test_a_majority_of_a_detectors_results_decides(library: ctypes.CDLL) -> None:
    model = task_model(2, "anomaly")
    raw = task_data(model, 2, 1, 40).raw
    labels = detect(model, quantize(model.input, raw)).labels[0].tolist()
    assert len(set(labels)) == 2
    instance = Instance(Device(library, model), every=1, majority=3)
    for t, sample in enumerate(raw[0]):
        instance.step(sample)
        last = labels[max(0, t - 2) : t + 1]
        most = max(last.count(label) for label in last)
        tied = [label for label in last if last.count(label) == most]
        assert instance.result == (tied[-1], labels[t], 0)


@pytest.mark.parametrize("kind", ["start", "translate", "reply"])
def test_behind_a_start_or_encoder_a_free_step_takes_zero(library: ctypes.CDLL, kind: str) -> None:
    """Whatever was there before: its scores say nothing of the new sequence."""
    model = task_model(3, kind)
    data = task_data(model, 3, 1, 4)
    instance = Instance(Device(library, model))
    for _ in range(2):
        for sample in data.raw[0]:
            assert instance.step(sample) == READY
        if data.features is not None:
            assert instance.call("rnnedge_start", data.features[0]) == OK
            expected = run_free(model, 3, features=data.features)
        else:
            assert data.encoder is not None
            before = instance.state.copy()
            first = np.ascontiguousarray(data.encoder[0, 0])
            assert instance.call("rnnedge_encode", first) == OK
            assert instance.struct.steps == 0
            assert instance.result == (-1, -1, 0)
            assert not np.array_equal(instance.state, before)
            assert instance.call("rnnedge_reset") == OK
            for sample in data.encoder[0]:
                call = np.ascontiguousarray(sample)
                assert instance.call("rnnedge_encode", call) == OK
            expected = run_free(model, 3, encoder_raw=data.encoder)
        for states in expected.states[0, -3:]:
            assert instance.call("rnnedge_step_back") == READY
            assert np.array_equal(instance.state, states)


def test_a_window_begins_with_the_state_that_features_made(library: ctypes.CDLL) -> None:
    """With every = 0; the window behind it begins with a zero state again."""
    model = task_model(3, "start", window=4)
    data = task_data(model, 3, 1, 8)
    assert data.features is not None
    instance, x = Instance(Device(library, model), every=0), quantize(model.input, data.raw)
    assert instance.call("rnnedge_start", data.features[0]) == OK
    expected = [
        *run_free(model, 0, x=x[:, :4], features=data.features).states[0],
        *run_free(model, 0, x=x[:, 4:]).states[0],
    ]
    for t in range(8):
        assert instance.step(data.raw[0, t]) == (READY if t % 4 == 3 else OK)
        assert np.array_equal(instance.state, expected[t])


@pytest.mark.parametrize("value", [11, 0.5, -1, np.nan, np.inf, -np.inf, 65536, 2**31, 1e-30, 10.5])
def test_what_is_no_id_is_refused(library: ctypes.CDLL, value: float) -> None:
    model = task_model(4, "next", rows=11)
    instance = Instance(Device(library, model))
    instance.step(np.array([3.0]))
    before = snapshot(instance)
    assert instance.step(np.array([value])) == INPUT
    assert snapshot(instance) == before
    if 0 <= value < 2**16 and value == int(value):
        assert instance.call("rnnedge_step_id", ctypes.c_uint16(int(value))) == INPUT


def test_run_takes_one_float_an_id(library: ctypes.CDLL) -> None:
    model = task_model(4, "next", channels=3)
    raw = np.ascontiguousarray(task_data(model, 4, 1, 6).raw[0])
    instance = Instance(Device(library, model), every=6)
    done, steps = ctypes.c_uint32(0), ctypes.c_uint32(6)
    assert instance.call("rnnedge_run", raw, steps, ctypes.byref(done)) == READY
    assert done.value == 6
    expected = step_scores(model, quantize(model.input, raw)[None])[0, -1]
    assert np.array_equal(instance.scores, expected)


def test_every_id_is_its_row(library: ctypes.CDLL) -> None:
    model = task_model(4, "tag", rows=700, channels=2)
    assert isinstance(model.input, EmbeddingLayer)
    device, x = Device(library, model), np.zeros(2, np.int16)
    for id_ in [*range(model.input.rows), -0.0]:
        raw = np.array([id_], np.float32)
        assert device.call("rnnedge_model_quantize", x, raw) == OK
        assert x.tolist() == (model.input.table[int(id_)].astype(int) * 256).tolist()
        x[:] = 1
        assert device.call("rnnedge_model_embed", ctypes.c_uint16(int(id_)), x) == OK
        assert x.tolist() == (model.input.table[int(id_)].astype(int) * 256).tolist()
    assert device.call("rnnedge_model_embed", ctypes.c_uint16(700), x) == INPUT


def test_the_ids_of_an_encoder_have_names(library: ctypes.CDLL) -> None:
    model = task_model(3, "reply", rows=30)  # more than the encoder's outputs
    assert model.encoder is not None and len(model.encoder.classes) > model.encoder.outputs
    encoder, name = Device(library, model).encoder, ctypes.create_string_buffer(32)
    said = encoder.functions.rnnedge_class_name
    for id_, text in enumerate(model.encoder.classes):
        assert said(ctypes.byref(encoder.struct), ctypes.c_int16(id_), name, 32) == OK
        assert name.value.decode() == text
    beyond = ctypes.c_int16(len(model.encoder.classes))
    assert said(ctypes.byref(encoder.struct), beyond, name, 32) == INPUT
    values = Device(library, task_model(3, "translate")).encoder
    assert said(ctypes.byref(values.struct), ctypes.c_int16(0), name, 32) == INPUT


def test_a_model_refuses_what_it_is_not_for(library: ctypes.CDLL) -> None:
    plain = Instance(Device(library, quantized(float_model(1))))
    values, one = np.zeros(8, np.float32), ctypes.c_uint16(0)
    cases: list[tuple[str, list[object]]] = [
        ("rnnedge_step_id", [one]),
        ("rnnedge_step_back", []),
        ("rnnedge_start", [values]),
        ("rnnedge_encode", [values]),
        ("rnnedge_encode_id", [one]),
    ]
    before = snapshot(plain)
    for function, arguments in cases:
        assert plain.call(function, *arguments) == TASK, function
        nothing = [None if isinstance(item, np.ndarray) else item for item in arguments]
        assert getattr(library, function)(None, *nothing) == NULL
        if nothing and nothing[0] is None:
            assert plain.call(function, *nothing) == NULL
    assert snapshot(plain) == before
    reader = Instance(Device(library, task_model(3, "next")))
    counts, table = np.zeros(3, np.int16), np.zeros(6, np.int64)
    assert reader.call("rnnedge_step_counts", table, counts) == TASK
    speaker = Instance(Device(library, task_model(3, "translate")))
    assert speaker.call("rnnedge_encode_id", one) == TASK  # it takes values


def test_a_feature_that_is_no_number_leaves_an_instance_as_it_was(library: ctypes.CDLL) -> None:
    model = task_model(5, "start")
    instance, given_raw = Instance(Device(library, model)), task_data(model, 5, 1, 3)
    assert given_raw.features is not None
    instance.step(given_raw.raw[0, 0])
    before, bad = snapshot(instance), given_raw.features[0].copy()
    bad[-1] = np.nan
    assert instance.call("rnnedge_start", bad) == INPUT
    assert snapshot(instance) == before


@pytest.mark.parametrize("bidirectional", [False, True])
def test_finish_gives_the_result_of_a_sequence_of_any_length(
    library: ctypes.CDLL, bidirectional: bool
) -> None:
    from rnnedge.simulator import simulate

    source = float_model(6, bidirectional=bidirectional)
    model = quantized(source, window=9)
    raw = task_data(model, 6, 1, 9).raw[0]
    instance = Instance(Device(library, model))
    assert instance.call("rnnedge_finish") == OK
    assert instance.result == (-1, -1, 0)
    for steps in (4, 1, 9, 8):
        for t in range(steps):
            assert instance.step(raw[t]) == (READY if t == 8 else OK)
        assert instance.call("rnnedge_finish") == (OK if steps == 9 else READY)
        expected = simulate(model, quantize(model.input, raw[None, :steps])).scores[0]
        assert np.array_equal(instance.scores, expected)
    assert instance.call("rnnedge_finish") == OK
    assert library.rnnedge_finish(None) == NULL


def test_a_target_is_the_scores_real_value(library: ctypes.CDLL) -> None:
    library.rnnedge_target.restype = ctypes.c_float
    model = task_model(7, "forecast")
    assert model.output is not None
    device = Device(library, model)
    for index in range(model.outputs):
        for score in (0, 12345, -(2**29)):
            found = device.functions.rnnedge_target(
                ctypes.byref(device.struct), ctypes.c_uint16(index), ctypes.c_int32(score)
            )
            real = score * 2.0**-model.fraction_bits * model.output.std[index]
            assert found == pytest.approx(real + model.output.mean[index], rel=1e-5, abs=1e-5)
    classes = Device(library, task_model(7, "label"))
    one = ctypes.c_uint16(1), ctypes.c_int32(2**20)
    library.rnnedge_value.restype = ctypes.c_float
    value = library.rnnedge_value(ctypes.byref(classes.struct), one[1])
    assert library.rnnedge_target(ctypes.byref(classes.struct), *one) == value
    beyond = ctypes.c_uint16(model.outputs)
    assert library.rnnedge_target(ctypes.byref(device.struct), beyond, one[1]) == 0


def test_check_refuses_parts_that_do_not_fit(library: ctypes.CDLL) -> None:
    for kind, field, value, status in (
        ("next", "table", None, NULL),
        ("next", "quantize", None, NULL),
        ("next", "rows", 0, -3),
        ("anomaly", "feedback", None, -3),
    ):
        device = Device(library, task_model(8, kind))
        assert device.call("rnnedge_model_check") == OK
        setattr(device.task, field, value)
        assert device.call("rnnedge_model_check") == status, field
    for field, value, status in (
        ("abi", 2, -2),
        ("state_size", 3, -3),
        ("scratch_size", 60000, -3),
        ("inputs", 1, -3),
        ("layers", None, NULL),
    ):
        device = Device(library, task_model(8, "reply"))
        setattr(device.encoder.struct, field, value)
        assert device.call("rnnedge_model_check") == status, field
    encoder = Device(library, task_model(8, "reply")).encoder
    pointers = [np.zeros(64, np.int32) for _ in range(4)]
    instance = Instance(Device(library, task_model(8, "reply")))
    init = instance.call("rnnedge_init", ctypes.byref(encoder.struct), *pointers)
    assert init == -3  # it has no scores


def test_saved_bytes_hold_level_and_steps(library: ctypes.CDLL) -> None:
    model = task_model(2, "anomaly")
    raw = task_data(model, 2, 1, 20).raw[0]
    instance = Instance(Device(library, model))
    for sample in raw:
        instance.step(sample)
    saved = instance.save().tobytes()
    assert len(saved) == 62 + 2 * model.state_size + 4
    assert struct.unpack("<iI", saved[54:62]) == (instance.struct.level, 20)
    assert instance.struct.level > 0
    changed = bytearray(saved)
    import zlib

    changed[58:62] = struct.pack("<I", 65537)
    changed[-4:] = zlib.crc32(bytes(changed[:-4])).to_bytes(4, "little")
    assert instance.call("rnnedge_restore", np.frombuffer(bytes(changed), np.uint8)) == -7
