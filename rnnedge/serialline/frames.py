"""Frames of the serial protocol (docs/protocol.md): printable lines with a CRC-32.

firmware/serial/serial.c is the other end.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

PROTOCOL = 1
"""Version of frames, requests and answers."""

MAX_PAYLOAD = 68
REQUEST, ANSWER, END = b">", b"<", b"\n"

_HEAD = struct.Struct("<BHH")
_CRC = struct.Struct("<I")
_ANSWERS = 0x80
_DIGITS = frozenset(b"0123456789ABCDEF")
_LONGEST_LINE = 4096


class Kind(IntEnum):
    """What a request asks for; an answer carries the same."""

    HELLO = 1
    RESET = 2
    WRITE = 3
    STEP = 4
    READ = 5
    BACK = 6
    START = 7
    ENCODE = 8
    ERROR = 0x7F


class Code(IntEnum):
    """Why an answer is an ERROR."""

    DAMAGED = 1
    SESSION = 2
    NUMBER = 3
    KIND = 4
    LENGTH = 5
    RANGE = 6
    INPUT = 7
    MODEL = 8


class Readable(IntEnum):
    """What READ reads."""

    STATE = 0
    SCORES = 1
    NAME = 2
    STACK = 3


class SampleFormat(IntEnum):
    """How samples are written."""

    QUANTISED = 0
    RAW = 1
    COUNTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A request, or an answer.

    Attributes:
        kind: of Kind, as it came.
        session: 1..65535, chosen anew with each HELLO; 0: none.
        number: of the request; 0 for HELLO.
        payload: at most MAX_PAYLOAD bytes.
    """

    kind: int
    session: int
    number: int
    payload: bytes = b""


def encode_request(frame: Frame) -> bytes:
    r"""Return the line of a request.

    >>> encode_request(Frame(kind=Kind.RESET, session=0x1234, number=7))
    b'>0234120700522A4893\n'
    """
    return REQUEST + _digits(frame.kind, frame) + END


def encode_answer(frame: Frame) -> bytes:
    """Return the line of an answer, as a board makes it."""
    return ANSWER + _digits(frame.kind | _ANSWERS, frame) + END


def _digits(kind: int, frame: Frame) -> bytes:
    body = _HEAD.pack(kind, frame.session, frame.number) + frame.payload
    return (body + _CRC.pack(zlib.crc32(body))).hex().upper().encode()


def decode_answer(digits: bytes) -> Frame | None:
    """Read what stands between start and end of an answer; None: it is damaged."""
    if len(digits) % 2 or not _DIGITS.issuperset(digits):
        return None
    data = bytes.fromhex(digits.decode())
    body = data[: -_CRC.size]
    if not _HEAD.size <= len(body) <= _HEAD.size + MAX_PAYLOAD:
        return None
    if _CRC.unpack(data[-_CRC.size :]) != (zlib.crc32(body),):
        return None
    kind, session, number = _HEAD.unpack_from(body)
    if not kind & _ANSWERS:
        return None
    return Frame(kind=kind & ~_ANSWERS, session=session, number=number, payload=body[_HEAD.size :])


class Receiver:
    """Finds answers among everything that a line brings.

    Attributes:
        damaged: answers with a wrong CRC or other signs of damage.
        echoes: our own requests that came back.
        noise: the first bytes that belong to neither.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self.echoes = 0
        self.noise = b""
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes; return the answers that they complete."""
        *lines, self._rest = (self._rest + data).split(END)
        found = [frame for line in lines if (frame := self._line(line)) is not None]
        if len(self._rest) > _LONGEST_LINE:
            self._line(self._rest)
            self._rest = b""
        return found

    def _line(self, line: bytes) -> Frame | None:
        start = max(line.rfind(REQUEST), line.rfind(ANSWER))
        if start < 0 or line[start : start + 1] == REQUEST:
            self.echoes += start >= 0
            self.noise = (self.noise + line + END)[:200] if start < 0 else self.noise
            return None
        frame = decode_answer(line[start + 1 :])
        self.damaged += frame is None
        return frame

    @property
    def unread(self) -> bytes:
        """The bytes behind the last end of a line."""
        return self._rest
