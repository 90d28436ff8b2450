"""What the examples do with a result: a class, values in their units, or an anomaly's level."""

from rnnedge.convert.packages.free import free_call
from rnnedge.convert.packages.package import Package
from rnnedge.spec import EmbeddingLayer

_INDENT = "    "
# printing function, how it takes a value, and what it is preceded by
_PRINTERS = {
    "STREAM": ("printf", '"%s %g\\n"', "(double)", "stream_sensor"),
    "IDF": ("printf", '"%s %g\\n"', "(double)", "app_sensor"),
    # printk has no %f
    "ZEPHYR": ("printk", '"%s %d thousandths\\n"', "(int)(1000 * ", "app_sensor"),
}
_CLASSES = {
    "STREAM": ('"%s %.4f\\n"', "stream_sensor.result.probability / 32768.0"),
    "IDF": ('"%s  %u %%\\n"', "app_sensor.result.probability * 100u / 32768u"),
    "ZEPHYR": ('"%s  %u %%\\n"', "app_sensor.result.probability * 100u / 32768u"),
}


def results(package: Package) -> dict[str, str]:
    """Return the places of templates that print a result."""
    found = {f"RESULT_{key}": _shown(_lines(package, key), 3) for key in _PRINTERS}
    return {**found, "RESULT_SERIAL": _shown(_serial(package), 2)}


def kind(package: Package) -> str:
    """Return what a result is: "level", "values" or "classes"."""
    if package.model.detector is not None:
        return "level"
    return "classes" if package.model.output is None else "values"


def _shown(lines: list[str], depth: int) -> str:
    return "\n".join(_INDENT * depth + line for line in lines)


def _lines(package: Package, key: str) -> list[str]:
    call, form, cast, sensor = _PRINTERS[key]
    name, prefix = package.model.name, package.model.name.upper()
    if kind(package) == "level":
        said = f'{sensor}.result.label == RNNEDGE_ANOMALY ? "anomaly" : "normal"'
        indent = " " * len(call)
        return [
            f'{call}("%s  level %ld\\n",',
            f"{indent} {said},",
            f"{indent} (long){sensor}.level);",
        ]
    if kind(package) == "values":
        value = f"rnnedge_target(&{name}, output_index, {sensor}.scores[output_index])"
        cast = f"{cast}output_value{')' if cast.endswith(' * ') else ''}"
        return [
            f"for (uint16_t output_index = 0; output_index < {prefix}_OUTPUTS; output_index++) {{",
            f"{_INDENT}char output_text[32];",
            f"{_INDENT}rnnedge_class_name(&{name}, (int16_t)output_index, output_text,",
            f"{_INDENT}                   sizeof output_text);",
            f"{_INDENT}const float output_value =",
            f"{_INDENT * 2}{value};",
            f"{_INDENT}{call}({form}, output_text, {cast});",
            "}",
        ]
    form, share = _CLASSES[key]
    return [
        "char class_text[32];",
        f"rnnedge_class_name(&{name}, {sensor}.result.label, class_text, sizeof class_text);",
        f"{call}({form}, class_text, {share});",
    ]


def _serial(package: Package) -> list[str]:
    name, prefix = package.model.name, package.model.name.upper()
    sensor = f"{name}_sensor"
    if kind(package) == "level":
        said = f'{sensor}.result.label == RNNEDGE_ANOMALY ? F("anomaly") : F("normal")'
        return [f"Serial.print({said});", 'Serial.print(F("  level "));',
                f"Serial.print({sensor}.level);"]  # fmt: skip
    if kind(package) == "values":
        return [
            f"for (uint16_t output_index = 0; output_index < {prefix}_OUTPUTS; output_index++) {{",
            f"{_INDENT}char output_text[32];",
            f"{_INDENT}rnnedge_class_name(&{name}, (int16_t)output_index, output_text,",
            f"{_INDENT}                   sizeof output_text);",
            f"{_INDENT}Serial.print(output_text);",
            f"{_INDENT}Serial.print(' ');",
            f"{_INDENT}Serial.print(rnnedge_target(&{name}, output_index,",
            f"{_INDENT}                            {sensor}.scores[output_index]), 4);",
            f'{_INDENT}Serial.print(F("  "));',
            "}",
        ]
    return [
        "char class_text[32];",
        f"rnnedge_class_name(&{name}, {sensor}.result.label, class_text, sizeof class_text);",
        "Serial.print(class_text);",
        'Serial.print(F("  "));',
        f"Serial.print({sensor}.result.probability * 100ul / 32768);",
        'Serial.print(F(" %"));',
    ]


def call(package: Package) -> str:
    """Return a function for the README that takes one sample, in C."""
    if package.runs_freely:
        return free_call(package)
    model, counts = package.model, package.counts_per_unit is not None
    name = model.name
    value = "int16_t" if counts else "float"
    of_ids = isinstance(model.input, EmbeddingLayer)
    width = f"{name.upper()}_{'RAW_VALUES' if of_ids else 'INPUTS'}"
    step = f"rnnedge_step_counts(&my_sensor, {name}_counts, raw)" if counts else (
        "rnnedge_step(&my_sensor, raw)"
    )  # fmt: skip
    ready = f"{step} == RNNEDGE_READY"
    taken = f"(const {value} raw[{width}])"
    if kind(package) == "values":
        return (
            "/* one sample: 1 and the first of the values when there is a result, else 0 */\n"
            f"int model_sample(const {value} raw[{width}], float *first_value) {{\n"
            f"    if ({step} != RNNEDGE_READY) {{\n        return 0;\n    }}\n"
            f"    *first_value = rnnedge_target(&{name}, 0, my_sensor.scores[0]);\n"
            "    return 1;\n}"
        )
    what = "its label when a result is ready, else -2 (-1: rejected)"
    return (
        f"/* one sample: {what} */\nint model_sample{taken} {{\n"
        f"    return {ready} ? my_sensor.result.label : -2;\n}}"
    )
