"""A board against the simulator, bit for bit, with its cycles, latency and headroom."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnedge.arrays import F32, I16
from rnnedge.errors import DeviceError
from rnnedge.modelfile import model_hash
from rnnedge.serialline.device import Device
from rnnedge.simulator import Trace, quantize, run_free, simulate
from rnnedge.spec import CONTRACT, QuantizedModel
from rnnedge.targets.compare import first_difference

_SPEED = ("per_step", "per_step_min", "unit", "steady", "latency_ms", "headroom")
_FREE_STEPS = 8  # of a window
_SPREAD = 0.2  # of the larger count


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What the ticks of a board's counter mean.

    Attributes:
        unit: "cycles" or "instructions".
        per_tick: cycles (instructions) for one tick; None: as many as the core's clock has.
        core_hz: the core's clock; None: the counter counts it.
    """

    unit: str = "cycles"
    per_tick: float | None = None
    core_hz: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """What has to be kept up with.

    Attributes:
        rate: samples per second, or None if unknown.
        hop: samples from one window to the next.
    """

    rate: float | None
    hop: int


def check_model(device: Device, model: QuantizedModel, hint: str) -> None:
    """Refuse a board that runs another model.

    Args:
        device: the board.
        model: the one that it should run.
        hint: the command that flashes it.

    Raises:
        DeviceError: says which one it runs.
    """
    info, expected = device.info, model_hash(model)
    if info.sha256 != expected:
        raise DeviceError(
            f"port {device.port}: the board runs model {info.name} ({info.sha256[:12]}), the run "
            f"is {model.name} ({expected[:12]}); flash it: {hint}"
        )
    if info.abi != CONTRACT:
        raise DeviceError(
            f"port {device.port}: the board's runtime has version {info.abi} of the number "
            f"formats, not {CONTRACT}; flash it: {hint}"
        )
    for what, has, wanted in (
        ("inputs", info.inputs, model.input.channels),
        ("outputs", info.outputs, model.outputs),
        ("steps in a window", info.window, model.window),
        ("directions", 1 + info.bidirectional, 1 + model.bidirectional),
    ):
        if has != wanted:
            raise DeviceError(
                f"port {device.port}: the board names the right model, but says that it has {has} "
                f"{what}, not {wanted}; flash it: {hint}"
            )


def verify_device(
    device: Device,
    model: QuantizedModel,
    golden: F32,
    fresh: F32,
    sensor: Sensor,
    clock: Clock | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
    *,
    features: F32 | None = None,
    encoder: F32 | None = None,
) -> dict[str, Any]:
    """Run windows on a board and compare every state and score with the simulator.

    Args:
        device: the board, of which `check_model` approves.
        model: what it should compute.
        golden: float32 (windows, steps, raw values), raw units or ids; quantised here, as the
            exported golden windows are.
        fresh: float32 (windows, steps, raw values), raw units or ids; quantised by the board.
        sensor: what the board has to keep up with.
        clock: what its ticks mean.
        progress: told how many of how many windows are done, after each.
        features: float32 (windows, features), raw, of a start: of the golden and fresh windows.
        encoder: float32 (windows, encoder steps, raw values), of an encoder: the same.

    Returns:
        windows, free_steps (behind the windows of a model that generates), values_compared,
        states_compared, scores_compared, differences, first_difference (a sentence, or None),
        per_step and per_step_min (None without a counter; bidirectional models: a step's part of
        the window), unit, steady (whether the counts of steps differ by no more than a fifth, None
        without a counter), latency_ms (of a step, or of the window of a bidirectional model; None
        if not steady), headroom (how often that fits between two samples, or windows; None without
        latency or rate), stack_bytes (0: not measured), requests, retries, damaged, late, resets.

    Raises:
        DeviceError: the line or the board fails.
    """
    windows: list[F32 | I16] = [*quantize(model.input, golden), *fresh]
    x = np.concatenate([quantize(model.input, golden), quantize(model.input, fresh)])
    back = min(model.window, _FREE_STEPS) if model.generates else 0
    begun = features is not None or encoder is not None
    expected = simulate(model, x)
    if back or begun:
        found = run_free(model, back, x=x, features=features, encoder_raw=encoder)
        expected = Trace(states=found.states, scores=found.scores)
    got = Trace(states=np.empty_like(expected.states), scores=np.empty_like(expected.scores))
    ticks: list[int] = []
    for index, window in enumerate(windows):
        result = device.run_window(
            window,
            raw_values=model.input.raw_values,
            back=back,
            features=None if features is None else features[index],
            encoder=None if encoder is None else encoder[index],
        )
        states = np.concatenate([result.states, result.free_states])
        if states.shape != got.states[index].shape:
            raise DeviceError(
                f"port {device.port}: the board has {states.shape[1]} state values, "
                f"expected {got.states.shape[2]}; export and flash again"
            )
        got.states[index] = states
        got.scores[index] = (
            np.vstack([result.scores, result.free_scores]) if back or begun else result.scores
        )
        ticks += result.cycles
        progress(index + 1, len(windows))
    differences = int(np.count_nonzero(got.states != expected.states))
    differences += int(np.count_nonzero(got.scores != expected.scores))
    stack = device.stack_bytes()
    seen = replace(device.statistics)
    return {
        "windows": len(windows),
        "free_steps": len(windows) * back,
        "values_compared": expected.states.size + expected.scores.size,
        "states_compared": expected.states.size,
        "scores_compared": expected.scores.size,
        "differences": differences,
        "first_difference": first_difference(expected, got),
        **_speed(ticks, device.info.cycles_hz, model, sensor, clock or Clock()),
        "stack_bytes": stack,
        "requests": seen.requests,
        "retries": seen.retries,
        "damaged": seen.damaged,
        "late": seen.late,
        "resets": seen.resets,
    }


def _speed(
    ticks: list[int], hz: int, model: QuantizedModel, sensor: Sensor, clock: Clock
) -> dict[str, Any]:
    """Return what a step takes, and how that fits the sensor."""
    if not hz:
        return dict.fromkeys(_SPEED)
    core_hz = clock.core_hz or hz
    per_tick = clock.per_tick or core_hz / hz
    steps = model.window if model.bidirectional else 1
    seconds = max(ticks) * per_tick / core_hz
    between = sensor.hop if model.bidirectional else 1
    steady = _steady(ticks)
    headroom = None
    if steady and sensor.rate and seconds:
        headroom = round(between / sensor.rate / seconds, 1)
    return {
        "per_step": round(max(ticks) * per_tick / steps),
        "per_step_min": round(min(ticks) * per_tick / steps),
        "unit": clock.unit,
        "steady": steady,
        "latency_ms": round(seconds * 1000, 6) if steady else None,
        "headroom": headroom,
    }


def _steady(ticks: list[int]) -> bool:
    """Whether steps take about as long as each other.

    Those of a model do. Where they do not, the counter follows no clock of the chip's, as in an
    emulator that runs as fast as it can. A few outliers (a cold cache, an interrupt) and two ticks
    of a coarse counter are no such sign.
    """
    ordered = sorted(ticks)
    few = len(ordered) // 20
    low, high = ordered[few], ordered[-1 - few]
    return high - low <= max(2, high * _SPREAD)
