"""What an instance needs of <name>.h and <name>_model.c: its memory, and the maps of counts."""

from rnnedge.convert.c.task import has_task
from rnnedge.convert.c.text import comment_text
from rnnedge.counts import CountsMap
from rnnedge.spec import EmbeddingLayer, QuantizedModel

SAVE_BYTES = 58
"""Of what rnnedge_save writes beside the state or window: the head and a CRC."""

TASK_BYTES = 8
"""What it writes more of a model with a task."""


def save_size(model: QuantizedModel) -> int:
    """Return the bytes of a saved instance."""
    window = model.window * model.input.channels
    head = SAVE_BYTES + TASK_BYTES * has_task(model)
    return head + 2 * (window if model.bidirectional else model.state_size)


def memory(model: QuantizedModel) -> str:
    """Return the sizes of an instance's memory, and the type that holds it."""
    name, prefix = model.name, model.name.upper()
    whole = model.bidirectional
    counted = "0" if isinstance(model.input, EmbeddingLayer) else f"{name}_counts"
    width = model.input.channels
    if model.encoder is not None:
        width = max(width, model.encoder.input.channels)
    return f"""/* The name, and the memory of an instance: RNNEDGE_MEMORY(a {name}_memory) */
#define {prefix}_NAME "{name}"
#define {prefix}_X_SIZE {width * (model.window if whole else 1)}
#define {prefix}_SCORES_SIZE {model.outputs * (_times(model) if whole else 1)}
#define {prefix}_MEMORY_STATE_SIZE {prefix}_{"BUFFER" if whole else "STATE"}_SIZE

typedef struct {{
    int32_t scratch[{prefix}_SCRATCH_SIZE];
    int32_t scores[{prefix}_SCORES_SIZE];
    int16_t state[{prefix}_MEMORY_STATE_SIZE];
    int16_t x[{prefix}_X_SIZE];
}} {name}_memory;

/* Bytes of rnnedge_save */
#define {prefix}_SAVE_SIZE {save_size(model)}

/* The table of rnnedge_step_counts; 0: samples are ids */
#define {prefix}_COUNTS {counted}"""


def counts_declaration(model: QuantizedModel, counts: CountsMap) -> str:
    """Return the declaration of <name>_counts, and what a count is."""
    lines = [_per_unit(model, counts, i) for i in range(model.input.channels)]
    return "\n".join(
        [
            "/* For rnnedge_step_counts, int16 counts:",
            *(f" *   {line}" for line in lines),
            " */",
            f"extern const rnnedge_counts {model.name}_counts[{model.name.upper()}_INPUTS];",
        ]
    )


def counts_table(model: QuantizedModel, counts: CountsMap) -> str:
    """Return <name>_counts."""
    rows = [
        f"    /* {_per_unit(model, counts, i)} */\n"
        f"    {{.offset = INT64_C({offset}),\n"
        f"     .multiplier = {multiplier},\n"
        f"     .shift = {shift}}},"
        for i, (offset, multiplier, shift) in enumerate(
            zip(
                counts.offset.tolist(),
                counts.multiplier.tolist(),
                counts.shift.tolist(),
                strict=True,
            )
        )
    ]
    lines = [
        "/* int16 counts: x = (count * multiplier + offset) >> shift, limited */",
        f"const rnnedge_counts {model.name}_counts[{len(rows)}] RNNEDGE_FLASH = {{",
        *rows,
        "};",
    ]
    return "\n".join(lines)


def _times(model: QuantizedModel) -> int:
    return model.window if model.recurrent[-1].return_sequences else 1


def _per_unit(model: QuantizedModel, counts: CountsMap, channel: int) -> str:
    name, unit = comment_text(model.channels[channel]), comment_text(model.channel_units[channel])
    if counts.multiplier[channel] == 0:
        return f"{name}: none, rnnedge export --counts-per-unit makes them"
    if counts.counts_per_unit is None:
        return f"{name}: 1 count is 1 {unit or 'unit'}"
    return f"{name}: {counts.counts_per_unit[channel]:.9g} counts are 1 {unit or 'unit'}"
