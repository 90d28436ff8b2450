"""Edge Impulse data acquisition files, JSON and CBOR, to recordings."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnedge.arrays import F64
from rnnedge.data.readers.recordings import TEST, TRAIN, Recordings
from rnnedge.data.readers.request import File, Request
from rnnedge.data.readers.series import Series, series_recordings
from rnnedge.errors import DataError

_PARTS = {"training": TRAIN, "testing": TEST}
_NO_UNIT = ("n/a", "none", "")


def read_edge(files: Sequence[File], want: Request) -> Recordings:
    """Read files of the data acquisition format, one recording each.

    The label is that of the file's folder, of info.labels beside the file, or what stands before
    the first point of its name. The signature is not checked: its key is not in the file.

    Args:
        files: .json and .cbor files.
        want: what is asked for.

    Raises:
        DataError: damaged, not of this format, or of other sensors than the first file.
    """
    series: list[Series] = []
    sensors: list[tuple[str, str]] = []
    listed: dict[Path, dict[str, tuple[str | None, str | None]]] = {}
    for place, file in enumerate(files):
        payload = _payload(file.path)
        own = _sensors(file.path, payload)
        sensors = sensors or own
        if own != sensors:
            raise DataError(
                f"{file.path}: sensors {_told(own)}; {files[0].path} has {_told(sensors)}"
            )
        folder = file.path.parent
        if folder not in listed:
            listed[folder] = _info(folder)
        label, part = listed[folder].get(file.path.name, (None, None))
        values = _values(file.path, payload, len(own))
        series.append(
            Series(
                file=file,
                name="",
                values=values,
                label=_label(file, label),
                part=part,
                time=np.arange(len(values), dtype=np.float64) * _interval(file.path, payload),
            )
        )
        want.progress((place + 1) / len(files))
    names, units = [name for name, _ in sensors], [unit for _, unit in sensors]
    return series_recordings(series, names, units, want)


def _label(file: File, listed: str | None) -> str | None:
    if file.label is not None and not file.stem:
        return file.label
    return listed or file.path.name.split(".")[0]


def _payload(path: Path) -> Mapping[str, Any]:
    """Return the payload of a file."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        document = json.loads(raw) if path.suffix.lower() == ".json" else _cbor(raw)
    except (ValueError, RecursionError, EOFError, TypeError, MemoryError, OverflowError) as error:
        told = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise DataError(f"{path}: damaged ({told}); write it again") from None
    payload = document.get("payload") if isinstance(document, Mapping) else None
    if not isinstance(payload, Mapping):
        raise DataError(
            f"{path}: no payload, expected the data acquisition format of Edge Impulse (protected, "
            "signature, payload)"
        )
    return payload


def _cbor(raw: bytes) -> Any:
    import cbor2

    try:
        return cbor2.loads(raw)
    except cbor2.CBORError as error:
        raise ValueError(str(error)) from None


def _sensors(path: Path, payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return name and unit of each sensor."""
    sensors = payload.get("sensors")
    good = isinstance(sensors, Sequence) and bool(sensors) and not isinstance(sensors, str)
    if not good or not all(isinstance(s, Mapping) and "name" in s for s in sensors or ()):
        raise DataError(f"{path}: payload.sensors is missing, expected names and units")
    found = [(str(s["name"]), str(s.get("units", ""))) for s in sensors or ()]
    names = [name for name, _ in found]
    if len(set(names)) < len(names):
        raise DataError(f"{path}: two sensors have the same name ({', '.join(names)}); rename one")
    return [(name, "" if unit.lower() in _NO_UNIT else unit) for name, unit in found]


def _interval(path: Path, payload: Mapping[str, Any]) -> float:
    """Return the seconds between two samples."""
    interval = payload.get("interval_ms")
    if isinstance(interval, bool) or not isinstance(interval, (int, float)) or not interval > 0:
        raise DataError(f"{path}: payload.interval_ms is {interval!r}, expected more than 0")
    return float(interval) / 1000


def _values(path: Path, payload: Mapping[str, Any], width: int) -> F64:
    """Return the samples, float64 (rows, sensors)."""
    values = payload.get("values")
    if not isinstance(values, list) or not values:
        raise DataError(f"{path}: payload.values is missing, expected a list of samples")
    if width == 1 and not isinstance(values[0], list):
        values = [[value] for value in values]
    for row, sample in enumerate(values):
        if not isinstance(sample, list) or len(sample) != width:
            raise DataError(f"{path}: sample {row} is {str(sample)[:40]}, expected {width} numbers")
        for value in sample:
            if isinstance(value, bool) or not isinstance(value, (int, float, type(None))):
                raise DataError(f"{path}: sample {row} holds {str(value)[:40]!r}, expected numbers")
    return np.array(values, dtype=np.float64)


def _info(folder: Path) -> dict[str, tuple[str | None, str | None]]:
    """Return label and part of each file that info.labels names."""
    path = next(
        (p for p in (folder / "info.labels", folder.parent / "info.labels") if p.is_file()), None
    )
    if path is None:
        return {}
    try:
        files = json.loads(path.read_bytes())["files"]
        found = {}
        for entry in files:
            label = entry.get("label")
            text = label.get("label") if isinstance(label, dict) else label
            named = None if text is None else str(text)
            found[Path(str(entry["path"])).name] = (named, _PARTS.get(entry.get("category", "")))
        return found
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{path}: not as Edge Impulse writes it ({error!r})"[:300]) from None


def _told(sensors: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name} [{unit}]" if unit else name for name, unit in sensors)
