"""The rules that keep an emitted file runnable on every TFLite Micro build, read from the file."""

import json
from dataclasses import replace

import numpy as np
import pytest

import rnnedge
from rnnedge.convert.tflite import (
    METADATA,
    Variant,
    as_input,
    emit,
    input_scale,
    input_type,
    output_scale,
    variants,
)
from rnnedge.modelfile import model_hash
from rnnedge.targets.tflm import run_tflm
from tests.tflite.cases import CASES, case, samples

VERSIONS = {
    "ADD": 3, "ASSIGN_VARIABLE": 1, "CALL_ONCE": 1, "CONCATENATION": 3, "FULLY_CONNECTED": 7,
    "LESS": 1, "LOGISTIC": 3, "MUL": 4, "QUANTIZE": 3, "READ_VARIABLE": 1, "RESHAPE": 1,
    "SLICE": 4, "SPLIT": 4, "SUB": 5, "TANH": 3, "UNIDIRECTIONAL_SEQUENCE_LSTM": 1,
    "VAR_HANDLE": 1, "WHILE": 1,
}  # fmt: skip
STATE, GATE, WIDE = 2.0**-15, 2.0**-12, 2.0**-11
FILES = [(name, variant) for name in CASES for variant in variants(case(name))]


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


@pytest.fixture(params=FILES, ids=lambda pair: f"{pair[0]}-{pair[1].name}")
def file(request):
    name, variant = request.param
    found = File(emit(case(name), variant))
    found.variant, found.quantized = variant, case(name)
    return found


def scale(tensor):
    return None if tensor.quantization is None else float(tensor.quantization.scale[0])


def is_power_of_two(value):
    return np.frexp(value)[0] == 0.5


def test_only_known_operators_in_their_versions_are_used(file):
    for code in file.model.operatorCodes:
        assert VERSIONS[file.ops[code.builtinCode]] == code.version
        assert code.deprecatedBuiltinCode == min(code.builtinCode, 127)
    used = {op.opcodeIndex for graph in file.model.subgraphs for op in graph.operators}
    assert used == set(range(len(file.model.operatorCodes)))


def test_a_stream_never_runs_the_fused_lstm_and_only_pure_lstms_do(file):
    names = {op for op, _, _ in file.operators()}
    kinds = {layer.kind for layer in file.quantized.recurrent}
    fused = file.variant.form == "window" and kinds == {"lstm"}
    assert ("UNIDIRECTIONAL_SEQUENCE_LSTM" in names) == fused
    assert file.variant.form == "window" or "WHILE" not in names


def test_every_quantised_tensor_has_zero_point_zero_and_one_scale_but_int8_rows(file):
    rows = {
        id(tensor)
        for op, inputs, _ in file.operators()
        if op == "FULLY_CONNECTED" and file.type(inputs[0]) == "INT8"
        for tensor in inputs[1:]
        if tensor is not None
    }
    for graph in file.model.subgraphs:
        for tensor in graph.tensors:
            kind = file.type(tensor)
            if kind in ("INT8", "INT16", "INT64") or id(tensor) in rows:
                scales = list(tensor.quantization.scale)
                assert len(scales) == (tensor.shape[0] if id(tensor) in rows else 1), tensor.name
                assert all(value > 0 for value in scales)
                assert list(tensor.quantization.zeroPoint) == [0] * len(scales), tensor.name
                assert tensor.quantization.quantizedDimension == 0
            elif kind != "INT32":
                assert tensor.quantization is None, tensor.name


def test_fully_connected_is_what_cmsis_nn_accepts(file):
    """int16: one scale, int64 bias; int8: a scale a row, int32 bias; biases in the product's."""
    seen = 0
    for op, inputs, outs in file.operators():
        if op == "FULLY_CONNECTED":
            (x, w, bias), (out,) = inputs, outs
            wide = file.type(x) == "INT16"
            assert [file.type(t) for t in (w, out)] == ["INT8", file.type(x)]
            assert out.shape.tolist() == [1, w.shape[0]]
            assert w.buffer > 0
            assert len(w.quantization.scale) == (1 if wide else w.shape[0])
            if bias is not None:
                assert file.type(bias) == ("INT64" if wide else "INT32")
                product = scale(x) * np.array(w.quantization.scale)
                assert np.allclose(bias.quantization.scale, product, rtol=1e-6, atol=0)
                assert bias.shape.tolist() == [w.shape[0]]
            seen += 1
    assert seen >= 1


def test_the_kernels_15_bit_multipliers_of_the_products_are_exact(file):
    """The int16 kernels keep 15 bits of scale_x * scale_w / scale_out; none may be lost."""
    for op, inputs, outs in file.operators():
        if op == "FULLY_CONNECTED" and file.type(inputs[0]) == "INT16":
            pairs = [(inputs[0], inputs[1], scale(outs[0]))]
        elif op == "UNIDIRECTIONAL_SEQUENCE_LSTM" and file.type(inputs[0]) == "INT16":
            pairs = [(inputs[0], w, GATE) for w in inputs[1:5]]
            pairs += [(inputs[18], u, GATE) for u in inputs[5:9]]
        else:
            continue
        for x, w, out in pairs:
            product = np.float32(scale(x)) * np.float32(scale(w))
            wanted = float(product) / out
            fraction, exponent = np.frexp(wanted)
            kept = round(fraction * 2**31) + (1 << 15) >> 16
            assert 1 << 14 < kept < (1 << 15) - 1
            assert kept * 2.0 ** (exponent - 15) == pytest.approx(wanted, rel=1e-6)
            assert -31 <= exponent <= 7


def test_gates_are_q3_12_in_and_q0_15_out_and_tanh_takes_a_power_of_two(file):
    for op, inputs, outs in file.operators():
        if op in ("LOGISTIC", "TANH"):
            assert {file.type(t) for t in (*inputs, *outs)} == {"INT16"}
            assert scale(outs[0]) == STATE
            assert is_power_of_two(scale(inputs[0]))
            assert op == "TANH" or scale(inputs[0]) in (GATE, WIDE)


def test_elementwise_operators_never_broadcast_and_keep_their_type(file):
    for op, inputs, outs in file.operators():
        if op in ("ADD", "SUB", "MUL"):
            shapes = {tuple(t.shape.tolist()) for t in (*inputs, *outs)}
            assert len(shapes) == 1, (op, shapes)
            assert {file.type(t) for t in (*inputs, *outs)} in ({"INT16"}, {"INT32"})


def test_what_moves_values_keeps_type_and_scale(file):
    for op, inputs, outs in file.operators():
        if op in ("SLICE", "RESHAPE", "CONCATENATION", "SPLIT"):
            data = {"SLICE": inputs[:1], "SPLIT": inputs[1:]}.get(op, inputs)
            assert len({(file.type(t), scale(t)) for t in (*data, *outs)}) == 1, op
        if op == "QUANTIZE":
            kinds = [file.type(t) for t in (inputs[0], outs[0])]
            assert kinds in (["INT16", "INT8"], ["INT8", "INT16"])


def test_loops_carry_equal_types_shapes_and_scales_on_all_edges(file):
    graphs = file.model.subgraphs
    for graph in graphs:
        for loop in graph.operators:
            if file.ops[file.model.operatorCodes[loop.opcodeIndex].builtinCode] != "WHILE":
                continue
            options = loop.builtinOptions
            cond, body = graphs[options.condSubgraphIndex], graphs[options.bodySubgraphIndex]
            edges = zip(
                *([part.tensors[i] for i in ids] for part, ids in (
                    (graph, loop.inputs), (graph, loop.outputs), (cond, cond.inputs),
                    (body, body.inputs), (body, body.outputs),
                )),
                strict=True,
            )  # fmt: skip
            for number, tensors in enumerate(edges):
                kinds = {(file.type(t), tuple(t.shape.tolist()), scale(t)) for t in tensors}
                assert len(kinds) == 1, kinds
                if number >= 2:
                    kind, _, unit = kinds.pop()
                    assert (kind, is_power_of_two(unit)) == ("INT16", True)
            assert [file.type(cond.tensors[i]) for i in cond.outputs] == ["BOOL"]


def test_the_states_of_a_stream_have_one_type_shape_and_scale(file):
    main = file.model.subgraphs[0]
    if (file.variant.form, file.variant.state) == ("stream", "io"):
        before = [main.tensors[i] for i in main.inputs[1:]]
        after = [main.tensors[i] for i in main.outputs[1:]]
        assert len(before) == len(after) >= 1
        for a, b in zip(before, after, strict=True):
            assert file.type(a) == file.type(b) == "INT16"
            assert a.shape.tolist() == b.shape.tolist()
            assert scale(a) == scale(b)
    else:
        assert (len(main.inputs), len(main.outputs)) == (1, 1)


def test_variables_are_int16_zero_at_first_read_and_written_once(file):
    if file.variant.state != "variables":
        assert not {"VAR_HANDLE", "CALL_ONCE"} & {op for op, _, _ in file.operators()}
        return
    main, init = file.model.subgraphs
    first = main.operators[0]
    assert file.ops[file.model.operatorCodes[first.opcodeIndex].builtinCode] == "CALL_ONCE"
    assert first.builtinOptions.initSubgraphIndex == 1
    found = list(file.operators())
    handles = [outs[0] for op, _, outs in found if op == "VAR_HANDLE"]
    assert {file.type(t) for t in handles} == {"RESOURCE"}
    written = [inputs[1] for op, inputs, _ in found if op == "ASSIGN_VARIABLE"]
    read = [outs[0] for op, _, outs in found if op == "READ_VARIABLE"]
    assert len(written) == 2 * len(read) == len(handles)
    next_state, zeros = written[: len(read)], written[len(read) :]
    for a, b, c in zip(read, next_state, zeros, strict=True):
        assert {file.type(t) for t in (a, b, c)} == {"INT16"}
        assert scale(a) == scale(b) == scale(c)
        assert not file.data(c, np.int16).any()
    assert len(init.operators) == 2 * len(read)


def test_the_fused_lstm_is_what_both_kernels_accept(file):
    for op, inputs, outs in file.operators():
        if op != "UNIDIRECTIONAL_SEQUENCE_LSTM":
            continue
        (out,) = outs
        wide = file.type(inputs[0]) == "INT16"
        assert len(inputs) == 24
        none = [index for index, tensor in enumerate(inputs) if tensor is None]
        assert none == [9, 10, 11, 16, 17, 20, 21, 22, 23]
        assert {file.type(t) for t in inputs[1:9]} == {"INT8"}
        assert {file.type(t) for t in inputs[12:16]} == {"INT64" if wide else "INT32"}
        for w, bias in zip(inputs[1:5], inputs[12:16], strict=True):
            assert scale(bias) == pytest.approx(scale(inputs[0]) * scale(w), rel=1e-6)
        h, c = inputs[18], inputs[19]
        assert (h.isVariable, c.isVariable) == (True, True)
        assert (file.type(h), scale(h)) == (file.type(out), scale(out))
        assert (file.type(c), is_power_of_two(scale(c))) == ("INT16", True)
    for graph in file.model.subgraphs:
        for operator in graph.operators:
            code = file.model.operatorCodes[operator.opcodeIndex].builtinCode
            if file.ops[code] == "UNIDIRECTIONAL_SEQUENCE_LSTM":
                options = operator.builtinOptions
                c = scale(graph.tensors[operator.inputs[19]])
                assert options.cellClip / c >= 32767, "0 is none to one kernel, zero to the other"
                assert (options.timeMajor, options.projClip) == (False, 0.0)
                assert options.fusedActivationFunction == file.schema.ActivationFunctionType.TANH


def test_every_tensor_is_named_written_once_and_used(file):
    for graph in file.model.subgraphs:
        names = [tensor.name for tensor in graph.tensors]
        assert len(set(names)) == len(names)
        assert all(names)
        produced = [i for op in graph.operators for i in op.outputs] + list(graph.inputs)
        constants = [i for i, t in enumerate(graph.tensors) if t.buffer or t.isVariable]
        assert sorted(produced + constants) == list(range(len(names)))
        used = {i for op in graph.operators for i in op.inputs if i >= 0} | set(graph.outputs)
        loops = {
            i
            for op in graph.operators
            for i in op.outputs
            if file.ops[file.model.operatorCodes[op.opcodeIndex].builtinCode] == "WHILE"
        }
        signature = set(graph.inputs)  # the condition sees all that the loop carries
        assert set(range(len(names))) == used | loops | signature


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
    assert used | {0} == set(range(len(file.model.buffers)))


def test_the_graph_takes_samples_and_gives_one_score_for_each_class(file):
    model, variant = file.quantized, file.variant
    main = file.model.subgraphs[0]
    x, y = main.tensors[main.inputs[0]], main.tensors[main.outputs[0]]
    assert (x.name, file.type(x)) == (b"x", input_type(variant).upper())
    assert scale(x) == input_scale(model, variant)
    assert scale(x) == pytest.approx(5.3 / (2**7 if variant.precision == "8x8" else 2**15))
    assert (file.type(y), scale(y)) == ("INT16", output_scale(model))
    assert is_power_of_two(scale(y))
    steps = [model.window] if variant.form == "window" else []
    every_step = steps if model.recurrent[-1].return_sequences else []
    assert x.shape.tolist() == [1, *steps, 3]
    assert y.shape.tolist() == [1, *every_step, 4]


def test_the_weights_are_the_rows_of_the_model_unchanged(models):
    model = models.random_model(4, models.Shape(units=5))
    layer, file = model.recurrent[0], File(emit(model))
    found = {t.name.decode(): t for t in file.model.subgraphs[2].tensors}
    W, U = (file.data(found[f"p_{name}_w"], np.int8).reshape(20, -1) for name in "xh")
    assert np.array_equal(W[:15], layer.W)
    assert np.array_equal(U[[*range(10), *range(15, 20)]], layer.U)
    assert not W[15:].any()
    assert not U[10:15].any()
    gain = file.data(found["p_gain"], np.int16)
    m = layer.multiplier.astype(int)
    assert np.array_equal(gain, np.r_[-2 * m[:5], 2 * m[5:10], m[10:], m[10:]])


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


@pytest.mark.parametrize(
    ("name", "variant", "size", "arena"),
    [
        ("gru", Variant(), 9900, 6592),
        ("gru_before", Variant(), 8900, 7200),
        ("lstm", Variant(), 8300, 7168),
        ("lstm", Variant(precision="8x8"), 7900, 4992),
        ("rnn", Variant(), 4700, 4608),
    ],
    ids=lambda value: value.name if isinstance(value, Variant) else value,
)
def test_sizes_and_arenas_of_32_units_stay_what_is_promised(name, variant, size, arena):
    """64 steps of 3 channels, without metadata; and not far below, or the figures are stale."""
    model = case(name, units=32, window=64)
    content = emit(model, variant, metadata=False)
    assert 0.97 * size < len(content) <= size
    x = as_input(samples(model, 3), variant)
    assert np.array_equal(run_tflm(content, x, arena), run_tflm(content, x, 1 << 20))


def test_a_row_that_the_kernels_would_overflow_is_refused(models):
    from rnnedge.errors import RangeError

    model = models.random_model(1, models.Shape(units=4, input_bits=8))
    layer = model.recurrent[0]
    bias = layer.bias.copy()
    bias[0] = 2**31 - 1
    layer = replace(layer, bias=bias, multiplier=np.full_like(layer.multiplier, 255))
    with pytest.raises(RangeError, match="p: row sums times gain exceed 31 bits by"):
        emit(replace(model, layers=(layer, *model.dense)))
