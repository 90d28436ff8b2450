"""A picture of a data set: every channel over time, its distribution, the classes."""

import io
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from rnnedge.arrays import F64
from rnnedge.data.channelstats import rows_sample
from rnnedge.data.readers import Recording, Recordings
from rnnedge.data.timeline import GAP, usual_step
from rnnedge.errors import ToolError

MOST_CHANNELS = 16
_POINTS = 3000
_MOST_GAPS = 200
_MOST_TICKS = 20
_SAMPLE = 20_000
_DPI = 110


def picture(data: Recordings, kind: str) -> bytes:
    """Draw the channels over time with gaps and classes, their histograms, and the rows a class.

    Recordings whose time stamps follow each other stand at their time, others end to end. A
    channel is drawn as the band between least and largest value of neighbouring rows.

    Args:
        data: the recordings; missing values are NaN.
        kind: "png" or "svg".

    Returns:
        The content of the file, the same for the same data.

    Raises:
        ToolError: matplotlib is missing.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ToolError(
            "matplotlib is missing, which draws plots; pip install matplotlib"
        ) from None
    shown = data.channels[:MOST_CHANNELS]
    rows = len(shown) + bool(data.classes)
    figure = Figure(figsize=(12, 1.0 + 1.5 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 2, squeeze=False, width_ratios=(5, 1))
    starts, unit = _places(data)
    sample = rows_sample(data, _SAMPLE)
    colours = matplotlib.colormaps["tab10" if len(data.classes) <= 10 else "turbo"]
    shade = {
        name: colours(index if len(data.classes) <= 10 else index / len(data.classes))
        for index, name in enumerate(data.classes)
    }
    for index, (line, bars) in enumerate(axes[: len(shown)]):
        x, low, high = _band(data, starts, index)
        line.fill_between(x, low, high, color="#205080", linewidth=0.6)
        name = (
            f"{data.channels[index]} [{data.units[index]}]" if data.units[index] else shown[index]
        )
        line.set_ylabel(name, parse_math=False)
        for start, stop in _gaps(data.items, starts):
            line.axvspan(start, stop, color="#c03030", alpha=0.25)
        values = sample[:, index]
        values = values[np.isfinite(values)]
        if len(values):
            bars.hist(values, bins=40, color="#205080", orientation="horizontal")
        bars.set_xticks([])
        if index < len(shown) - 1:
            line.set_xticklabels([])
    if data.classes:
        _classes(axes[-1], data, starts, shade)
    axes[len(shown) - 1, 0].set_xlabel(unit)
    out = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "rnnedge"}):
        figure.savefig(out, format=kind, dpi=_DPI, metadata={"Date": None} if kind == "svg" else {})
    return out.getvalue()


def _places(data: Recordings) -> tuple[list[F64], str]:
    """Return the place of the first and the last row of each recording, and what it is counted in.

    Each is float64 (2,).
    """
    spans = [
        (float(item.time[0]), float(item.time[-1]))
        for item in data.items
        if item.time is not None and item.time[-1] >= item.time[0]
    ]
    if len(spans) == len(data.items) and all(one[1] <= other[0] for one, other in pairwise(spans)):
        scale, unit = next(
            (scale, unit)
            for scale, unit in ((86400.0, "days"), (3600.0, "hours"), (1.0, "seconds"))
            if spans[-1][1] - spans[0][0] > 3 * scale or scale == 1.0
        )
        return [(np.array(span) - spans[0][0]) / scale for span in spans], unit
    ends = np.cumsum([0, *(len(item.values) for item in data.items)]).astype(np.float64)
    return [np.array([a, b - 1]) for a, b in pairwise(ends)], "rows"


def _band(data: Recordings, places: Sequence[F64], channel: int) -> tuple[F64, F64, F64]:
    """Return places, least and largest values, parted by NaN between recordings."""
    total = sum(len(item.values) for item in data.items)
    block = max(1, -(-total // _POINTS))
    x, low, high = [], [], []
    for item, place in zip(data.items, places, strict=True):
        rows = np.arange(0, len(item.values), block)
        for row in rows:
            part = item.values[row : row + block, channel]
            known = part[~np.isnan(part)]
            low.append(known.min() if len(known) else np.nan)
            high.append(known.max() if len(known) else np.nan)
        x.append(_at(item, place, rows))
        x.append(np.array([np.nan]))
        low.append(np.nan)
        high.append(np.nan)
    return np.concatenate(x), np.array(low, np.float64), np.array(high, np.float64)


def _at(item: Recording, place: F64, rows: Any) -> F64:
    """Return where rows of a recording stand."""
    last = max(1, len(item.values) - 1)
    if item.time is None or item.time[-1] <= item.time[0]:
        return np.asarray(place[0] + (place[1] - place[0]) * rows / last, dtype=np.float64)
    share = (item.time[rows] - item.time[0]) / (item.time[-1] - item.time[0])
    return np.asarray(place[0] + (place[1] - place[0]) * share, dtype=np.float64)


def _gaps(items: Sequence[Recording], places: Sequence[F64]) -> Iterator[tuple[float, float]]:
    """Yield the longest gaps within recordings."""
    found: list[tuple[float, float]] = []
    for item, place in zip(items, places, strict=True):
        if item.time is None or len(item.time) < 2:
            continue
        steps = np.diff(item.time)
        for row in np.flatnonzero(steps > GAP * (usual_step([item.time]) or np.inf))[:_MOST_GAPS]:
            at = _at(item, place, np.array([row, row + 1]))
            found.append((float(at[0]), float(at[1])))
    yield from sorted(found, key=lambda gap: gap[0] - gap[1])[:_MOST_GAPS]


def _classes(axes: Any, data: Recordings, places: Sequence[F64], shade: dict[str, Any]) -> None:
    """Draw when each class is there, and how many rows it has."""
    line, bars = axes
    counts = dict.fromkeys(data.classes, 0)
    spans: dict[str, list[tuple[float, float]]] = {name: [] for name in data.classes}
    for item, place in zip(data.items, places, strict=True):
        for name, start, stop in _stretches(item, data.classes):
            counts[name] += stop - start
            at = _at(item, place, np.array([start, stop - 1]))
            spans[name].append((float(at[0]), float(at[1] - at[0])))
    for level, name in enumerate(data.classes):
        line.broken_barh(spans[name], (level - 0.4, 0.8), color=shade[name])
    names = data.classes if len(data.classes) <= _MOST_TICKS else ()
    line.set_yticks(range(len(names)), names, parse_math=False, fontsize=7)
    line.set_ylabel("class")
    bars.barh(range(len(counts)), list(counts.values()), color=[shade[name] for name in counts])
    bars.set_yticks([])
    bars.set_xlabel("rows")


def _stretches(item: Recording, classes: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Yield class, first row and end of each stretch of one class."""
    if item.row_labels is None:
        if item.label is not None:
            yield item.label, 0, len(item.values)
        return
    edges = np.flatnonzero(np.diff(item.row_labels)) + 1
    for start, stop in zip([0, *edges], [*edges, len(item.row_labels)], strict=True):
        if item.row_labels[start] >= 0:
            yield classes[int(item.row_labels[start])], int(start), int(stop)
