"""The model as C: <name>.h, <name>_model.c and weights by kernel; data only, no logic."""

from collections.abc import Sequence

import numpy as np

import rnnedge
from rnnedge.convert.c.instance import counts_declaration, counts_table, memory
from rnnedge.convert.c.layers import cell, dense, dense_entry, directions, layer_entry
from rnnedge.convert.c.packing import PACKINGS
from rnnedge.convert.c.sequences import sequences
from rnnedge.convert.c.task import channels, has_task, task
from rnnedge.convert.c.text import array, comment_list, comment_text, name_text, string
from rnnedge.convert.timing import sample_rate
from rnnedge.counts import CountsMap
from rnnedge.modelfile import model_hash
from rnnedge.spec import CONTRACT, EmbeddingLayer, InputLayer, QuantizedModel


def const_bytes(model: QuantizedModel) -> int:
    """Return the bytes of weights, biases and scales, as they are before any packing."""
    layers = [*model.cells, *model.dense]
    if model.start is not None:
        layers.append(model.start.dense)
    own: int = sum(getattr(layer, name).nbytes for layer in layers for name in layer.DTYPES)
    table = model.input.table.nbytes if isinstance(model.input, EmbeddingLayer) else 0
    return own + table + (0 if model.encoder is None else const_bytes(model.encoder))


def scratch_size(model: QuantizedModel, kernel: str = "rows") -> int:
    """Return the int32 values of scratch that `model` needs with a kernel."""
    packing = PACKINGS[kernel]
    between = sum(layer.units for layer in model.dense[:-1])  # int16 outputs of hidden layers
    features = 0 if model.start is None else model.start.input.channels  # int16
    encoder = 0 if model.encoder is None else scratch_size(model.encoder, kernel)
    cells = (packing.scratch(cell) for cell in model.cells)
    return max(*cells, -(-between // 2), -(-features // 2), encoder)


def ram_bytes(model: QuantizedModel, kernel: str = "rows") -> int:
    """Return the bytes of one state (or window buffer) and the scratch."""
    state = model.buffer_size if model.bidirectional else model.state_size
    return 2 * state + 4 * scratch_size(model, kernel)


def header(model: QuantizedModel, kernels: Sequence[str], counts: CountsMap) -> str:
    """Return the text of <name>.h for the kernels whose weights are exported."""
    name, prefix = model.name, model.name.upper()
    declared = "" if model.encoder is None else f"extern const rnnedge_model {name}_encoder;\n"
    counted = [] if isinstance(model.input, EmbeddingLayer) else [counts_declaration(model, counts)]
    return f"""{_first_lines(model, f"{name}.h")}
#ifndef {prefix}_H
#define {prefix}_H

#include "rnnedge/include/rnnedge.h"

#if RNNEDGE_ABI != {CONTRACT}
#error "{name}.h was exported for another version of the runtime: run rnnedge export again"
#endif

#ifdef __cplusplus
extern "C" {{
#endif

{_input(model)}
#define {prefix}_INPUTS {model.input.channels}
#define {prefix}_RAW_VALUES {model.input.raw_values}

/* Time steps of a training window */
#define {prefix}_WINDOW {model.window}

{_sizes(model, kernels)}

{_scores(model)}
#define {prefix}_OUTPUTS {model.outputs}

{"".join(f"{part}{chr(10) * 2}" for part in sequences(model))}{memory(model)}

extern const rnnedge_model {name};
{declared}
{"".join(f"{part}{chr(10) * 2}" for part in counted)}#ifdef __cplusplus
}}
#endif

#endif /* {prefix}_H */
"""


def source(model: QuantizedModel, kernels: Sequence[str], counts: CountsMap) -> str:
    """Return the text of <name>_model.c."""
    name, scratch = model.name, f"{model.name.upper()}_SCRATCH_SIZE"
    parts = [
        f'{_first_lines(model, f"{name}_model.c")}\n#include "{name}.h"\n\n#include <stddef.h>'
    ]
    includes = [f'#include "{name}/weights_{kernel}.h"' for kernel in kernels]
    parts.append("\n".join(_by_kernel(kernels, includes)))
    digest = np.frombuffer(bytes.fromhex(model_hash(model)), np.uint8)
    declaration = f"static const uint8_t {name}_sha256[32] RNNEDGE_FLASH"
    sha256 = array(declaration, "Of the quantised model", [("", digest)])
    if model.encoder is None:
        return "\n\n".join([*parts, *_model(model, name, scratch, counts, sha256)]) + "\n"
    encoder = _model(model.encoder, f"{name}_encoder", scratch, None, "")
    return "\n\n".join([*parts, sha256, *encoder, *_model(model, name, scratch, counts, "")]) + "\n"


def _model(
    model: QuantizedModel, name: str, scratch: str, counts: CountsMap | None, sha256: str
) -> list[str]:
    """Return the definitions of a model, or of an encoder, called `name`.

    Args:
        model: the model.
        name: starts every name.
        scratch: the macro of its size.
        counts: of a model with channels, its map of counts; None: an encoder's.
        sha256: the definition of the hash, or "" if it is there already.
    """
    parts: list[str] = []
    for i, layer in enumerate(model.dense):
        parts += dense(layer, f"{name}_dense{i}")
    for kind, entries in (
        ("layer", [layer_entry(x, f"{name}_layer{i}") for i, x in enumerate(model.recurrent)]),
        ("dense", [dense_entry(x, f"{name}_dense{i}") for i, x in enumerate(model.dense)]),
    ):
        first = f"static const rnnedge_{kind} {name}_{kind}s[{len(entries)}] RNNEDGE_FLASH = {{"
        parts += ["\n".join([first, *entries, "};"])] if entries else []
    if isinstance(model.input, InputLayer):
        parts.append(channels(model.input, f"{name}_channels", model.channels))
        parts += [] if counts is None else [counts_table(model, counts)]
    parts += [_classes(model)] if model.classes else []
    parts += [sha256] if sha256 else []
    parts += task(model, name)
    fields = {
        "abi": "RNNEDGE_ABI",
        "inputs": model.input.channels,
        "outputs": model.outputs,
        "window": model.window,
        "every": model.every,
        "state_size": model.state_size,
        "scratch_size": scratch,
        "fraction_bits": model.fraction_bits if model.dense else 0,
        "n_layers": len(model.recurrent),
        "n_dense": len(model.dense),
        "bidirectional": int(model.bidirectional),
        "layers": f"{name}_layers",
        "dense": f"{name}_denses" if model.dense else "NULL",
        "channels": f"{name}_channels" if isinstance(model.input, InputLayer) else "NULL",
        "classes": f"{name}_classes" if model.classes else "NULL",
        "sha256": f"{name.removesuffix('_encoder') if model.encodes else name}_sha256",
        "task": f"&{name}_task" if has_task(model) else "NULL",
    }
    lines = [f"    .{field} = {value}," for field, value in fields.items()]
    parts.append("\n".join([f"const rnnedge_model {name} RNNEDGE_FLASH = {{", *lines, "};"]))
    return parts


def weights(model: QuantizedModel, kernel: str) -> str:
    """Return the text of <name>/weights_<kernel>.h: the cells, weights in the kernel's order."""
    name, packing = model.name, PACKINGS[kernel]
    version = f"GENERATED by rnnedge {rnnedge.__version__}. Do not edit."
    parts = [
        f"/* {name}/weights_{kernel}.h -- {version}\n * Weights for {name}_model.c to include. */"
    ]
    named = [(f"{name}_layer{i}", layer) for i, layer in enumerate(model.recurrent)]
    if model.encoder is not None:
        theirs = enumerate(model.encoder.recurrent)
        named += [(f"{name}_encoder_layer{i}", layer) for i, layer in theirs]
    for own, layer in named:
        for prefix, direction in directions(layer, own):
            packed = packing.pack(direction, prefix)
            parts += [*packed.arrays, *cell(direction, prefix, packed)]
    return "\n\n".join(parts) + "\n"


def _input(model: QuantizedModel) -> str:
    """Return the comment on a raw sample."""
    rate = "unknown rate" if model.rate is None else sample_rate(model.rate)
    if isinstance(model.input, EmbeddingLayer):
        return (
            f"/* Input: an id of 0..{model.input.rows - 1}, for rnnedge_step_id, or as a float\n"
            " * for rnnedge_step; each is a row of INPUTS values\n */"
        )
    units = ", ".join(
        f"{comment_text(channel)} [{comment_text(unit) or '?'}]"
        for channel, unit in zip(model.channels, model.channel_units, strict=True)
    )
    return f"/* Input, in this order, as floats for rnnedge_step: {rate}\n *   {units}\n */"


def _scores(model: QuantizedModel) -> str:
    """Return the comment on the scores."""
    units = ("",) * len(model.classes) if model.output is None else model.output.units
    names = comment_list(
        f"{index} {name_text(text)}" + (f" [{comment_text(unit)}]" if unit else "")
        for index, (text, unit) in enumerate(zip(model.classes, units, strict=True))
    )
    what = "one a class" if model.output is None else "values for rnnedge_target"
    return f"/* Scores, {what}; names in {model.name}.classes:\n{names}\n */"


def _by_kernel(kernels: Sequence[str], lines: Sequence[str]) -> list[str]:
    """Return preprocessor lines that choose among `lines`."""
    result = []
    for index, (kernel, line) in enumerate(zip(kernels, lines, strict=True)):
        word = "if" if index == 0 else "elif"
        result += [f"#{word} RNNEDGE_KERNEL == RNNEDGE_KERNEL_{kernel.upper()}", line]
    return [
        *result,
        "#else",
        '#error "no weights for this kernel: rnnedge export --target"',
        "#endif",
    ]


def _sizes(model: QuantizedModel, kernels: Sequence[str]) -> str:
    prefix = model.name.upper()
    if model.bidirectional:
        lines = [
            "/* Sees whole windows only (rnnedge_model_window): int16_t buffer[] */",
            f"#define {prefix}_BUFFER_SIZE {model.buffer_size}",
        ]
    else:
        lines = [
            "/* int16_t state[], one for each running instance */",
            f"#define {prefix}_STATE_SIZE {model.state_size}",
            "",
            "/* int16_t buffer[] of rnnedge_model_window */",
            f"#define {prefix}_BUFFER_SIZE {model.buffer_size}",
        ]
    times = model.window if model.recurrent[-1].return_sequences else 1
    lines += [
        "",
        "/* The layers' outputs at its start; scores[] has this many times outputs */",
        f"#define {prefix}_LAYER_VALUES {model.layer_values}",
        f"#define {prefix}_WINDOW_SCORES {times}",
    ]
    sizes = [f"#define {prefix}_SCRATCH_SIZE {scratch_size(model, k)}" for k in kernels]
    lines += ["", "/* int32_t scratch[], shared */", *_by_kernel(kernels, sizes)]
    return "\n".join(lines)


def _classes(model: QuantizedModel) -> str:
    name, count = model.name, len(model.classes)
    texts = [
        f"static const char {name}_class{i}[] RNNEDGE_FLASH = {string(text)};"
        for i, text in enumerate(model.classes)
    ]
    rows = [f"    {name}_class{i}," for i in range(count)]
    first = f"static const char *const {name}_classes[{count}] RNNEDGE_FLASH = {{"
    return "\n".join([*texts, first, *rows, "};"])


def _first_lines(model: QuantizedModel, file: str) -> str:
    layers = ", ".join(f"{layer.kind} {layer.inputs} to {layer.outputs}" for layer in model.layers)
    return (
        f"/* {file} -- GENERATED by rnnedge {rnnedge.__version__}. Do not edit.\n"
        " *\n"
        f" * model   {model.name}, sha256 {model_hash(model)}\n"
        f" * layers  {layers}\n"
        f" * bytes   {const_bytes(model)} of weights, biases and scales, before packing\n"
        f" * checked by {model.name}/{model.name}_golden.c with rnnedge_selftest()\n"
        " */"
    )
