"""The model as C: <name>.h, <name>_model.c and weights by kernel; data only, no logic."""

from collections.abc import Sequence

import numpy as np

import rnnedge
from rnnedge.convert.c.instance import counts_declaration, counts_table, memory
from rnnedge.convert.c.layers import cell, dense, dense_entry, directions, layer_entry
from rnnedge.convert.c.packing import PACKINGS
from rnnedge.convert.c.text import array, comment_text, float_literal, string
from rnnedge.convert.timing import sample_rate
from rnnedge.counts import CountsMap
from rnnedge.modelfile import model_hash
from rnnedge.spec import CONTRACT, QuantizedModel


def const_bytes(model: QuantizedModel) -> int:
    """Return the bytes of weights, biases and scales, as they are before any packing."""
    layers = (*model.cells, *model.dense)
    return sum(getattr(layer, name).nbytes for layer in layers for name in layer.DTYPES)


def scratch_size(model: QuantizedModel, kernel: str = "rows") -> int:
    """Return the int32 values of scratch that `model` needs with a kernel."""
    packing = PACKINGS[kernel]
    between = sum(layer.units for layer in model.dense[:-1])  # int16 outputs of hidden layers
    return max(*(packing.scratch(cell) for cell in model.cells), -(-between // 2))


def ram_bytes(model: QuantizedModel, kernel: str = "rows") -> int:
    """Return the bytes of one state (or window buffer) and the scratch."""
    state = model.buffer_size if model.bidirectional else model.state_size
    return 2 * state + 4 * scratch_size(model, kernel)


def header(model: QuantizedModel, kernels: Sequence[str], counts: CountsMap) -> str:
    """Return the text of <name>.h for the kernels whose weights are exported."""
    name, prefix = model.name, model.name.upper()
    units = ", ".join(
        f"{comment_text(channel)} [{comment_text(unit) or '?'}]"
        for channel, unit in zip(model.channels, model.channel_units, strict=True)
    )
    classes = ", ".join(f"{index} {comment_text(text)}" for index, text in enumerate(model.classes))
    rate = "unknown rate" if model.rate is None else sample_rate(model.rate)
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

/* Input, in this order, as floats for rnnedge_step: {rate}
 *   {units}
 */
#define {prefix}_INPUTS {model.input.channels}

/* Time steps of a training window */
#define {prefix}_WINDOW {model.window}

{_sizes(model, kernels)}

/* Scores, one a class; names in {name}.classes:
 *   {classes}
 */
#define {prefix}_OUTPUTS {model.outputs}

{memory(model)}

extern const rnnedge_model {name};

{counts_declaration(model, counts)}

#ifdef __cplusplus
}}
#endif

#endif /* {prefix}_H */
"""


def source(model: QuantizedModel, kernels: Sequence[str], counts: CountsMap) -> str:
    """Return the text of <name>_model.c."""
    name = model.name
    parts = [
        f'{_first_lines(model, f"{name}_model.c")}\n#include "{name}.h"\n\n#include <stddef.h>'
    ]
    includes = [f'#include "{name}/weights_{kernel}.h"' for kernel in kernels]
    parts.append("\n".join(_by_kernel(kernels, includes)))
    for i, layer in enumerate(model.dense):
        parts += dense(layer, f"{name}_dense{i}")
    for kind, entries in (
        ("layer", [layer_entry(x, f"{name}_layer{i}") for i, x in enumerate(model.recurrent)]),
        ("dense", [dense_entry(x, f"{name}_dense{i}") for i, x in enumerate(model.dense)]),
    ):
        first = f"static const rnnedge_{kind} {name}_{kind}s[{len(entries)}] RNNEDGE_FLASH = {{"
        parts.append("\n".join([first, *entries, "};"]))
    parts += [_channels(model), counts_table(model, counts)]
    parts.append(_classes(model))
    digest = np.frombuffer(bytes.fromhex(model_hash(model)), np.uint8)
    declaration = f"static const uint8_t {name}_sha256[32] RNNEDGE_FLASH"
    parts.append(array(declaration, "Of the quantised model", [("", digest)]))
    fields = {
        "abi": "RNNEDGE_ABI",
        "inputs": model.input.channels,
        "outputs": model.outputs,
        "window": model.window,
        "state_size": model.state_size,
        "scratch_size": f"{name.upper()}_SCRATCH_SIZE",
        "fraction_bits": model.fraction_bits,
        "n_layers": len(model.recurrent),
        "n_dense": len(model.dense),
        "bidirectional": int(model.bidirectional),
        "layers": f"{name}_layers",
        "dense": f"{name}_denses",
        "channels": f"{name}_channels",
        "classes": f"{name}_classes",
        "sha256": f"{name}_sha256",
    }
    lines = [f"    .{field} = {value}," for field, value in fields.items()]
    parts.append("\n".join([f"const rnnedge_model {name} RNNEDGE_FLASH = {{", *lines, "};"]))
    return "\n\n".join(parts) + "\n"


def weights(model: QuantizedModel, kernel: str) -> str:
    """Return the text of <name>/weights_<kernel>.h: the cells, weights in the kernel's order."""
    name, packing = model.name, PACKINGS[kernel]
    version = f"GENERATED by rnnedge {rnnedge.__version__}. Do not edit."
    parts = [
        f"/* {name}/weights_{kernel}.h -- {version}\n * Weights for {name}_model.c to include. */"
    ]
    for i, layer in enumerate(model.recurrent):
        for prefix, direction in directions(layer, f"{name}_layer{i}"):
            packed = packing.pack(direction, prefix)
            parts += [*packed.arrays, *cell(direction, prefix, packed)]
    return "\n\n".join(parts) + "\n"


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


def _channels(model: QuantizedModel) -> str:
    layer = model.input
    rows = [
        f"    /* {comment_text(name)}: mean {mean:.9g}, standard deviation {std:.9g} */\n"
        f"    {{.scale = {float_literal(2.0**exponent)},\n"
        f"     .multiplier = {multiplier},\n"
        f"     .offset = INT64_C({offset}),\n"
        f"     .shift = {shift}}},"
        for name, mean, std, exponent, multiplier, offset, shift in zip(
            model.channels,
            layer.mean.tolist(),
            layer.std.tolist(),
            layer.exponent.tolist(),
            layer.multiplier.tolist(),
            layer.offset.tolist(),
            layer.shift.tolist(),
            strict=True,
        )
    ]
    return "\n".join(
        [
            f"/* Input channels: x = (raw - mean) / std * 2^15 / {layer.limit:.9g} */",
            f"static const rnnedge_channel {model.name}_channels[{len(rows)}] RNNEDGE_FLASH = {{",
            *rows,
            "};",
        ]
    )
