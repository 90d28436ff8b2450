"""What the examples of a model that goes on by itself do: begin a sequence, show its answers."""

import textwrap

from rnnedge.convert.c.text import name_text
from rnnedge.convert.packages.package import Package, fill
from rnnedge.convert.packages.sample import comment, mean_literal, named
from rnnedge.spec import EmbeddingLayer, QuantizedModel

END, UNKNOWN = "<end>", "<unknown>"
"""Classes of a text that are no characters or words of it (rnnedge.data.readers)."""

_INDENT = "    "
_EXAMPLE_IDS = 3
_LEAST_STEPS = 20
_REMARK = 50
_WORDS = """        text_piece += strspn(text_piece, " ");
        const size_t piece_size = strcspn(text_piece, " ");"""
_CHARACTERS = """        size_t piece_size = text_piece[0] != 0;
        while (((unsigned char)text_piece[piece_size] & 0xC0u) == 0x80u) {
            piece_size++; // the rest of a character of UTF-8
        }"""


def free_places(package: Package) -> dict[str, str]:
    """Return the places of templates that begin a sequence and show what comes of it."""
    name = package.model.name
    return {
        "ANSWER_STEPS": str(max(package.model.window, _LEAST_STEPS)),
        "USAGE": _usage(package),
        "BEGIN_C": _begin(package, "generate_instance", "c"),
        "BEGIN_INO": _begin(package, f"{name}_instance", "board"),
        "BEGIN_APP": _begin(package, "app_instance", "board"),
        "ANSWER_C": _answer(package, "generate_instance", 'printf("%g ", (double){})', 2),
        "ANSWER_INO": _answer(package, f"{name}_instance", "Serial.print({}, 4)", 2),
        "ANSWER_IDF": _answer(package, "app_instance", 'printf("%g ", (double){})', 3),
        # printk has no %f
        "ANSWER_ZEPHYR": _answer(package, "app_instance", 'printk("%d ", (int)(1000 * {}))', 3),
        "AFTER_C": "" if package.model.output is not None else f'{_INDENT}printf("\\n");\n',
    }


def _kind(model: QuantizedModel) -> str:
    """Return what a sequence begins with."""
    if model.start is not None:
        return "features"
    return "ids" if isinstance((model.encoder or model).input, EmbeddingLayer) else "values"


def _usage(package: Package) -> str:
    kind = _kind(package.model)
    if kind == "features":
        return "generate FEATURE..."
    return 'generate "a text"' if kind == "ids" else "generate < samples.txt"


def _begin(package: Package, instance: str, where: str) -> str:
    """Return the function that begins a sequence, of a program with arguments or of a board."""
    kind = _kind(package.model)
    more = {"features": _features, "ids": _ids, "values": _values}[kind](package)
    more |= {"INSTANCE": instance, **_steps(package.model, instance)}
    return fill(f"begin_{kind}.{where}.in", package, **more).decode()


def _steps(model: QuantizedModel, instance: str) -> dict[str, str]:
    """Return what takes a sample, and what gives the first answer where that did not."""
    of_ids = _kind(model) == "ids"
    first, end = f"rnnedge_step_back(&{instance})", _end(model)
    before = ""
    if model.encoder is not None and end is not None:
        first = f"rnnedge_step_id(&{instance}, {end})"  # an answer begins with what ends it
    elif end is not None:
        before = f"{_INDENT}status_code = rnnedge_step_id(&{instance}, {end}); // {END}\n"
    taken = "step" if model.encoder is None else "encode"
    return {
        "TAKE": f"rnnedge_{taken}{'_id' if of_ids else ''}",
        "FIRST": first,
        "BEFORE": before,
    }


def _end(model: QuantizedModel) -> int | None:
    """Return the id that begins and ends a text, or None."""
    of_ids = isinstance(model.input, EmbeddingLayer) and model.output is None
    return model.classes.index(END) if of_ids and END in model.classes else None


def _features(package: Package) -> dict[str, str]:
    start = package.model.start
    if start is None:
        return {}
    names = [named(*both) for both in zip(start.names, start.units, strict=True)]
    means = map(mean_literal, start.input.mean.tolist())
    return {
        "FEATURE_NAMES": comment(", ".join(names), "// "),
        "FEATURE_MEANS": "\n".join(
            f"{_INDENT}{mean}, // {_short(name)}" for mean, name in zip(means, names, strict=True)
        ),
    }


def _values(package: Package) -> dict[str, str]:
    model, prefix = package.model, package.model.name.upper()
    source = model.encoder or model
    names = [named(*both) for both in zip(source.channels, source.channel_units, strict=True)]
    means = [] if isinstance(source.input, EmbeddingLayer) else source.input.mean.tolist()
    return {
        "WIDTH": f"{prefix}_{'RAW_VALUES' if model.encoder is None else 'ENCODER_RAW_VALUES'}",
        "BEGIN_STEPS": "1" if model.encoder is None else str(source.window),
        "SAMPLE_NAMES": comment(", ".join(names), "// "),
        "SAMPLE_MEANS": "\n".join(
            f"{_INDENT}raw_values[{index}] = {mean_literal(mean)}; // {_short(names[index])}"
            for index, mean in enumerate(means)
        ),
    }


def _short(text: str) -> str:
    return text if len(text) <= _REMARK else textwrap.shorten(text, _REMARK, placeholder=" ...")


def _ids(package: Package) -> dict[str, str]:
    model = package.model
    source = model.encoder or model
    rows = source.input.rows if isinstance(source.input, EmbeddingLayer) else 0
    classes = source.classes or tuple(map(str, range(rows)))
    plain = [index for index, text in enumerate(classes) if text not in (END, UNKNOWN)]
    ids, end = plain[:_EXAMPLE_IDS], _end(model)
    if model.encoder is None and end is not None:
        ids = [end, *ids]
    words = not source.classes or any(len(classes[index]) > 1 for index in plain)
    name_of = 'snprintf(class_text, sizeof class_text, "%d", class_id);'
    if source.classes:
        name_of = f"rnnedge_class_name(&{source.name}, class_id, class_text, sizeof class_text);"
    return {
        "ROWS": str(rows),
        "UNKNOWN": str(classes.index(UNKNOWN) if UNKNOWN in classes else -1),
        "NAME_OF": name_of,
        "PIECE": _WORDS if words else _CHARACTERS,
        "BEGIN_STEPS": str(len(ids)),
        "BEGIN_IDS": "\n".join(
            f"{_INDENT}{index}, // {_short(name_text(classes[index]))}" for index in ids
        ),
    }


def _answer(package: Package, instance: str, value_call: str, depth: int) -> str:
    """Return the lines that show one answer."""
    model, prefix = package.model, package.model.name.upper()
    serial, form = value_call.startswith("Serial"), value_call.partition("(")[0]
    if model.output is not None:
        value = f"rnnedge_target(&{model.name}, output_index, {instance}.scores[output_index])"
        shown = [f"{value_call.format('output_value')};"]
        shown += ["Serial.print(' ');"] if serial else []
        lines = [
            f"for (uint16_t output_index = 0; output_index < {prefix}_OUTPUTS; output_index++) {{",
            f"{_INDENT}const float output_value =",
            f"{_INDENT * 2}{value};",
            *(f"{_INDENT}{line}" for line in shown),
            "}",
            "Serial.println();" if serial else f'{form}("\\n");',
        ]
    else:
        end, blank = _end(model), any(
            len(text) > 1 for text in model.classes if text not in (END, UNKNOWN)
        )  # fmt: skip
        stop = [] if end is None else [f"if ({instance}.result.best == {end}) {{",
                                       f"{_INDENT}break; // {END}", "}"]  # fmt: skip
        told = f'{form}("%s{" " * blank}", class_text);'
        lines = [
            *stop,
            "char class_text[32];",
            f"rnnedge_class_name(&{model.name}, {instance}.result.best, class_text,",
            "                   sizeof class_text);",
            "Serial.print(class_text);" if serial else told,
            *(["Serial.print(' ');"] if serial and blank else []),
        ]
    return "\n".join(_INDENT * depth + line for line in lines)


def free_call(package: Package) -> str:
    """Return functions for the README that begin a sequence and go on, in C."""
    model, prefix = package.model, package.model.name.upper()
    kind, steps, end = _kind(model), _steps(model, "my_sensor"), _end(model)
    ready = "RNNEDGE_READY, and the first answer is there"
    parts = []
    if kind == "features":
        parts += [
            f"/* begin with features: {ready} */\n"
            f"int model_begin(const float features[{prefix}_FEATURES]) {{\n"
            f"{_INDENT}int status_code = rnnedge_start(&my_sensor, features);\n"
            f"{_INDENT}return status_code == RNNEDGE_OK ? {steps['FIRST']} : status_code;\n}}"
        ]
    else:
        parts += [_begin_call(model, steps["TAKE"]), _take_call(package, steps["TAKE"])]
    if model.encoder is not None:
        remark = "" if end is None else f" /* {END} begins an answer */"
        parts.append(
            f"/* behind the last one: {ready} */\n"
            f"int model_answer(void) {{ return {steps['FIRST']}; }}{remark}"
        )
    parts.append(
        "/* go on by itself, from the answer that is there: RNNEDGE_READY, and so is the next */\n"
        "int model_next(void) { return rnnedge_step_back(&my_sensor); }"
    )
    if model.output is None:
        ends = "" if end is None else f"; {end}, {END}, is the last"
        parts.append(
            f"/* the answer, an id{ends} */\nint model_id(void) {{ return my_sensor.result.best; }}"
        )
    else:
        value = f"rnnedge_target(&{model.name}, index, my_sensor.scores[index])"
        parts.append(
            "/* the answer, one of its values */\n"
            f"float model_value(uint16_t index) {{ return {value}; }}"
        )
    return "\n\n".join(parts)


def _begin_call(model: QuantizedModel, take: str) -> str:
    """Return the function that begins anew."""
    end = _end(model)
    if model.encoder is not None or end is None:
        return (
            "/* begin anew: RNNEDGE_OK */\n"
            "int model_begin(void) { return rnnedge_reset(&my_sensor); }"
        )
    return (
        f"/* begin anew, a text with {END}: RNNEDGE_READY, and the first answer is there */\n"
        "int model_begin(void) {\n"
        f"{_INDENT}int status_code = rnnedge_reset(&my_sensor);\n"
        f"{_INDENT}return status_code == RNNEDGE_OK ? {take}(&my_sensor, {end}) : status_code;\n}}"
    )


def _take_call(package: Package, take: str) -> str:
    """Return the function that takes what is given."""
    ids = _kind(package.model) == "ids"
    given = "uint16_t id" if ids else f"const float raw[{_values(package)['WIDTH']}]"
    what = "the ids" if ids else "the samples"
    if package.model.encoder is not None:
        says = f"{what} of the sequence, one after the other: RNNEDGE_OK"
    else:
        says = f"{what} to go on from, if any: RNNEDGE_READY, and the answer to them is there"
    return (
        f"/* {says} */\n"
        f"int model_take({given}) {{ return {take}(&my_sensor, {'id' if ids else 'raw'}); }}"
    )
