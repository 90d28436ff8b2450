"""Whatever a line does to frames, no wrong result is accepted; and the tests would notice."""

import ctypes
import struct
from pathlib import Path

import pytest

from rnnedge.serialline import frames
from tests.serialline.board import Change, compile_server
from tests.serialline.faults import KINDS, Faults
from tests.serialline.runs import Outcome, run_windows


def run_many(
    library: ctypes.CDLL, seeds: range, *, rate: float, resets: float, windows: int = 8
) -> list[Outcome]:
    return [run_windows(library, seed, rate=rate, resets=resets, windows=windows) for seed in seeds]


def test_a_clean_line_needs_no_retry(server: ctypes.CDLL) -> None:
    outcomes = run_many(server, range(25), rate=0.0, resets=0.0)
    assert sum(outcome.wrong + outcome.failed for outcome in outcomes) == 0
    assert all(outcome.seen.retries == outcome.seen.damaged == 0 for outcome in outcomes)
    assert all(outcome.frames == outcome.seen.requests + 1 for outcome in outcomes)


@pytest.mark.parametrize("rate", [0.03, 0.3])
def test_a_line_with_faults_gives_right_results_only(server: ctypes.CDLL, rate: float) -> None:
    outcomes = run_many(server, range(100, 130), rate=rate, resets=0.0)
    assert sum(outcome.wrong + outcome.failed for outcome in outcomes) == 0
    assert sum(outcome.frames for outcome in outcomes) > 2000
    assert sum(outcome.faults for outcome in outcomes) > 2000 * rate
    retried, damaged, late = (
        sum(getattr(outcome.seen, name) for outcome in outcomes)
        for name in ("retries", "damaged", "late")
    )
    assert retried > 0 and damaged > 0 and late > 0


def test_resets_in_the_middle_are_noticed(server: ctypes.CDLL) -> None:
    outcomes = run_many(server, range(200, 230), rate=0.05, resets=0.01)
    assert sum(outcome.wrong + outcome.failed for outcome in outcomes) == 0
    assert sum(outcome.seen.resets for outcome in outcomes) > 10


def without_crc(text: str) -> str:
    return text.replace("s->crc == UINT32_C(0xDEBB20E3)", "1")


def without_numbers(text: str) -> str:
    return text.replace("request != s->request : number != next", "0 : 0")


def without_memory_of_the_last(text: str) -> str:
    return text.replace(
        "const uint8_t repeated = number == s->number;", "const uint8_t repeated = 0;"
    )


def without_sessions(text: str) -> str:
    return text.replace(
        "if (session != s->session) {\n        return SESSION;", "if (0) {\n        return SESSION;"
    ).replace("number == s->number ? request != s->request : number != next", "0")


@pytest.mark.parametrize(
    "change", [without_crc, without_numbers, without_memory_of_the_last, without_sessions]
)
def test_a_server_that_is_less_careful_is_caught(tmp_path: Path, change: Change) -> None:
    library = compile_server(tmp_path, change=change)
    outcomes = run_many(library, range(300, 330), rate=0.3, resets=0.02)
    assert sum(outcome.wrong for outcome in outcomes) > 0


def careless(digits: bytes) -> frames.Frame | None:
    """Decode an answer, but do not look at its CRC."""
    try:
        data = bytes.fromhex(digits.decode())
        kind, session, number = frames._HEAD.unpack_from(data[:-4])
    except (ValueError, struct.error):
        return None
    return frames.Frame(kind=kind & 0x7F, session=session, number=number, payload=data[5:-4])


def test_a_pc_that_is_less_careful_is_caught(
    server: ctypes.CDLL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "decode_answer", careless)
    outcomes = run_many(server, range(300, 320), rate=0.3, resets=0.0)
    assert sum(outcome.wrong for outcome in outcomes) > 0


def test_every_kind_of_fault_is_made() -> None:
    faults = Faults(1, 0.5)
    for _ in range(500):
        faults(b">0234120700522A4893\n")
    assert set(faults.done) == set(KINDS)
