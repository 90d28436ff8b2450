"""Damaged .tflite files: one clear line, no crash, no hang, whatever the damage."""

import json
import time
from contextlib import redirect_stdout
from io import StringIO
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnnedge.commands.inspect import _show
from rnnedge.convert.tflite import emit
from rnnedge.errors import ModelError, RnnedgeError
from rnnedge.inspect import inspect, tflitefile
from rnnedge.inspect.trial import Trial, try_tflm
from rnnedge.tflmath import read
from tests.cli import rnnedge
from tests.models import float_model, quantized
from tests.tflmath.files import T, one

TFLITE = emit(quantized(float_model(1, units=4, cells=("gru", "gru")), window=6))


@st.composite
def damaged(draw):
    """A file with bytes flipped, cut out or put in."""
    content = bytearray(TFLITE)
    for _ in range(draw(st.integers(1, 8))):
        if not content:
            break
        at = draw(st.integers(0, len(content) - 1))
        match draw(st.sampled_from(["flip", "set", "cut", "insert", "end"])):
            case "flip":
                content[at] ^= 1 << draw(st.integers(0, 7))
            case "set":  # an offset or a length becomes huge
                content[at : at + 4] = draw(st.binary(min_size=4, max_size=4))
            case "cut":
                del content[at : at + draw(st.integers(1, 64))]
            case "insert":
                content[at:at] = draw(st.binary(max_size=64))
            case "end":
                del content[at:]
    return bytes(content)


def analysed(content):
    """Describe a file, but for the child process; return the error, if it is one."""
    refused = Trial(loads=False, runs=False, message="not asked", arena=None)
    with (
        patch.object(tflitefile, "try_tflm", return_value=refused),
        patch.object(tflitefile, "made_of", return_value={}),
    ):
        try:
            document = tflitefile.describe(content, "fuzzed.tflite")
        except ModelError as error:
            return str(error)
    json.dumps(document, allow_nan=False)
    with redirect_stdout(StringIO()):
        _show({"file": "fuzzed.tflite", **document})
    return None


@given(damaged())
@settings(max_examples=400)
@example(b"")
@example(TFLITE[:8])
@example(TFLITE[:-1])
@example(b"\xff\xff\xff\xffTFL3" + bytes(64))
def test_no_damage_reaches_the_user_but_as_one_line(content):
    start = time.monotonic()
    message = analysed(content)
    assert time.monotonic() - start < 5
    if message is not None:
        assert message.startswith("fuzzed.tflite: ")
        assert "\n" not in message
        assert len(message) < 300


def test_every_length_of_a_truncated_file_is_an_error_or_read():
    """The last bytes are only padding; whatever is cut before them is noticed."""
    errors = [analysed(TFLITE[:size]) for size in range(0, len(TFLITE), 7)]
    assert all(error is not None for error in errors)


def bomb(count):
    """A small file in which many vectors share one table: each look costs, memory does not."""
    tensor = T(type="FLOAT32", shape=(1, 4), name="x" * 60_000)
    content = bytearray(one("COS", [tensor], [tensor]))
    at = content.index(b"x" * 60_000)
    content += b"\0" * (-len(content) % 4)
    # one more vector of tensors, `count` times the first tensor, takes the subgraph's place
    import struct

    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    graph = schema.Model.GetRootAsModel(bytes(content), 0).Subgraphs(0)
    table = graph.Tensors(0)._tab.Pos
    field = graph._tab.Pos + graph._tab.Offset(4)
    vector = len(content)
    content += struct.pack("<I", count)
    for index in range(count):
        place = vector + 4 + 4 * index
        content += struct.pack("<I", (table - place) & 0xFFFFFFFF)
    content[field : field + 4] = struct.pack("<I", vector - field)
    assert at
    return bytes(content)


def test_a_file_whose_tables_share_their_content_is_refused_in_time():
    start = time.monotonic()
    with pytest.raises(ModelError, match="damaged .tflite file"):
        read(bomb(200_000))
    assert time.monotonic() - start < 30


@given(damaged())
@settings(max_examples=12)
def test_the_interpreter_may_crash_but_not_this_process(content):
    trial = try_tflm(content, 1, timeout=30)
    assert trial.runs == (trial.message == "")
    assert "\n" not in trial.message


def test_inspect_of_damaged_files_ends_in_a_document_or_one_line(tmp_path):
    path = tmp_path / "model.tflite"
    for at in range(0, len(TFLITE), 997):
        content = bytearray(TFLITE)
        content[at : at + 4] = b"\xff\xff\xff\x7f"
        path.write_bytes(content)
        try:
            assert inspect(path)["kind"] == "tflite"
        except RnnedgeError as error:
            assert str(error).startswith(f"{path}: ")
            assert "\n" not in str(error)


@pytest.mark.parametrize("size", [0, 7, 8, 100, len(TFLITE) // 2, len(TFLITE) - 40])
def test_the_command_ends_in_one_line(tmp_path, size):
    path = tmp_path / "model.tflite"
    path.write_bytes(TFLITE[:size])
    rnnedge("inspect", path).refused("model.tflite", ".tflite file")


def test_names_cannot_steer_the_terminal(tmp_path):
    tensor = T(type="INT8", shape=(1, 4), scale=0.5, name="a\x1b[2Jb\nc")
    path = tmp_path / "model.tflite"
    path.write_bytes(one("TANH", [tensor], [T(type="INT8", shape=(1, 4), scale=2.0**-7)]))
    done = rnnedge("inspect", path)
    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    assert "a?[2Jb?c" in done.out
