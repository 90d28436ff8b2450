"""Saved instances: they go on anywhere, and nothing else is taken for one."""

import ctypes
import zlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnnedge.simulator import quantize, simulate
from rnnedge.spec import QuantizedModel
from tests.instances import Instance
from tests.models import float_model, quantized, raw_windows
from tests.runtime import Device
from tests.streams import OK, SAVED, allowed, feed, networks, oracle, rules, snapshot


@given(networks(), rules, st.data())
def test_saved_at_any_point_it_goes_on_in_another_instance(
    library: ctypes.CDLL,
    drawn: tuple[QuantizedModel, np.ndarray],
    chosen: dict[str, int],
    data: st.DataObject,
) -> None:
    """Also in one that has been at work by other rules, and in dirty memory."""
    model, raw = drawn
    chosen = allowed(model, chosen)
    cut = data.draw(st.integers(0, len(raw)))
    first = Instance(Device(library, model), **chosen)
    second = Instance(Device(library, model), majority=3)
    feed(first, raw[:cut])
    feed(second, raw[::-1][: data.draw(st.integers(0, len(raw)))])
    before = snapshot(first)
    saved = first.save()
    assert snapshot(first) == before
    assert second.call("rnnedge_restore", saved) == OK
    assert second.result == first.result
    assert np.array_equal(second.save(), saved)
    expected = [(at, found) for at, found in oracle(model, raw, **chosen) if at > cut]
    assert [(at + cut, found) for at, found in feed(second, raw[cut:])] == expected


@given(networks(), rules, st.data())
def test_damaged_or_foreign_bytes_leave_an_instance_as_it_was(
    library: ctypes.CDLL,
    drawn: tuple[QuantizedModel, np.ndarray],
    chosen: dict[str, int],
    data: st.DataObject,
) -> None:
    model, raw = drawn
    instance = Instance(Device(library, model), **allowed(model, chosen))
    feed(instance, raw[: len(raw) // 2])
    saved = instance.save()
    feed(instance, raw[len(raw) // 2 :])
    before = snapshot(instance)
    damaged = saved.copy()
    damaged[data.draw(st.integers(0, len(saved) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert instance.call("rnnedge_restore", damaged) == SAVED
    assert snapshot(instance) == before
    foreign = Device(library, model)
    foreign.struct.sha256 = bytes(32)
    assert instance.call("rnnedge_restore", Instance(foreign).save()) == SAVED
    assert snapshot(instance) == before
    assert instance.call("rnnedge_restore", saved) == OK


def test_saved_bytes_are_those_that_save_c_lists(library: ctypes.CDLL) -> None:
    """Read back by hand: nothing depends on the core's byte order or padding."""
    source = float_model(7, cells=("gru", "lstm"))
    model = quantized(source, window=5)
    raw = raw_windows(source, 7, 1, 18)[0]
    device = Device(library, model)
    instance = Instance(device, every=4, reject=0x1234, majority=3)
    feed(instance, raw)
    saved = instance.save().tobytes()
    assert len(saved) == 54 + 2 * model.state_size + 4
    assert saved[:8] == device.struct.sha256[:8]
    assert (saved[8], saved[9]) == (2, 3)
    words = np.frombuffer(saved[10:-4], "<i2").tolist()
    assert words[:4] == [18 % 4, 4, 0x1234, 3]
    assert words[4:7] == list(instance.result)
    assert words[7:22] == [*instance.struct.votes[:3], *[0] * 12]
    states = simulate(model, quantize(model.input, raw)[None]).states[0, -1]
    assert words[22:] == states.tolist()
    assert int.from_bytes(saved[-4:], "little") == zlib.crc32(saved[:-4])


def test_of_a_window_the_samples_so_far_are_saved(library: ctypes.CDLL) -> None:
    source = float_model(7, bidirectional=True)
    model = quantized(source, window=5)
    raw = raw_windows(source, 7, 1, 8)[0]
    instance = Instance(Device(library, model))
    feed(instance, raw)
    saved = np.frombuffer(instance.save().tobytes()[54:-4], "<i2")
    samples = quantize(model.input, raw[5:]).ravel().tolist()
    assert saved.tolist() == [*samples, *[0] * (2 * 3)]


def test_bytes_with_a_right_crc_but_impossible_content_are_refused(library: ctypes.CDLL) -> None:
    for bidirectional in (False, True):
        model = quantized(float_model(3, bidirectional=bidirectional), window=5)
        instance = Instance(Device(library, model), majority=2)
        saved, before = instance.save(), snapshot(instance)
        # version, votes, count, every, reject, majority; every only where it cannot stream
        changes = [(8, 1), (9, 3), (10, 5), (14, 1), (16, 0), (16, 16), (17, 1)]
        saved[15] = 0x80  # reject 32768 is allowed
        for at, value in [*changes, *([(12, 1)] if bidirectional else [])]:
            changed = saved.copy()
            changed[at] = value
            crc = zlib.crc32(changed[:-4].tobytes()).to_bytes(4, "little")
            changed[-4:] = np.frombuffer(crc, np.uint8)
            assert instance.call("rnnedge_restore", changed) == SAVED, (at, value)
            assert snapshot(instance) == before
