"""A simulated sensor: three-axis vibration of an electric motor, healthy or with two faults.

For examples and tests, where real data may not be shipped. The model, in the order of the code:

- The shaft turns at 20 to 30 Hz, drawn per recording, and wanders slowly by about 1 %.
- Unbalance: a mass m at radius e pulls with m e omega^2 and turns with the shaft, so the two
  radial axes see it in quadrature, once per revolution. Its grade is the product of specific
  unbalance (mm) and omega (1/s), in mm/s (ISO 21940-11, formerly ISO 1940-1): up to G 6.3 counts
  as healthy for motors, the fault is drawn from G 11 on.
- Misalignment: a smaller component at twice the shaft frequency, axial too, in all classes.
- Worn bearing: balls strike a pit in the outer race BPFO = n/2 f_r (1 - d/D cos a) times a second,
  with a slip of about 1 % from one to the next, and each strike lets the structure ring:
  exp(-zeta w t) sin(w_d t). Strikes are stronger once per revolution. R. B. Randall, J. Antoni,
  "Rolling element bearing diagnostics: a tutorial", Mechanical Systems and Signal Processing
  25(2), 2011, 485-520.
- Knocks from the driven machine make the same structure ring at random times, in all classes.
- Sensor: gravity seen under a mounting angle, white noise from a noise density, and the steps of
  a +-16 g part with 3.9 mg per count, 400 samples per second (such as the ADXL345).
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnedge.arrays import F64
from rnnedge.errors import DataError
from rnnedge.output import write_file

CLASSES = ("healthy", "unbalanced", "worn_bearing")
RATE = 400.0
"""Samples per second."""

_STANDARD_GRAVITY = 9.80665  # m/s^2
_COUNT, _FULL_SCALE = 0.0039, 16.0  # g
_NOISE_DENSITY = 290e-6  # g per square root of Hz
_BALLS, _BALL_DIAMETER, _PITCH_DIAMETER, _CONTACT_ANGLE = 9, 7.94, 39.04, 0.0  # a 6205, mm
_SHAFT = (20.0, 30.0)  # Hz
_RESONANCE = (115.0, 165.0)  # Hz, of the machine on its feet
_DAMPING = (0.03, 0.08)
_GRADE = {True: (11.0, 50.0), False: (0.6, 5.6)}  # mm/s, with and without unbalance
_STRIKE = (0.11, 0.65)  # g
_KNOCK = (0.01, 0.09)  # g
_KNOCKS = (1.0, 12.0)  # a second
_SLIP = 0.01
_SHORTEST, _LONGEST = 0.1, 3600.0  # s


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machine:
    """What is drawn once for a recording.

    Attributes:
        shaft: mean speed, Hz.
        load: 0.5 to 1.5, makes everything but the unbalance louder.
        resonance: Hz.
        damping: of the resonance, relative to critical.
        direction: float64 (3,), how strongly each axis sees a strike.
        rotation: float64 (3, 3), from machine to sensor axes.
    """

    shaft: float
    load: float
    resonance: float
    damping: float
    direction: F64
    rotation: F64


def record(kind: str, seconds: float, rng: np.random.Generator) -> F64:
    """Simulate one recording.

    Args:
        kind: one of CLASSES.
        seconds: length.
        rng: source of the machine, its load, its mounting and the noise.

    Returns:
        float64 (rows, 3): ax (along the shaft), ay, az (radial) in g, whole counts of the sensor.
    """
    machine = _machine(rng)
    time = np.arange(round(seconds * RATE)) / RATE
    phase = _phase(machine, len(time), rng)
    force = _unbalance(machine, kind == "unbalanced", phase, rng)
    force += _misalignment(machine, phase, rng)
    if kind == "worn_bearing":
        times, strength = _strikes(machine, time, phase, rng)
        force += _ringing(machine, time, times, strength)
    force += _ringing(machine, time, *_knocks(machine, seconds, rng))
    force[:, 2] += 1.0
    return _sensed(force @ machine.rotation.T, rng)


def write_csv(path: Path, seed: int, recordings_per_class: int = 60, seconds: float = 3.0) -> None:
    """Write recordings of every class into one CSV: recording, ax [g], ay [g], az [g], label.

    The same arguments give the same bytes.

    Raises:
        DataError: the length is no number of seconds from 0.1 to 3600.
        OutputError: the file cannot be written.
    """
    if not _SHORTEST <= seconds <= _LONGEST:
        raise DataError(f"seconds is {seconds}, expected {_SHORTEST} to {_LONGEST}")
    rng = np.random.Generator(np.random.PCG64(seed))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["recording", "ax [g]", "ay [g]", "az [g]", "label"])
    for number in range(recordings_per_class * len(CLASSES)):
        kind = CLASSES[number % len(CLASSES)]
        for row in record(kind, seconds, rng):
            writer.writerow([number, *(f"{value:.4f}" for value in row), kind])
    write_file(path, text.getvalue().encode())


def _machine(rng: np.random.Generator) -> _Machine:
    direction = rng.normal(0, 1, 3) * (0.5, 1.0, 1.0)
    return _Machine(
        shaft=rng.uniform(*_SHAFT),
        load=rng.uniform(0.5, 1.5),
        resonance=rng.uniform(*_RESONANCE),
        damping=rng.uniform(*_DAMPING),
        direction=direction / np.linalg.norm(direction),
        rotation=_rotation(rng.normal(0, np.radians(5), 3)),
    )


def _rotation(angles: F64) -> F64:
    """Return the rotation by three small angles (rad) about x, y and z, in that order."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[[i, i, j, j], [i, j, i, j]] = (
            np.cos(angle),
            -np.sin(angle),
            np.sin(angle),
            np.cos(angle),
        )
        matrix = turn @ matrix
    return matrix


def _phase(machine: _Machine, rows: int, rng: np.random.Generator) -> F64:
    """Return the angle of the shaft at every sample, rad: a speed with a slow random walk."""
    wander = np.cumsum(rng.normal(0, 0.01 / np.sqrt(RATE), rows))
    speed = machine.shaft * (1 + wander)
    return rng.uniform(0, 2 * np.pi) + np.cumsum(2 * np.pi * speed / RATE)


def _unbalance(machine: _Machine, faulty: bool, phase: F64, rng: np.random.Generator) -> F64:
    """Return float64 (rows, 3), g: e omega^2, in quadrature on the two radial axes."""
    grade = _log_uniform(_GRADE[faulty], rng)
    amplitude = grade * 1e-3 * 2 * np.pi * machine.shaft / _STANDARD_GRAVITY
    stiffness = rng.uniform(0.6, 1.4, 2)  # the feet give way unequally
    return amplitude * np.stack(
        [0.1 * np.sin(phase), stiffness[0] * np.cos(phase), stiffness[1] * np.sin(phase)], axis=1
    )


def _misalignment(machine: _Machine, phase: F64, rng: np.random.Generator) -> F64:
    """Return float64 (rows, 3), g: twice per revolution."""
    amplitude = machine.load * _log_uniform((0.003, 0.03), rng)
    return amplitude * np.cos(2 * phase + rng.uniform(0, 2 * np.pi))[:, None] * (0.8, 0.6, 0.6)


def _strikes(machine: _Machine, time: F64, phase: F64, rng: np.random.Generator) -> tuple[F64, F64]:
    """Return when (s) and how hard (g) balls strike the pit in the outer race."""
    ratio = _BALLS / 2 * (1 - _BALL_DIAMETER / _PITCH_DIAMETER * np.cos(_CONTACT_ANGLE))
    turns = phase / (2 * np.pi) * ratio  # BPFO / f_r strikes a revolution
    count = int(turns[-1] - turns[0]) + 1
    at = turns[0] + np.arange(count) + np.cumsum(rng.normal(0, _SLIP, count))
    times = np.interp(at, turns, time)
    severity = machine.load * _log_uniform(_STRIKE, rng)
    revolution = np.cos(2 * np.pi * at / ratio)
    return times, severity * (1 + 0.4 * revolution) * rng.uniform(0.7, 1.3, count)


def _knocks(machine: _Machine, seconds: float, rng: np.random.Generator) -> tuple[F64, F64]:
    """Return when (s) and how hard (g) the driven machine knocks."""
    count = int(rng.poisson(_log_uniform(_KNOCKS, rng) * seconds))
    strength = machine.load * _log_uniform(_KNOCK, rng)
    return np.sort(rng.uniform(0, seconds, count)), strength * rng.exponential(1.0, count)


def _ringing(machine: _Machine, time: F64, times: F64, strength: F64) -> F64:
    """Return float64 (rows, 3), g: the structure rings after every strike."""
    omega = 2 * np.pi * machine.resonance
    damped = omega * np.sqrt(1 - machine.damping**2)
    rows = min(len(time), int(8 / (machine.damping * omega) * RATE) + 2)  # down to exp(-8)
    signal = np.zeros(len(time) + rows)
    for start, force in zip(times, strength, strict=True):
        first = int(np.ceil(start * RATE))
        since = (first + np.arange(rows)) / RATE - start
        if first < len(time):
            wave = np.exp(-machine.damping * omega * since) * np.sin(damped * since)
            signal[first : first + rows] += force * wave
    return signal[: len(time), None] * machine.direction


def _sensed(acceleration: F64, rng: np.random.Generator) -> F64:
    """Return what the sensor makes of float64 (rows, 3), g: noise, steps and full scale."""
    noise = rng.normal(0, _NOISE_DENSITY * np.sqrt(RATE / 2), acceleration.shape)
    limit = np.floor(_FULL_SCALE / _COUNT)
    counts = np.clip(np.rint((acceleration + noise) / _COUNT), -limit, limit)
    return np.asarray(counts * _COUNT, dtype=np.float64)


def _log_uniform(limits: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(limits))))
