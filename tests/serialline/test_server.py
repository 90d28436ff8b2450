"""The server by itself: order, sessions, limits, and every answer that it can give."""

import ctypes
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnedge.counts import counts_map
from rnnedge.modelfile import model_hash
from rnnedge.serialline.frames import (
    MAX_PAYLOAD,
    Code,
    Frame,
    Kind,
    Readable,
    Receiver,
    SampleFormat,
    encode_request,
)
from rnnedge.simulator import first_state, quantize, quantize_counts, run_free, simulate
from rnnedge.spec import QuantizedModel
from tests.instances import counts_table
from tests.models import extreme_inputs, float_model, quantized
from tests.serialline.board import Board
from tests.taskmodels import KINDS, task_data, task_model

MODEL = quantized(float_model(1, units=40, channels=3), name="motor")
X = extreme_inputs(1, 4, MODEL.window, 3)[3]
SESSION = 77


class Wire:
    """Frames to a board and from it, as they are."""

    def __init__(self, library: ctypes.CDLL, model: QuantizedModel = MODEL, **options) -> None:
        self.board = Board(library, model, **options)
        self.receiver = Receiver()

    def ask(self, kind: int, number: int, payload: bytes = b"", session: int = SESSION) -> Frame:
        self.board.write(
            encode_request(Frame(kind=kind, session=session, number=number, payload=payload))
        )
        (answer,) = self.receiver.feed(self.board.read())
        assert (answer.session, answer.number) == (session, number)
        return answer

    def refused(self, kind: int, number: int, payload: bytes = b"", session: int = SESSION) -> int:
        answer = self.ask(kind, number, payload, session)
        assert answer.kind == Kind.ERROR and answer.payload[1] == kind
        return answer.payload[0]


def step(x: np.ndarray, wire: SampleFormat = SampleFormat.QUANTISED, start: int = 0) -> bytes:
    form = "<f4" if wire == SampleFormat.RAW else "<i2"
    return struct.pack("<BI", wire, start) + np.asarray(x).astype(form).tobytes()


@pytest.fixture
def wire(server: ctypes.CDLL) -> Wire:
    wire = Wire(server)
    wire.ask(Kind.HELLO, 0)
    return wire


def test_hello_tells_what_the_board_runs(server: ctypes.CDLL) -> None:
    answer = Wire(server).ask(Kind.HELLO, 0)
    assert answer.kind == Kind.HELLO
    fields = struct.unpack("<BBHHHHIIBBB32s", answer.payload)
    assert fields[:9] == (1, 0, 3, 3, 4, MODEL.window, 40, 1_000_000, MODEL.fraction_bits)
    assert fields[9:] == (1, len("motor"), bytes.fromhex(model_hash(MODEL)))


def test_after_a_start_everything_but_hello_is_refused(server: ctypes.CDLL) -> None:
    wire = Wire(server)
    for kind in (Kind.RESET, Kind.WRITE, Kind.STEP, Kind.READ, 99):
        for session in (0, SESSION):
            assert wire.refused(kind, 1, session=session) == Code.SESSION
    assert wire.refused(Kind.HELLO, 0, session=0) == Code.SESSION


def test_another_session_ends_the_first(wire: Wire) -> None:
    assert wire.ask(Kind.RESET, 1).kind == Kind.RESET
    assert wire.refused(Kind.RESET, 2, session=78) == Code.SESSION
    wire.ask(Kind.HELLO, 0, session=78)
    assert wire.refused(Kind.RESET, 2) == Code.SESSION
    assert wire.ask(Kind.RESET, 1, session=78).kind == Kind.RESET


def test_hello_again_changes_nothing(wire: Wire) -> None:
    wire.ask(Kind.STEP, 1, step(X[0]))
    state = wire.ask(Kind.READ, 2, struct.pack("<BIB", Readable.STATE, 0, 34)).payload
    wire.ask(Kind.HELLO, 0)
    again = wire.ask(Kind.READ, 3, struct.pack("<BIB", Readable.STATE, 0, 34)).payload
    assert state == again and any(state)


def test_a_request_again_is_answered_again_and_does_not_step_twice(wire: Wire) -> None:
    first = wire.ask(Kind.STEP, 1, step(X[0]))
    for _ in range(3):
        assert wire.ask(Kind.STEP, 1, step(X[0])) == first
    second = wire.ask(Kind.STEP, 2, step(X[1]))
    expected = simulate(MODEL, X[None, :2]).states[0]
    for answer, state in zip((first, second), expected, strict=True):
        assert np.array_equal(np.frombuffer(answer.payload[4:], "<i2"), state[:32])
        assert struct.unpack("<I", answer.payload[:4])[0] == 0  # the counter's own overhead is off


def test_only_the_next_number_is_taken(wire: Wire) -> None:
    wire.ask(Kind.STEP, 1, step(X[0]))
    wire.ask(Kind.STEP, 2, step(X[1]))
    for number in (0, 1, 4, 65535):
        assert wire.refused(Kind.STEP, number, step(X[0])) == Code.NUMBER
    # the last number, but another request: not ours
    assert wire.refused(Kind.STEP, 2, step(X[0])) == Code.NUMBER
    assert wire.ask(Kind.STEP, 3, step(X[2])).kind == Kind.STEP


def test_numbers_go_round_without_zero(wire: Wire) -> None:
    answers = []
    for number in range(1, 65536):
        frame = Frame(kind=Kind.RESET, session=SESSION, number=number)
        wire.board.receive(encode_request(frame))
        answers += wire.receiver.feed(wire.board.read())
    assert [answer.number for answer in answers] == list(range(1, 65536))
    assert {answer.kind for answer in answers} == {Kind.RESET}
    assert wire.refused(Kind.RESET, 0) == Code.NUMBER
    assert wire.ask(Kind.RESET, 1).kind == Kind.RESET


@pytest.mark.parametrize(
    ("kind", "payload", "code"),
    [
        (99, b"", Code.KIND),
        (Kind.ERROR, b"", Code.KIND),
        (Kind.RESET, b"x", Code.LENGTH),
        (Kind.WRITE, b"", Code.LENGTH),
        (Kind.WRITE, b"\0\0\0\0\0x", Code.LENGTH),
        (Kind.WRITE, step(X[0])[:-1], Code.LENGTH),
        (Kind.WRITE, step([1.0], SampleFormat.RAW)[:-2], Code.LENGTH),
        (Kind.WRITE, step(X[0], start=1), Code.RANGE),
        (Kind.WRITE, step([], start=4), Code.RANGE),
        (Kind.WRITE, step(X[0], start=2**32 - 1), Code.RANGE),
        (Kind.WRITE, step([1] * 31), Code.RANGE),
        (Kind.WRITE, b"\3" + step(X[0])[1:], Code.KIND),
        (Kind.WRITE, step(X[0], SampleFormat.COUNTS), Code.KIND),
        (Kind.WRITE, step([0, np.nan, 0], SampleFormat.RAW), Code.INPUT),
        (Kind.STEP, step([0, np.nan, 0], SampleFormat.RAW), Code.INPUT),
        (Kind.STEP, step(X[0], start=1), Code.RANGE),
        (Kind.BACK, b"", Code.KIND),  # a classifier has no free steps
        (Kind.BACK, b"x", Code.LENGTH),
        (Kind.READ, b"", Code.LENGTH),
        (Kind.READ, struct.pack("<BIB", Readable.STATE, 0, 35), Code.RANGE),
        (Kind.READ, struct.pack("<BIB", Readable.STATE, 40, 1), Code.RANGE),
        (Kind.READ, struct.pack("<BIB", Readable.STATE, 2**32 - 1, 2), Code.RANGE),
        (Kind.READ, struct.pack("<BIB", Readable.SCORES, 3, 2), Code.RANGE),
        (Kind.READ, struct.pack("<BIB", Readable.NAME, 0, 6), Code.RANGE),
        (Kind.READ, struct.pack("<BIB", Readable.STACK, 0, 1), Code.KIND),
        (Kind.READ, struct.pack("<BIB", 9, 0, 1), Code.KIND),
    ],
)
def test_what_no_model_has_is_refused(wire: Wire, kind: int, payload: bytes, code: Code) -> None:
    before = wire.ask(Kind.STEP, 1, step(X[0]))
    assert wire.refused(kind, 2, payload) == code
    assert wire.refused(kind, 2, payload) == code  # the same again
    state = wire.ask(Kind.READ, 3, struct.pack("<BIB", Readable.STATE, 0, 32))
    assert state.payload == before.payload[4:]
    wire.board.check_memory()


@pytest.mark.parametrize("kind", ["next", "generate"])
def test_free_steps_go_on_from_where_the_model_is(server: ctypes.CDLL, kind: str) -> None:
    """Behind fed ones, of raw values or ids; behind RESET from zero; not twice when repeated."""
    model = task_model(5, kind, units=6)
    wire = Wire(server, model)
    wire.ask(Kind.HELLO, 0)
    raw = task_data(model, 5, 1, 3).raw
    number = 0
    for fed in (3, 0):
        number += 1
        wire.ask(Kind.RESET, number)
        states = []
        for sample in raw[0, :fed]:
            number += 1
            states.append(wire.ask(Kind.STEP, number, step(sample, SampleFormat.RAW)))
        for _ in range(4):
            number += 1
            states.append(wire.ask(Kind.BACK, number))
            assert wire.ask(Kind.BACK, number) == states[-1]
        expected = run_free(model, 4, x=quantize(model.input, raw)[:, :fed])
        for answer, state in zip(states, expected.states[0], strict=True):
            assert np.array_equal(np.frombuffer(answer.payload[4:], "<i2"), state[:32])
        number += 1
        what = struct.pack("<BIB", Readable.SCORES, 0, model.outputs)
        scores = np.frombuffer(wire.ask(Kind.READ, number, what).payload, "<i4")
        assert np.array_equal(scores, expected.scores[0, -1])
    wire.board.check_memory()


@pytest.mark.parametrize("kind", ["start", "translate", "reply"])
def test_a_sequence_begins_with_features_or_an_encoder(server: ctypes.CDLL, kind: str) -> None:
    """Behind RESET or not; a request that is repeated makes no second step."""
    model = task_model(5, kind, units=6, channels=4)
    wire = Wire(server, model)
    wire.ask(Kind.HELLO, 0)
    data = task_data(model, 5, 2, 3)
    number = 0
    for window in range(2):
        number += 1
        wire.ask(Kind.RESET, number)
        number += 1
        wire.ask(Kind.BACK, number)  # there are scores, which what follows makes old
        number += 1
        wire.ask(Kind.RESET, number) if kind != "start" else wire.ask(Kind.BACK, number)
        before, asked = Kind.START, np.zeros((0, 0), np.float32)
        if data.encoder is not None:
            before, asked = Kind.ENCODE, data.encoder[window]
        if data.features is not None:
            asked = data.features[window, None]
        states = []
        for sample in asked:
            for at in range(0, len(sample), 3):  # in parts
                number += 1
                payload = step(sample[at : at + 3], SampleFormat.RAW, start=at)
                answer = wire.ask(before, number, payload)
                assert wire.ask(before, number, payload) == answer
            states.append(answer)
        for _ in range(3):
            number += 1
            states.append(wire.ask(Kind.BACK, number))
        features = None if data.features is None else data.features[window, None]
        encoder = None if data.encoder is None else data.encoder[window, None]
        expected = run_free(model, 3, features=features, encoder_raw=encoder).states[0]
        if features is not None:
            expected = np.concatenate([first_state(model, features), expected])
        for answer, state in zip(states, expected, strict=True):
            assert np.array_equal(np.frombuffer(answer.payload[4:], "<i2"), state[:32])
    wire.board.check_memory()


def test_what_a_sequence_cannot_begin_with_is_refused(server: ctypes.CDLL) -> None:
    raw = SampleFormat.RAW
    one, nan = step([1.0], raw), step([np.nan], raw)
    for kind, request, cases in (
        ("next", Kind.START, [(one, Code.KIND)]),
        ("next", Kind.ENCODE, [(one, Code.KIND)]),
        ("start", Kind.START, [(b"", Code.LENGTH), (one[:-1], Code.LENGTH), (nan, Code.INPUT)]),
        ("start", Kind.START, [(step([1.0] * 3, raw), Code.RANGE)]),
        ("start", Kind.START, [(step([1.0], raw, start=2), Code.RANGE)]),
        ("start", Kind.START, [(step([1.0], raw, start=2**32 - 1), Code.RANGE)]),
        ("start", Kind.START, [(step([1], SampleFormat.COUNTS), Code.KIND)]),
        ("translate", Kind.ENCODE, [(step([1.0] * 5, raw), Code.RANGE)]),
        ("reply", Kind.ENCODE, [(step([0.5], raw), Code.INPUT)]),
    ):
        wire = Wire(server, task_model(5, kind))
        wire.ask(Kind.HELLO, 0)
        before = wire.ask(Kind.STEP, 1, step([1], SampleFormat.RAW) if kind == "next" else b"")
        for number, (payload, code) in enumerate(cases, 2):
            assert wire.refused(request, number, payload) == code
        state = wire.ask(Kind.READ, 2 + len(cases), struct.pack("<BIB", Readable.STATE, 0, 8))
        assert state.payload == before.payload[4:]
        wire.board.check_memory()


def test_what_is_no_id_is_refused(server: ctypes.CDLL) -> None:
    model = task_model(5, "next", rows=7, channels=4)
    wire = Wire(server, model)
    wire.ask(Kind.HELLO, 0)
    for number, (payload, code) in enumerate(
        (
            (step([7.0], SampleFormat.RAW), Code.INPUT),
            (step([0.5], SampleFormat.RAW), Code.INPUT),
            (step([1.0, 1.0], SampleFormat.RAW), Code.RANGE),
            (step([1.0], SampleFormat.RAW, start=1), Code.RANGE),
            (step([1] * 5), Code.RANGE),
        ),
        1,
    ):
        assert wire.refused(Kind.STEP, number, payload) == code
    wire.board.check_memory()


@pytest.mark.parametrize(
    "line",
    [
        b">\n",
        b">0\n",
        b">00\n",
        encode_request(Frame(kind=Kind.RESET, session=SESSION, number=1)).lower(),
        encode_request(Frame(kind=Kind.RESET, session=SESSION, number=1))[:-2] + b"\n",
        encode_request(Frame(kind=Kind.RESET, session=SESSION, number=1)).replace(b"\n", b"0\n"),
        encode_request(Frame(kind=Kind.RESET, session=SESSION, number=1)).replace(b"\n", b"\r\n"),
        encode_request(Frame(kind=3, session=SESSION, number=1, payload=b"x" * 69)),
        b">" + b"0" * 2000 + b"\n",
        b">" + b"\xff" * 2000 + b"\n",
    ],
)
def test_a_damaged_frame_is_asked_for_again(wire: Wire, line: bytes) -> None:
    wire.board.receive(line)
    (answer,) = wire.receiver.feed(wire.board.read())
    assert (answer.kind, answer.number, answer.payload[0]) == (Kind.ERROR, 0, Code.DAMAGED)
    assert wire.ask(Kind.RESET, 1).kind == Kind.RESET


@pytest.mark.parametrize("noise", [b"\n\n\n", b"boot\n", b"<00\n", b"\x00\xff", b">12", b">0234>"])
def test_noise_between_frames_is_not_answered(wire: Wire, noise: bytes) -> None:
    wire.board.receive(noise)
    assert wire.board.read() == b""
    assert wire.ask(Kind.RESET, 1).kind == Kind.RESET


def test_counts_are_what_the_exported_table_makes_of_them(server: ctypes.CDLL) -> None:
    held = counts_map(MODEL.input, MODEL.channels, [100.0])
    wire = Wire(server, counts=counts_table(held))
    hello = wire.ask(Kind.HELLO, 0)
    assert hello.payload[1] & 2
    counts = np.array([[-3000, 17, 32767]], np.int16)
    answer = wire.ask(Kind.STEP, 1, step(counts[0], SampleFormat.COUNTS))
    expected = simulate(MODEL, quantize_counts(held, counts)[None]).states[0, 0]
    assert np.array_equal(np.frombuffer(answer.payload[4:], "<i2"), expected[:32])


def test_a_board_without_a_counter_says_so(server: ctypes.CDLL) -> None:
    wire = Wire(server, cycles=False)
    assert struct.unpack_from("<I", wire.ask(Kind.HELLO, 0).payload, 14) == (0,)
    assert wire.ask(Kind.STEP, 1, step(X[0])).payload[:4] == bytes(4)


def test_a_model_that_the_runtime_refuses_is_named(server: ctypes.CDLL) -> None:
    wire = Wire(server)
    wire.board._runtime.struct.abi = 1
    wire.board.power_on(status=-2)
    assert wire.refused(Kind.HELLO, 0) == Code.MODEL
    assert wire.refused(Kind.STEP, 1, step(X[0])) == Code.MODEL


LINES = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda kind, session, number, payload: encode_request(
            Frame(kind=kind, session=session, number=number, payload=payload)
        ),
        st.one_of(st.sampled_from(list(Kind)), st.integers(0, 127)),
        st.sampled_from([0, 1, SESSION]),
        st.integers(0, 6),
        st.one_of(
            st.binary(max_size=MAX_PAYLOAD + 2),
            st.builds(
                struct.pack,
                st.just("<BIB"),
                st.integers(0, 4),
                st.one_of(st.integers(0, 50), st.integers(2**32 - 40, 2**32 - 1)),
                st.integers(0, 255),
            ),
            st.builds(
                lambda form, start, data: struct.pack("<BI", form, start) + data,
                st.integers(0, 3),
                st.one_of(st.integers(0, 50), st.integers(2**32 - 40, 2**32 - 1)),
                st.binary(max_size=62),
            ),
        ),
    ),
)


@pytest.mark.parametrize("kind", ["one way", "both ways", "start", "translate", "reply"])
def test_any_bytes_are_survived(server: ctypes.CDLL, kind: str) -> None:
    shape = {"units": 4, "channels": 3, "bidirectional": kind == "both ways", "sequences": True}
    if kind in KINDS:
        model = task_model(2, kind, units=4, window=3)
    else:
        model = quantized(float_model(2, **shape), window=3)
    wire = Wire(server, model)

    @settings(max_examples=300, deadline=None)
    @given(st.lists(LINES, max_size=12))
    def survives(lines: list[bytes]) -> None:
        for line in lines:
            wire.board.receive(line)
        wire.board.check_memory()
        wire.board.read()
        wire.board.receive(b"\n")
        wire.board.read()
        wire.receiver = Receiver()
        session = 1000 + len(lines)
        wire.ask(Kind.HELLO, 0, session=session)
        assert wire.ask(Kind.RESET, 1, session=session).kind == Kind.RESET

    survives()
