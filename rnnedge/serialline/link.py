"""Requests over a line that may lose, damage, repeat and delay what it carries."""

import secrets
import time
from dataclasses import dataclass

from rnnedge.errors import DeviceError
from rnnedge.serialline.frames import Code, Frame, Kind, Receiver, encode_request
from rnnedge.serialline.port import Port

_LAST_NUMBER = 0xFFFF


class SessionLostError(Exception):
    """The board has started anew: what it was told is gone. Never leaves this package."""


@dataclass(slots=True, kw_only=True)
class Statistics:
    """What happened on a line.

    Attributes:
        requests: that were answered.
        retries: requests sent again.
        damaged: frames with a wrong CRC, on either side.
        late: answers to a request that had been answered already.
        echoes: own frames that came back.
        resets: times that the board started anew.
    """

    requests: int = 0
    retries: int = 0
    damaged: int = 0
    late: int = 0
    echoes: int = 0
    resets: int = 0


class Link:
    """One request at a time: sent again until its answer comes, or given up.

    Args:
        port: the line.
        timeout: seconds until a request is sent again; doubled each time, up to eight times it.
        retries: how often a request is sent again.
    """

    def __init__(self, port: Port, *, timeout: float = 0.5, retries: int = 8) -> None:
        self.port, self.timeout, self.retries = port, timeout, retries
        self._receiver = Receiver()
        self._session = self._number = 0
        self._counted = Statistics()

    @property
    def statistics(self) -> Statistics:
        """What happened so far."""
        self._counted.echoes = self._receiver.echoes
        return self._counted

    def hello(self, seconds: float) -> bytes:
        """Begin a session, for which the board may take `seconds` to start; return its answer.

        Raises:
            DeviceError: no answer, with what can be told of the reason.
        """
        self._session = _other(self._session)
        self._number = 0
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            answer = self._ask(Kind.HELLO, b"", min(max(left, 0.0), self.timeout))
            if answer is not None:
                return answer
            if time.monotonic() >= end:
                raise DeviceError(self._silence(seconds))

    def request(self, kind: Kind, payload: bytes = b"") -> bytes:
        """Send a request of the session and return the payload of its answer.

        Raises:
            DeviceError: no answer in spite of all retries, or the board refuses the request.
            SessionLostError: the board has started anew.
        """
        self._number = 1 if self._number == _LAST_NUMBER else self._number + 1
        for attempt in range(self.retries + 1):
            self._counted.retries += attempt > 0
            answer = self._ask(kind, payload, self.timeout * 2 ** min(attempt, 3))
            if answer is not None:
                self._counted.requests += 1
                return answer
        seen = self.statistics
        raise DeviceError(
            f"port {self.port.name}: no answer to {kind.name} after {self.retries} retries "
            f"({seen.damaged} frames were damaged so far); the line is too bad or the board hangs: "
            "check cable and ground, press the board's reset button"
        )

    def _ask(self, kind: Kind, payload: bytes, seconds: float) -> bytes | None:
        """Send the present request once; return its answer, or None to send it again."""
        frame = Frame(kind=kind, session=self._session, number=self._number, payload=payload)
        self.port.write(encode_request(frame))
        end = time.monotonic() + seconds
        while True:
            before = self._receiver.damaged
            answers = self._receiver.feed(self.port.read())
            damaged = self._receiver.damaged - before
            found: Frame | None = None
            for answer in answers:
                if answer.kind == Kind.ERROR and answer.payload[:1] == bytes([Code.DAMAGED]):
                    damaged += 1
                elif (
                    found is None
                    and answer.kind in (kind, Kind.ERROR)
                    and ((answer.session, answer.number) == (frame.session, frame.number))
                ):
                    found = answer
                else:
                    self._counted.late += 1
            self._counted.damaged += damaged
            if found is not None and found.kind == Kind.ERROR:
                self._refused(kind, found.payload)
            if found is not None:
                return found.payload
            if damaged or time.monotonic() >= end:
                return None

    def _refused(self, kind: Kind, payload: bytes) -> None:
        """Raise what an ERROR says."""
        code = payload[0] if payload else 0
        if code in (Code.SESSION, Code.NUMBER):
            raise SessionLostError
        where = f"port {self.port.name}"
        if code == Code.MODEL:
            raise DeviceError(
                f"{where}: the board's firmware refuses the model that it was built with; "
                "export and flash again"
            )
        if code == Code.INPUT:
            raise DeviceError(f"{where}: the board refuses a sample: a value is not a number")
        known = Code(code).name if code in list(Code) else str(code)
        raise DeviceError(
            f"{where}: the board refuses {kind.name} ({known}); its firmware is of another "
            "version: export and flash again"
        )

    def _silence(self, seconds: float) -> str:
        """Say why HELLO was not answered."""
        where, heard = f"port {self.port.name}", self._receiver
        text = heard.noise + heard.unread
        if self._counted.damaged:
            return f"{where}: every answer was damaged; check cable and ground, or the baud rate"
        if text:
            plain = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in text)
            if plain < 0.9 * len(text):
                return f"{where}: unreadable bytes; is this the baud rate of the firmware?"
            return (
                f"{where}: the board says {text[:60].decode(errors='replace').strip()!r}, that is "
                "not rnnedge's protocol; flash it: rnnedge flash RUN --board BOARD --port PORT"
            )
        if heard.echoes:
            return (
                f"{where}: only an echo of what was sent; are the wires RX and TX connected to "
                "each other, or is there no board behind the adapter?"
            )
        return (
            f"{where}: no answer within {seconds:g} s; is the board powered, is this its port, "
            "and was it flashed: rnnedge flash RUN --board BOARD --port PORT"
        )


def _other(session: int) -> int:
    """Return a session that is not `session`, and not 0."""
    return (session + secrets.randbelow(_LAST_NUMBER - 1)) % _LAST_NUMBER + 1
