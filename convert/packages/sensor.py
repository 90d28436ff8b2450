"""What the examples say of samples: comments, the sensor's function, the period."""

import textwrap

from rnnedge.convert.c.text import comment_text
from rnnedge.convert.packages.free import free_places
from rnnedge.convert.packages.package import Package, counted
from rnnedge.convert.packages.results import kind, results
from rnnedge.convert.packages.sample import comment, mean_literal, named
from rnnedge.convert.timing import sample_rate
from rnnedge.spec import EmbeddingLayer, InputLayer

_DOES = {"classes": "Classifies", "values": "Runs over", "level": "Watches"}
_EXAMPLE_RATE = 50.0
_MOST_MICROSECONDS = 10**9  # Arduino's clocks are compared as 32 bits with a sign
_MOST_MILLISECONDS = 2 * 10**9  # 23 days
_INT16 = (-32768, 32767)
_NUMBER = "        raw_values[value_index] = strtof(line_place, &number_end);"
_COUNT = """        const long count_value = strtol(line_place, &number_end, 10);
        if (count_value < INT16_MIN || count_value > INT16_MAX) {
            break;
        }
        raw_values[value_index] = (int16_t)count_value;"""
_UNITS = {
    "us": {"UNIT": "US", "TICK": "us", "CLOCK": "micros", "MICROSECONDS": "", "K_TIME": "K_USEC"},
    "ms": {
        "UNIT": "MS",
        "TICK": "ms",
        "CLOCK": "millis",
        "MICROSECONDS": " * UINT64_C(1000)",
        "K_TIME": "K_MSEC",
    },
}


def places(package: Package) -> dict[str, str]:
    """Return the places of templates that read a sensor."""
    counts = package.counts_per_unit is not None
    name, rate = package.model.name, package.model.rate
    period, unit, remark = _period(rate)
    return {
        "INTRO": comment(f"{rate_text(package)} {_result(package)}".strip(), " * "),
        "SAMPLE": comment(f"One sample {units_text(package)}.", "// "),
        "PERIOD": str(period),
        "RATE_REMARK": f" // an example: {remark}" if remark else "",
        **_UNITS[unit],
        **results(package),
        **(free_places(package) if package.runs_freely else {}),
        "DOES": _DOES[kind(package)],
        "DOES_TOO": _DOES[kind(package)].lower(),
        "WIDTH": "RAW_VALUES" if isinstance(package.model.input, EmbeddingLayer) else "INPUTS",
        "VALUE": "int16_t" if counts else "float",
        "NUMBER": _COUNT if counts else _NUMBER,
        "STEP": "rnnedge_step_counts" if counts else "rnnedge_step",
        "TABLE": f"{name}_counts, " if counts else "",
        "READ": "\n".join(_assignment(package, i) for i in range(len(package.model.channels))),
    }


def _period(rate: float | None) -> tuple[int, str, str]:
    """Return the time between samples, its unit, and why it is only an example, if it is."""
    if rate is None:
        return *_period(_EXAMPLE_RATE)[:2], "the data's rate is not known"
    if 1e6 / rate <= _MOST_MICROSECONDS:
        period, unit = round(1e6 / rate), "us"
    else:
        period, unit = round(1e3 / rate), "ms"
    if rate > 1e6:
        return 1, unit, "the data's rate is above 1 MHz"
    if period > _MOST_MILLISECONDS:
        return _MOST_MILLISECONDS, unit, "the data's samples are more than 23 days apart"
    return period, unit, ""


def rate_text(package: Package) -> str:
    """Say how often samples come; ids have no rate."""
    rate = package.model.rate
    if isinstance(package.model.input, EmbeddingLayer):
        return ""
    if rate is None:
        return "The sample rate of the training data is not known."
    return f"{sample_rate(rate)}."


def units_text(package: Package) -> str:
    """Say what a sample is made of."""
    channels = ", ".join(channel_text(package, i) for i in range(len(package.model.channels)))
    return f"in this order: {channels}"


def channel_text(package: Package, index: int) -> str:
    """Return a channel with its unit."""
    model = package.model
    name, unit = comment_text(model.channels[index]), comment_text(model.channel_units[index])
    if package.counts_per_unit is not None:
        return f"{name} [{package.counts_per_unit[index]:.9g} counts per {unit or 'unit'}]"
    return named(model.channels[index], model.channel_units[index])


def _result(package: Package) -> str:
    every, model = package.model.every, package.model
    when = f"after each window of {counted(model.window, 'sample')}"
    if every:
        when = "after each sample" if every == 1 else f"after each {every} samples"
    return f"There is a result {when}; rnnedge_set_rules takes other rules."


def _assignment(package: Package, index: int) -> str:
    source = package.model.input
    mean = float(source.mean[index]) if isinstance(source, InputLayer) else 0.0  # else an id
    if package.counts_per_unit is None:
        value = mean_literal(mean)
    else:
        count = round(mean * package.counts_per_unit[index])
        value = str(min(max(count, _INT16[0]), _INT16[1]))
    remark = textwrap.shorten(channel_text(package, index), 50, placeholder=" ...")
    return f"    raw_values[{index}] = {value}; // {remark}"
