"""Damaged .tflite files: one clear line, no crash, no hang, whatever the damage."""

import json
import time
from contextlib import redirect_stdout
from io import StringIO
from unittest.mock import patch

import flatbuffers
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
from tests.tflmath.files import G, Op, T, one, pack
from tests.tflmath.files import s as schema

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
    """A small, valid file whose subgraph lists one tensor `count` times, with a long name."""
    builder = flatbuffers.Builder(1 << 16)
    name = builder.CreateString("x" * 60_000)
    schema.TensorStart(builder)
    schema.TensorAddName(builder, name)
    tensor = schema.TensorEnd(builder)
    schema.SubGraphStartTensorsVector(builder, count)
    for _ in range(count):
        builder.PrependUOffsetTRelative(tensor)
    tensors = builder.EndVector()
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, tensors)
    graph = schema.SubGraphEnd(builder)
    schema.ModelStartSubgraphsVector(builder, 1)
    builder.PrependUOffsetTRelative(graph)
    graphs = builder.EndVector()
    schema.BufferStart(builder)
    buffer = schema.BufferEnd(builder)
    schema.ModelStartBuffersVector(builder, 1)
    builder.PrependUOffsetTRelative(buffer)
    buffers = builder.EndVector()
    schema.ModelStart(builder)
    schema.ModelAddSubgraphs(builder, graphs)
    schema.ModelAddBuffers(builder, buffers)
    builder.Finish(schema.ModelEnd(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_a_file_whose_tables_share_their_content_is_refused_in_time():
    """Read out, 200,000 names of 60,000 bytes would fill the memory."""
    assert len(read(bomb(3)).subgraphs[0].tensors) == 3
    start = time.monotonic()
    with pytest.raises(ModelError, match="more tables than such a file can hold"):
        read(bomb(200_000))
    assert time.monotonic() - start < 30


def test_an_operator_without_its_tensors_is_refused():
    x = T(type="INT16", shape=(1, 4), scale=2.0**-12)
    for op, inputs in (("LOGISTIC", []), ("LOGISTIC", [-1]), ("FULLY_CONNECTED", [0])):
        broken = Op(name=op, inputs=inputs, outputs=[1])
        tflite = pack(G(tensors=[x, x], inputs=[0], outputs=[1], operators=[broken]))
        with pytest.raises(ModelError, match=f"{op} with {len(inputs)} inputs and 1 outputs"):
            read(tflite)


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
