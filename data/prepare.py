"""From what a reader returns to recordings without holes, at one rate; says what was done."""

from dataclasses import dataclass

from rnnedge.data.filling import Missing, fill, missing
from rnnedge.data.gaps import LONGEST_GAP, Cuts, cut_at_gaps
from rnnedge.data.readers import Recordings
from rnnedge.data.resampling import resample
from rnnedge.data.timeline import Timeline, round_rate, timeline
from rnnedge.plaintext import counted
from rnnedge.run import DataFormat


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Recordings to train on, and what they were before.

    Attributes:
        data: no value missing; at the rate asked for, if one was; no recording holds a gap.
        timeline: the time stamps as they were read; None without any.
        missing: the missing values as they were read.
        rate: samples per second: that of `resample`, else the one that the stamps say; or None.
        notes: what was done, and what should be known, a line each.
    """

    data: Recordings
    timeline: Timeline | None
    missing: Missing
    rate: float | None
    notes: tuple[str, ...]


def prepare(data: Recordings, form: DataFormat) -> Prepared:
    """Fill missing values, then resample, as the format says; recordings end at gaps.

    Raises:
        DataError: values are missing and not to be filled, or there are no time stamps to resample
            by.
    """
    if data.text:
        nothing = Missing(counts=(0,) * len(data.channels))
        return Prepared(data=data, timeline=None, missing=nothing, rate=None, notes=())
    seen, absent = timeline(data), missing(data)
    filled = fill(data, form.missing, absent)
    notes = _fill_notes(data, filled, form.missing, absent)
    if form.resample is None:
        pieces, cuts = cut_at_gaps(filled)
        return Prepared(
            data=pieces,
            timeline=seen,
            missing=absent,
            rate=None if seen is None else seen.rate,
            notes=(*notes, *(() if seen is None else time_notes(seen, cuts))),
        )
    even = resample(filled, form.resample)
    rows = [sum(len(item.values) for item in part.items) for part in (filled, even)]
    notes.append(
        f"resampled to {form.resample:g} per second: {rows[0]:,} rows became {rows[1]:,} in "
        f"{len(even.items)} recordings; gaps of more than {LONGEST_GAP:g} steps and steps "
        "backwards end a recording"
    )
    if seen is not None and seen.rate is not None and form.resample < seen.rate / 2:
        notes.append(
            f"note: the data has {seen.rate:g} samples per second; those between are left out, not "
            "averaged: filter the data first if it is noisy"
        )
    return Prepared(
        data=even, timeline=seen, missing=absent, rate=form.resample, notes=tuple(notes)
    )


def time_notes(seen: Timeline, cuts: Cuts) -> list[str]:
    """Say what is uneven in time stamps, what became of it, and the cure."""
    if seen.even:
        return []
    counts = [
        (seen.gaps, "gap", f" (the longest {seen.longest_gap:g} s)"),
        (seen.backwards, "step", " backwards"),
        (seen.duplicates, "time stamp", " twice"),
        (seen.changes, "change", " of the step"),
    ]
    said = ", ".join(f"{counted(count, what)}{more}" for count, what, more in counts if count)
    where = f", the first at {seen.first}" if seen.first else ""
    rate = "RATE" if seen.rate is None else round_rate(seen.rate)
    notes = []
    if cuts.count:
        long, back = cuts.count - cuts.backwards, cuts.backwards
        ends = [f"{counted(long, 'gap')} of more than {LONGEST_GAP:g} steps"] if long else []
        ends += [f"{counted(back, 'step')} backwards"] if back else []
        notes.append(
            f"{' and '.join(ends)} in the time stamps of {counted(cuts.recordings, 'recording')}, "
            f"the first at {cuts.first}: a recording ends there, no window crosses it"
        )
    if even_but_cuts(seen, cuts):
        return notes
    return [
        *notes,
        f"note: time stamps, usual step {seen.step:g} s: {said}{where}; {'other ' * bool(notes)}"
        f"rows are taken as if they were even, --resample {rate} makes them so",
    ]


def even_but_cuts(seen: Timeline, cuts: Cuts) -> bool:
    """Tell whether time stamps are one step apart but where recordings were cut."""
    cut = cuts.count == seen.gaps + seen.backwards
    return cut and not seen.duplicates and not seen.changes


def _fill_notes(before: Recordings, after: Recordings, how: str, absent: Missing) -> list[str]:
    if not absent.total:
        return []
    named = ", ".join(
        f"{name} {count}"
        for name, count in zip(before.channels, absent.counts, strict=True)
        if count
    )
    rows = [sum(len(item.values) for item in part.items) for part in (before, after)]
    gone = f", {rows[0] - rows[1]} rows left out" if rows[0] != rows[1] else ""
    return [
        f"missing values: {absent.total} ({named}), the first at {absent.first}; {how}: "
        f"{len(before.items)} recordings became {len(after.items)}{gone}"
    ]
