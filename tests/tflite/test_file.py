"""The rules that keep an emitted file runnable on every TFLite Micro build, read from the file."""

import json
from dataclasses import replace

import numpy as np
import pytest

import rnnedge
from rnnedge.convert.tflite import METADATA, emit, input_scale, output_scale
from rnnedge.modelfile import model_hash

ALLOWED = {
    "ADD": 3, "FULLY_CONNECTED": 7, "LESS": 1, "LOGISTIC": 3, "MUL": 4, "RESHAPE": 1,
    "SLICE": 4, "SPLIT": 4, "SUB": 5, "TANH": 3, "WHILE": 1,
}  # fmt: skip
STATE, GATE = 2.0**-15, 2.0**-12


class File:
    """A parsed .tflite file."""

    def __init__(self, content):
        from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

        self.content = content
        self.schema = schema
        self.raw = schema.Model.GetRootAsModel(content, 0)
        self.model = schema.ModelT.InitFromObj(self.raw)
        self.ops = {
            value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()
        }
        self.types = {
            value: name for name, value in vars(schema.TensorType).items() if name.isupper()
        }

    def operators(self):
        for graph in self.model.subgraphs:
            for operator in graph.operators:
                code = self.model.operatorCodes[operator.opcodeIndex]
                pick = [graph.tensors[i] if i >= 0 else None for i in operator.inputs]
                outs = [graph.tensors[i] for i in operator.outputs]
                yield self.ops[code.builtinCode], pick, outs

    def type(self, tensor):
        return self.types[tensor.type]

    def data(self, tensor, dtype):
        return self.model.buffers[tensor.buffer].data.view(dtype)


@pytest.fixture(
    params=[(True, 1), (False, 1), (True, 2), (False, 2)], ids=["after", "before", "2a", "2b"]
)
def file(request, models):
    reset_after, layers = request.param
    shape = models.Shape(units=7, reset_after=reset_after, layers=layers, limit=5.3)
    return File(emit(models.random_model(2, shape)))


def scale(tensor):
    return None if tensor.quantization is None else float(tensor.quantization.scale[0])


def test_only_known_operators_in_their_versions_are_used(file):
    found = {file.ops[code.builtinCode]: code.version for code in file.model.operatorCodes}
    assert found == ALLOWED
    assert {code.deprecatedBuiltinCode for code in file.model.operatorCodes} == {
        code.builtinCode for code in file.model.operatorCodes
    }


def test_every_quantised_tensor_has_one_scale_and_zero_point_zero(file):
    for graph in file.model.subgraphs:
        for tensor in graph.tensors:
            if file.type(tensor) in ("INT8", "INT16", "INT64"):
                assert len(tensor.quantization.scale) == 1, tensor.name
                assert list(tensor.quantization.zeroPoint) == [0], tensor.name
            else:
                assert tensor.quantization is None, tensor.name


def test_fully_connected_is_what_cmsis_nn_accepts(file):
    """int16 x int8 per tensor, int64 bias in the product's scale, no fused activation."""
    seen = 0
    for op, (x, *rest), outs in file.operators():
        if op == "FULLY_CONNECTED":
            w, bias = rest
            assert [file.type(t) for t in (x, w, outs[0])] == ["INT16", "INT8", "INT16"]
            assert len(outs[0].shape) == 2
            if bias is not None:
                assert file.type(bias) == "INT64"
                assert scale(bias) == pytest.approx(scale(x) * scale(w), rel=1e-6)
                assert bias.shape.tolist() == [w.shape[0]]
            seen += 1
    assert seen >= 5


def test_the_kernels_15_bit_multipliers_of_the_products_are_exact(file):
    """The int16 kernels keep 15 bits of scale_x * scale_w / scale_out; none may be lost."""
    for op, inputs, outs in file.operators():
        if op == "FULLY_CONNECTED":
            product = np.float32(scale(inputs[0])) * np.float32(scale(inputs[1]))
            wanted = float(product) / scale(outs[0])
            fraction, exponent = np.frexp(wanted)
            kept = round(fraction * 2**31) + (1 << 15) >> 16
            assert 1 << 14 < kept < (1 << 15) - 1
            assert kept * 2.0 ** (exponent - 15) == pytest.approx(wanted, rel=1e-6)
            assert -31 <= exponent <= 7


def test_gates_are_q3_12_in_and_q0_15_out(file):
    for op, inputs, outs in file.operators():
        if op in ("LOGISTIC", "TANH"):
            assert (scale(inputs[0]), scale(outs[0])) == (GATE, STATE)


def test_elementwise_operators_never_broadcast(file):
    for op, inputs, outs in file.operators():
        if op in ("ADD", "SUB", "MUL"):
            shapes = {tuple(t.shape.tolist()) for t in (*inputs, *outs)}
            assert len(shapes) == 1, (op, shapes)


def test_the_loop_carries_equal_types_shapes_and_scales_on_all_edges(file):
    main, cond, body = file.model.subgraphs
    (loop,) = [op for op in main.operators if len(op.inputs) == len(op.outputs) > 2]
    edges = zip(
        *([graph.tensors[i] for i in ids] for graph, ids in (
            (main, loop.inputs), (main, loop.outputs), (cond, cond.inputs),
            (body, body.inputs), (body, body.outputs),
        )),
        strict=True,
    )  # fmt: skip
    for number, tensors in enumerate(edges):
        kinds = {(file.type(t), tuple(t.shape.tolist()), scale(t)) for t in tensors}
        assert len(kinds) == 1, kinds
        if number >= 2:
            assert kinds.pop()[2] == STATE
    assert [file.type(cond.tensors[i]) for i in cond.outputs] == ["BOOL"]


def test_every_tensor_is_named_written_once_and_used(file):
    for graph in file.model.subgraphs:
        names = [tensor.name for tensor in graph.tensors]
        assert len(set(names)) == len(names)
        assert all(names)
        produced = [i for op in graph.operators for i in op.outputs] + list(graph.inputs)
        constants = [i for i, tensor in enumerate(graph.tensors) if tensor.buffer]
        assert sorted(produced + constants) == list(range(len(names)))
        used = {i for op in graph.operators for i in op.inputs if i >= 0} | set(graph.outputs)
        loop = {i for op in graph.operators if len(op.outputs) > 2 for i in op.outputs}
        signature = set(graph.inputs)  # the condition sees all that the loop carries
        assert set(range(len(names))) == used | loop | signature


def test_buffers_are_aligned_to_16_bytes_stored_once_and_all_used(file):
    raw = file.raw
    assert file.content[4:8] == b"TFL3"
    assert len(file.content) % 16 == 0
    assert raw.Buffers(0).DataIsNone()
    for index in range(1, raw.BuffersLength()):
        start = raw.Buffers(index)._tab.Vector(raw.Buffers(index)._tab.Offset(4))
        assert start % 16 == 0, index
    contents = [bytes(b.data) for b in file.model.buffers[1:]]
    assert len(set(contents)) == len(contents)
    used = {t.buffer for g in file.model.subgraphs for t in g.tensors}
    used |= {entry.buffer for entry in file.model.metadata}
    assert used == set(range(len(file.model.buffers)))


def test_the_weights_are_the_rows_of_the_model_unchanged(models):
    model = models.random_model(4, models.Shape(units=5))
    layer, file = model.recurrent[0], File(emit(model))
    found = {t.name.decode(): t for t in file.model.subgraphs[2].tensors}
    for name, rows in (("x", layer.W), ("h", layer.U)):
        got = [file.data(found[f"{gate}_{name}_w"], np.int8) for gate in ("zr", "n")]
        assert np.array_equal(np.concatenate(got), rows.ravel())
    gain = file.data(found["zr_p_gain"], np.int16)
    assert np.array_equal(gain, layer.multiplier[:10] * np.repeat([-1, 1], 5))


def test_the_graph_takes_one_window_and_gives_one_score_per_class(models):
    model = models.random_model(4, models.Shape(window=11, channels=3, classes=6, limit=5.3))
    file = File(emit(model))
    main = file.model.subgraphs[0]
    (x,), (y,) = ([main.tensors[i] for i in ids] for ids in (main.inputs, main.outputs))
    assert (file.type(x), x.shape.tolist(), scale(x)) == ("INT16", [1, 11, 3], input_scale(model))
    assert (file.type(y), y.shape.tolist(), scale(y)) == ("INT16", [1, 6], output_scale(model))
    assert input_scale(model) == pytest.approx(5.3 / 2**15)


def test_equal_models_give_equal_bytes(models):
    shape = models.Shape(units=6, layers=2)
    assert emit(models.random_model(3, shape)) == emit(models.random_model(3, shape))
    assert emit(models.random_model(3, shape)) != emit(models.random_model(4, shape))


def test_description_and_metadata_say_where_the_file_comes_from(small):
    file = File(emit(small))
    assert file.model.version == 3
    assert file.model.description.decode() == f"rnnedge {rnnedge.__version__}"
    (entry,) = file.model.metadata
    assert entry.name.decode() == METADATA
    found = json.loads(bytes(file.model.buffers[entry.buffer].data))
    assert found["sha256"] == model_hash(small)
    assert found["classes"] == list(small.classes)
    normalisation = (small.input.mean.tolist(), small.input.std.tolist(), 7.3)
    assert (found["mean"], found["std"], found["limit"]) == normalisation
    assert File(emit(small, metadata=False)).model.metadata is None


def test_the_size_stays_what_the_guide_promises(models):
    """GRU-32, 64 steps of 3 channels, without metadata: at most 11.6 kB; 9.5 kB measured."""
    shape = models.Shape(units=32, channels=3, window=64)
    assert len(emit(models.random_model(1, shape), metadata=False)) < 9700


def test_a_row_that_the_kernels_would_overflow_is_refused(models):
    from rnnedge.errors import RangeError

    model = models.random_model(1, models.Shape(units=4, input_bits=8))
    layer = model.recurrent[0]
    bias = layer.bias.copy()
    bias[0] = 2**31 - 1
    layer = replace(layer, bias=bias, multiplier=np.full_like(layer.multiplier, 255))
    with pytest.raises(RangeError, match="zr_p: row sums times gain exceed 31 bits by"):
        emit(replace(model, layers=(layer, *model.dense)))
