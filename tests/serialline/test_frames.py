"""Frames: what is damaged is not taken for whole, whatever surrounds it."""

from hypothesis import given
from hypothesis import strategies as st

from rnnedge.serialline.frames import (
    MAX_PAYLOAD,
    Frame,
    Receiver,
    decode_answer,
    encode_answer,
    encode_request,
)

FRAMES = st.builds(
    Frame,
    kind=st.integers(0, 127),
    session=st.integers(0, 65535),
    number=st.integers(0, 65535),
    payload=st.binary(max_size=MAX_PAYLOAD),
)


@given(FRAMES)
def test_an_answer_is_read_as_it_was_sent(frame: Frame) -> None:
    assert decode_answer(encode_answer(frame)[1:-1]) == frame


@given(FRAMES)
def test_frames_are_printable_lines(frame: Frame) -> None:
    for line in (encode_request(frame), encode_answer(frame)):
        assert line.endswith(b"\n") and line[:-1].isascii() and line[:-1].decode().isprintable()
        assert len(line) <= 2 + 2 * (5 + MAX_PAYLOAD + 4)


@given(FRAMES, st.data())
def test_no_damage_of_up_to_four_bytes_passes(frame: Frame, data: st.DataObject) -> None:
    """CRC-32 tells every burst of up to 32 bits for certain: those of 8 digits."""
    digits = bytearray(encode_answer(frame)[1:-1])
    at = data.draw(st.integers(0, len(digits) - 1))
    burst = data.draw(st.lists(st.sampled_from(list(b"0123456789ABCDEFabcdef\x00 <")), max_size=7))
    before = bytes(digits)
    digits[at : at + len(burst)] = bytes(burst)[: len(digits) - at]
    assert decode_answer(bytes(digits)) in (None, frame if bytes(digits) == before else None)


@given(FRAMES, st.integers(0, 200), st.integers(0, 3))
def test_a_frame_with_bytes_lost_or_more_is_damaged(frame: Frame, at: int, count: int) -> None:
    digits = encode_answer(frame)[1:-1]
    at %= len(digits)
    if count:
        assert decode_answer(digits[:at] + digits[at + count :]) is None
        assert decode_answer(digits[:at] + b"0" * count + digits[at:]) is None


@given(FRAMES, FRAMES, st.binary(max_size=20), st.integers(1, 40))
def test_answers_are_found_in_pieces_and_between_noise(
    first: Frame, second: Frame, noise: bytes, piece: int
) -> None:
    noise = noise.translate(None, b"<>\n")
    line = noise + encode_answer(first) + noise + b"\n" + noise + encode_answer(second)
    receiver = Receiver()
    found = []
    for at in range(0, len(line), piece):
        found += receiver.feed(line[at : at + piece])
    assert found == [first, second]
    assert receiver.damaged == receiver.echoes == 0


@given(FRAMES)
def test_our_own_requests_are_an_echo_and_no_answer(frame: Frame) -> None:
    receiver = Receiver()
    assert receiver.feed(encode_request(frame)) == []
    assert (receiver.echoes, receiver.damaged, receiver.noise) == (1, 0, b"")
    # even if damage made the start of an answer of it
    assert receiver.feed(b"<" + encode_request(frame)[1:]) == []


def test_an_endless_line_without_end_does_not_fill_the_memory() -> None:
    receiver = Receiver()
    for _ in range(100):
        assert receiver.feed(b"x" * 1000) == []
    assert len(receiver.unread) <= 5000 and len(receiver.noise) <= 200
