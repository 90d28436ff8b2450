"""Divide windows into training, validation and test without dividing a group."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rnnedge.arrays import I64
from rnnedge.data.balance import divide
from rnnedge.data.parts import by_time, given, in_time, unit
from rnnedge.data.readers import Recordings
from rnnedge.data.stored import StoredWindows
from rnnedge.data.windows import WindowSet, check_window, cut
from rnnedge.errors import DataError
from rnnedge.plaintext import counted

_NAMES_LIMIT = 100
_SAMPLE_BYTES = 1 << 26
_MOST_CLASSES, _LONGEST_LABEL = 255, 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """The three parts.

    Attributes:
        train: windows that decide the weights.
        validation: windows that decide when to stop.
        test: windows that nothing was decided on.
        classes: class names, the meaning of `WindowSet.y` in all parts.
        statement: method, files, groups and counts, for run.json.
        apart: training windows if they lay as far apart as those of the other parts: what decides
            batches and epochs, since windows that share most of their rows tell little more.
    """

    train: WindowSet
    validation: WindowSet
    test: WindowSet
    classes: tuple[str, ...]
    statement: dict[str, Any]
    apart: int


def split(
    data: Recordings,
    test: Recordings | None,
    *,
    window: int,
    hop: int,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    by: str = "auto",
    train_hop: int | None = None,
    pad: bool = False,
) -> Split:
    """Cut windows and divide them, stratified by class where the division allows it.

    The test part is `test` if given, else the test part that the data files name, else
    `test_fraction` of the data. The same seed gives the same parts. Where recordings are larger
    than memory, training windows stay in them, and the other parts are a random sample.

    Args:
        data: recordings with labels.
        test: recordings of the test part, or None.
        window: time steps of a window.
        hop: time steps between two windows of a recording.
        validation_fraction: share of the windows outside the test part, 0 < f < 1.
        test_fraction: share of all windows, 0 < f < 1.
        seed: decides the parts.
        by: "group", "recording" (groups are divided), "time" (rows in the order of time, a window
            left out between the parts), or "auto": by group or else recording, and by time where
            all is one recording.
        train_hop: time steps between two windows of the training part; None: hop.
        pad: whether recordings that are shorter than a window are padded (rnnedge.data.windows).

    Raises:
        DataError: one class only, a class with too few groups, a class that only the test part
            has, or a window longer than every recording.
    """
    rest, test, method = given(data, test)
    check_window(rest, *([] if test is None else [test]), window=window)
    classes = rest.classes
    if len(classes) < 2:
        raise DataError(
            f"{rest.items[0].file}: only one class ({', '.join(classes)}), expected at least two; "
            "add data of another class"
        )
    if len(classes) > _MOST_CLASSES:
        raise DataError(
            f"{rest.items[0].file}: {len(classes)} different labels ({classes[0]}, {classes[1]}, "
            f"...), expected at most {_MOST_CLASSES} classes; is the label column a measurement?"
        )
    longest = max(classes, key=len)
    if len(longest) > _LONGEST_LABEL:
        raise DataError(
            f"{rest.items[0].file}: a label of {len(longest)} characters ({longest[:20]}...), "
            f"expected at most {_LONGEST_LABEL}; is the label column the right one?"
        )
    if by == "time" or (by == "auto" and test is None and by_time(rest)):
        shares: tuple[float, ...] = (validation_fraction,)
        if test is None:
            shares = ((1 - test_fraction) * validation_fraction, test_fraction)
        pieces = [*in_time(rest, shares, window), *([] if test is None else [test])]
        words = f"by time, {window} rows between the parts"
        made = [_cut_part(part, window, hop, classes, pad) for part in pieces]
        short = sum(part.short for part in made)
        method = f"{method}; validation {words}" if method else f"test and validation {words}"
    else:
        owned = replace(
            rest, items=tuple(replace(item, group=unit(item, by)) for item in rest.items)
        ) if by != "auto" else rest  # fmt: skip
        own = cut(owned, window=window, hop=hop, classes=classes, pad=pad)
        words = {"auto": "by group, or else recording"}.get(by, f"by {by}")
        if test is None:
            _enough_groups(own, classes, owned, parts=3)
            chosen = divide(own.y, own.group, fraction=test_fraction, seed=seed)
            trial, tested = own.select(~chosen), own.select(chosen)
            if not len(tested) or _missing(own.y, chosen, len(classes)):
                raise _cannot(classes, _missing(own.y, chosen, len(classes)), "test")
        else:
            _known_classes(test, classes)
            trial, tested = own, cut(test, window=window, hop=hop, classes=classes, pad=pad)
            _enough_groups(own, classes, owned, parts=2)
        held = divide(trial.y, trial.group, fraction=validation_fraction, seed=seed + 1)
        if missing := _missing(trial.y, held, len(classes)):
            raise _cannot(classes, missing, "validation")
        made, short = [trial.select(~held), trial.select(held), tested], own.short
        pieces = [owned, owned, owned if test is None else test]
        method = f"{method}; validation {words}" if method else f"test and validation {words}"
    for name, part in zip(("training", "validation"), made, strict=False):
        if absent := set(range(len(classes))) - set(part.y.tolist()):
            names = ", ".join(repr(classes[label]) for label in sorted(absent))
            raise DataError(
                f"class {names} is not in the {name} part (divided {words}); choose another "
                "--split, or give test data with --test"
            )
    apart = len(made[0])
    if train_hop is not None and train_hop != hop:
        closer = cut(pieces[0], window=window, hop=train_hop, classes=classes, pad=pad)
        made[0] = closer.select(np.isin(closer.recording, made[0].recording))
    kept = [made[0], *(_bounded(part, seed) for part in made[1:])]
    return Split(
        train=kept[0],
        validation=kept[1],
        test=kept[2],
        classes=classes,
        statement={
            "method": method,
            "seed": seed,
            **{
                name: {
                    **_statement(part, sources, classes),
                    **({} if len(part) == len(all_of) else {"sampled_from": len(all_of)}),
                }
                for name, part, all_of, sources in zip(
                    ("train", "validation", "test"), kept, made, pieces, strict=True
                )
            },
            "recordings_shorter_than_a_window": short,
        },
        apart=apart,
    )


def _cut_part(
    part: Recordings, window: int, hop: int, classes: tuple[str, ...], pad: bool
) -> WindowSet:
    """Cut one part; refuse classes that training does not know."""
    _known_classes(part, classes)
    return cut(part, window=window, hop=hop, classes=classes, pad=pad)


def _bounded(part: WindowSet, seed: int) -> WindowSet:
    """Take a part into memory, a random sample of it where it is large."""
    if not isinstance(part.X, StoredWindows):
        return part
    most = max(1, _SAMPLE_BYTES // max(1, part.X.nbytes // len(part)))
    rng = np.random.Generator(np.random.PCG64(seed))
    chosen = np.arange(len(part))
    if most < len(part):
        chosen = np.sort(rng.choice(len(part), most, replace=False))
    return replace(part.select(chosen), X=part.X[chosen])


def _missing(y: I64, chosen: npt.NDArray[np.bool_], classes: int) -> list[int]:
    """Return the classes that one side lacks."""
    inside = np.bincount(y[chosen], minlength=classes)
    outside = np.bincount(y[~chosen], minlength=classes)
    return [int(label) for label in np.flatnonzero((inside == 0) | (outside == 0))]


def _known_classes(test: Recordings, classes: Sequence[str]) -> None:
    for item in test.items:
        if item.label not in classes:
            raise DataError(
                f"{item.source}: class {item.label!r} is in the test part only; training knows "
                f"{', '.join(classes)}"
            )


def _enough_groups(
    windows: WindowSet, classes: Sequence[str], recordings: Recordings, parts: int
) -> None:
    """Refuse a class that cannot be in every part."""
    for label, name in enumerate(classes):
        count = len(np.unique(windows.group[windows.y == label]))
        if count >= parts:
            continue
        what = "group" if any(item.group for item in recordings.items) else "recording"
        hints = "record more of it, cut what follows without separator with --recording-rows"
        if parts == 3:
            hints = f"give test data with --test, {hints}"
        raise DataError(
            f"class {name!r} has {counted(count, what)} with a whole window, expected at least "
            f"{parts}, one for each part; {hints}, or choose what stays together with --group"
        )


def _cannot(classes: Sequence[str], missing: Sequence[int], part: str) -> DataError:
    names = ", ".join(repr(classes[label]) for label in missing)
    return DataError(
        f"no division by group puts class {names} into both the {part} part and the rest; record "
        "more groups, or give test data with --test"
    )


def _statement(
    windows: WindowSet, recordings: Recordings, classes: Sequence[str]
) -> dict[str, Any]:
    """State one part in words and numbers."""
    items = [recordings.items[index] for index in np.unique(windows.recording)]
    named = sorted({item.group for item in items if item.group is not None})
    counts = np.bincount(windows.y, minlength=len(classes))
    stated: dict[str, Any] = {
        "files": sorted({item.file for item in items}),
        "recordings": len(items),
        "groups": len(np.unique(windows.group)),
        "windows": len(windows),
        "windows_per_class": dict(zip(classes, counts.tolist(), strict=True)),
    }
    if 0 < len(named) <= _NAMES_LIMIT:
        stated["group_names"] = named
    return stated
